"""A study at a glance: everything that its dashboard shows, as numbers."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from studyserver.dashboard.numbers import (
    Histogram,
    histogram,
    people_needed,
    votes_per_hour,
)
from studyserver.models import Participant, Rule, Session, Study, Trial
from studyserver.selectors.dashboard_people import People, origin_counts, people_of
from studyserver.selectors.dashboard_playback import Playback, playback_of
from studyserver.selectors.dashboard_ranking import Ranking, ranking_of
from studyserver.selectors.dashboard_votes import (
    AnswerShare,
    PairVotes,
    answer_shares,
    dropped_votes,
    pair_votes,
    vote_facts,
)
from studyserver.selectors.payments import StudyCost, study_cost
from studyserver.selectors.rules import rule_in_force
from studyserver.selectors.studies import session_outline
from studyserver.selectors.votes import vote_reasons

__all__ = ["Dashboard", "Progress", "default_origin", "study_dashboard"]

_Origin = Participant.Origin


@dataclass(frozen=True)
class Progress:
    """How far the votes are, and how long the rest will take.

    `moments`: when the votes that count arrived, in order. `people_to_finish` and `people_to_enter` are still needed;
    the latter is None until a visit is over. `per_hour` is the present pace, `full_in` the time until the quota is
    full at that pace; both None where there is no pace, and `full_in` where nothing is missing.
    """

    votes: int
    quota: int
    missing: int
    pending: int
    moments: tuple[datetime, ...]
    people_to_finish: int
    people_to_enter: int | None
    per_hour: float | None
    full_in: timedelta | None


@dataclass(frozen=True)
class Dashboard:
    """The figures of a study for one origin, as they were at `at`.

    `ranking_origins` are those whose votes the ranking counts: a demonstration counts real and simulated ones alike.
    `answer_seconds` are from the end of the first playback to the answer, `trial_seconds` from the pair's page to
    the answer, both of test pairs.
    """

    study: Study
    origin: str
    at: datetime
    origins: dict[str, int]
    people: People
    promised_minutes: int
    pairs: tuple[PairVotes, ...]
    progress: Progress
    ranking: Ranking
    ranking_origins: tuple[str, ...]
    answers: tuple[AnswerShare, ...]
    answer_seconds: Histogram | None
    trial_seconds: Histogram | None
    playback: Playback
    test_votes: int
    dropped: tuple[tuple[str, int], ...]
    rules: tuple[Rule, ...]
    cost: StudyCost


def default_origin(study: Study) -> str:
    """Return whose figures a study's dashboard shows first: those of people, where there are any."""
    if study.status == Study.Status.PILOT:
        return _Origin.PILOT
    counts = origin_counts(study)
    present = [origin for origin in (_Origin.REAL, _Origin.PILOT, _Origin.SIMULATED) if counts[origin]]
    return present[0] if present else _Origin.REAL


def study_dashboard(study: Study, origin: str, *, now: datetime) -> Dashboard:
    """Return all figures of the participants of one origin; the number of queries does not hang on the study's size."""
    promised = session_outline(study).minutes
    people = people_of(study, origin, now=now, promised_minutes=promised)
    both = (_Origin.REAL, _Origin.SIMULATED)
    ranked = both if study.demonstration and origin in both else (origin,)
    sessions = Session.objects.filter(participant__study=study, participant__origin__in=ranked)
    all_votes = vote_facts(study, ranked, vote_reasons(study, sessions))
    votes = [vote for vote in all_votes if vote.origin == origin]
    tests = [vote for vote in votes if vote.kind == Trial.Kind.TEST]
    pairs = pair_votes(study, votes, people.inside)
    return Dashboard(
        study=study,
        origin=origin,
        at=now,
        origins=origin_counts(study),
        people=people,
        promised_minutes=promised,
        pairs=pairs,
        progress=_progress(study, votes, pairs, people, now),
        ranking=ranking_of(all_votes),
        ranking_origins=ranked,
        answers=answer_shares(votes),
        answer_seconds=histogram([vote.response_ms / 1000 for vote in tests if vote.response_ms is not None]),
        trial_seconds=histogram(
            [(vote.voted_at - vote.presented_at).total_seconds() for vote in tests if vote.presented_at]
        ),
        playback=playback_of(votes),
        test_votes=len(tests),
        dropped=dropped_votes(votes),
        rules=tuple(rule_in_force(study, purpose) for purpose in Rule.Purpose.values),
        cost=study_cost(study, origin),
    )


def _progress(study: Study, votes, pairs: tuple[PairVotes, ...], people: People, now: datetime) -> Progress:
    counted = [vote for vote in votes if vote.counts]
    moments = tuple(sorted(vote.voted_at for vote in counted))
    gaps = [pair.missing for pair in pairs]
    # Until somebody has finished, each is taken to bring what a session holds.
    brought = len(counted) / people.finished if people.finished else 0
    to_finish = people_needed(gaps, brought or min(study.pairs_per_session, len(pairs)) or 1)
    pace = votes_per_hour(moments, now)
    return Progress(
        votes=len(counted),
        quota=sum(pair.quota for pair in pairs),
        missing=sum(gaps),
        pending=sum(pair.pending for pair in pairs),
        moments=moments,
        people_to_finish=to_finish,
        people_to_enter=math.ceil(to_finish / people.completion - 1e-9) if people.completion else None,
        per_hour=pace,
        full_in=timedelta(hours=sum(gaps) / pace) if pace and any(gaps) else None,
    )
