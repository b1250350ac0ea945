"""The vote table: one list of columns makes the table, its header and its data dictionary."""

from collections.abc import Callable
from dataclasses import dataclass

from studyserver.models import Participant, Study, Trial, Vote

__all__ = ["COLUMNS", "VoteColumn", "data_dictionary", "vote_frame"]


@dataclass(frozen=True)
class VoteColumn:
    """A column of the vote table: its name, pandas type, meaning and how to read it from a row's facts."""

    name: str
    dtype: str
    description: str
    value: Callable


@dataclass(frozen=True)
class _Facts:
    """One vote with what the whole table knows about its participant."""

    vote: Vote
    study: Study
    reason: str

    @property
    def trial(self) -> Trial:
        return self.vote.trial


COLUMNS = (
    VoteColumn(
        "participant",
        "string",
        "Pseudonym; the same person within this study only.",
        lambda f: f.trial.participant.code,
    ),
    VoteColumn("source", "string", "Clean clip that both videos were made from.", lambda f: f.trial.pair.source.name),
    VoteColumn("left", "string", "Condition shown on the left.", lambda f: f.trial.left.condition.label),
    VoteColumn("right", "string", "Condition shown on the right.", lambda f: f.trial.right.condition.label),
    VoteColumn(
        "choice", "string", "Better-looking side: left, right, or tie (no visible difference).", lambda f: f.vote.choice
    ),
    VoteColumn("target_metric", "string", "Metric that the attacks aimed at.", lambda f: f.study.target_metric),
    VoteColumn(
        "kind",
        "string",
        "test; training (with feedback, comes first); verification (obvious answer); repeat; null (identical videos).",
        lambda f: f.trial.kind,
    ),
    VoteColumn(
        "expected", "string", "Right answer of training and verification pairs, else empty.", lambda f: f.trial.expected
    ),
    VoteColumn(
        "response_ms",
        "Int64",
        "Milliseconds from the end of the first playback to the answer.",
        lambda f: f.vote.response_ms,
    ),
    VoteColumn(
        "presented_at",
        "string",
        "When the server first sent the pair (UTC, ISO 8601).",
        lambda f: _time(f.trial.presented_at),
    ),
    VoteColumn("voted_at", "string", "When the answer arrived (UTC, ISO 8601).", lambda f: _time(f.vote.voted_at)),
    VoteColumn("session", "string", "Visit; one per participant.", lambda f: f"{f.trial.participant.code}-1"),
    VoteColumn("position", "Int64", "Order in the session; training is 0.", lambda f: f.trial.position),
    VoteColumn("attempt", "Int64", "Showing of the training pair, from 1.", lambda f: f.trial.attempt),
    VoteColumn("origin", "string", "real or simulated participant.", lambda f: f.trial.origin),
    VoteColumn(
        "playback_ok",
        "boolean",
        "Both videos played without stalls, dropped frames or drift; empty where not measured.",
        lambda f: f.vote.playback_ok,
    ),
    VoteColumn("use", "boolean", "False where the vote should not count, see reason.", lambda f: not f.reason),
    VoteColumn("reason", "string", "Why a vote should not count.", lambda f: f.reason),
)


def _time(moment) -> str | None:
    return moment.isoformat(timespec="milliseconds") if moment else None


def vote_frame(study: Study, reasons: dict[int, str]):
    """Return all votes of a study but those of previews, one row each, in the order of their arrival.

    `reasons`: by key of a vote, why it does not count.
    """
    # Imported here: pandas takes a second, and the participants' pages do not need it.
    import pandas

    votes = list(
        Vote.objects.filter(trial__pair__study=study)
        .exclude(trial__origin=Participant.Origin.PREVIEW)
        .select_related(
            "trial__participant",
            "trial__pair__source",
            "trial__pair__first__condition",
            "trial__pair__second__condition",
        )
        .order_by("id")
    )
    mixed = any(vote.trial.origin == Participant.Origin.REAL for vote in votes) and not study.demonstration

    def reason(vote: Vote) -> str:
        if mixed and vote.trial.origin == Participant.Origin.SIMULATED:
            return "simulated participant beside real ones"
        return reasons[vote.pk]

    rows = [_Facts(vote, study, reason(vote)) for vote in votes]
    return pandas.DataFrame(
        {column.name: pandas.array([column.value(row) for row in rows], dtype=column.dtype) for column in COLUMNS}
    )


def data_dictionary() -> list[dict[str, str]]:
    """Return name, type and meaning of every column of the vote table."""
    return [{"name": column.name, "type": column.dtype, "description": column.description} for column in COLUMNS]
