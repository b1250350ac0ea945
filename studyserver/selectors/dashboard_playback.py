"""What the dashboard reads of the playback records of votes."""

from collections.abc import Iterable
from dataclasses import dataclass

from studyserver.dashboard.numbers import Histogram, histogram, kind_of_reason, ranked_counts
from studyserver.models import Trial
from studyserver.selectors.dashboard_votes import VoteFact

__all__ = ["Playback", "playback_of"]

_USUAL_HZ = (30, 50, 60, 75, 90, 100, 120, 144, 165, 240)


@dataclass(frozen=True)
class Playback:
    """How the videos of all but the practice pairs played.

    `measured` votes have a playback record; problems are those for which the rule drops a vote, `replayed` counts
    votes whose pair was played again because the two videos were apart, `hidden` those whose page was covered.
    """

    votes: int
    measured: int
    problems: tuple[tuple[str, int], ...]
    first_frame_ms: Histogram | None
    scales: tuple[tuple[str, int], ...]
    presentations: tuple[tuple[str, int], ...]
    refresh_rates: tuple[tuple[str, int], ...]
    replayed: int
    hidden: int


def playback_of(votes: Iterable[VoteFact]) -> Playback:
    """Return how the videos played, from the records that came with the votes."""
    votes = [vote for vote in votes if vote.kind != Trial.Kind.TRAINING]
    return Playback(
        votes=len(votes),
        measured=sum(vote.shown is not None for vote in votes),
        problems=ranked_counts(
            kind_of_reason(vote.reason).removeprefix("playback: ")
            for vote in votes
            if vote.reason.startswith("playback: ")
        ),
        first_frame_ms=histogram([vote.first_frame_ms for vote in votes if vote.first_frame_ms is not None]),
        scales=ranked_counts(f"{vote.scale:.2f}".rstrip("0").rstrip(".") for vote in votes if vote.scale is not None),
        presentations=ranked_counts(vote.presentation for vote in votes),
        refresh_rates=ranked_counts(_refresh_rate(vote.refresh_hz) for vote in votes if vote.refresh_hz is not None),
        replayed=sum(bool(vote.out_of_step) for vote in votes),
        hidden=sum(bool(vote.hidden) for vote in votes),
    )


def _refresh_rate(measured: float) -> str:
    """Return the usual rate that a measured one is within 3 % of, else the measured one, in whole hertz."""
    usual = min(_USUAL_HZ, key=lambda rate: abs(rate - measured))
    return f"{usual if abs(usual - measured) <= 0.03 * usual else round(measured)} Hz"
