"""What the dashboard reads of a study's people: how their visits ended, when, why, and how long they took."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime

from studyserver.dashboard.numbers import Histogram, TimeBins, bins_of_time, histogram, kind_of_reason
from studyserver.flow import ENDED
from studyserver.models import Exclusion, Participant, Session, Study

__all__ = ["ExcludedPerson", "Outcome", "People", "origin_counts", "people_of"]

IN_PROGRESS, WENT_AWAY = "in progress", "went away"
_State = Session.State
_TITLES = {
    _State.COMPLETED: "finished",
    IN_PROGRESS: "in progress",
    WENT_AWAY: "went away",
    _State.SCREENED_OUT: "screened out",
    _State.FULL: "found the study full",
    _State.TECHNICAL: "technical problem",
}
# What the picture over time tells apart.
_PERIODS = {
    "finished": (_State.COMPLETED,),
    "in progress": (IN_PROGRESS,),
    "went away": (WENT_AWAY,),
    "ended early": (_State.SCREENED_OUT, _State.FULL, _State.TECHNICAL),
}


@dataclass(frozen=True)
class Outcome:
    """How visits ended: `parts` says at which step, or for what reason, most first."""

    name: str
    people: int
    parts: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class ExcludedPerson:
    """A participant whose votes a researcher set aside, and why."""

    pk: int
    code: str
    reason: str
    author: str
    excluded_at: datetime


@dataclass(frozen=True)
class People:
    """The visits of one origin. `withdrawn` counts withdrawals from the whole study: nothing says who they were.

    `inside` are the participants in progress; `fallen_back` counts sessions that went on in another presentation
    because their machine could not keep two videos in step.
    """

    entered: int
    outcomes: tuple[Outcome, ...]
    over_time: TimeBins | None
    minutes: Histogram | None
    inside: frozenset[int]
    fallen_back: int
    excluded: tuple[ExcludedPerson, ...]
    withdrawn: int

    @property
    def finished(self) -> int:
        return self.outcomes[0].people

    @property
    def completion(self) -> float | None:
        """Share of finished visits among those that are over."""
        over = self.entered - len(self.inside)
        return self.finished / over if over else None


def origin_counts(study: Study) -> dict[str, int]:
    """Return the number of participants of each origin."""
    counts = Counter(study.participants.order_by().values_list("origin", flat=True))
    return {origin: counts[origin] for origin in Participant.Origin.values}


def people_of(study: Study, origin: str, *, now: datetime, promised_minutes: float = 0) -> People:
    """Return the visits of participants of an origin; three queries."""
    sessions = list(
        Session.objects.filter(participant__study=study, participant__origin=origin)
        .order_by()
        .values_list(
            "participant_id", "state", "reason", "consented_at", "completed_at", "lease_until", "environment__trouble"
        )
    )
    people: Counter = Counter()
    parts: dict[str, Counter] = defaultdict(Counter)
    moments: dict[str, list[datetime]] = defaultdict(list)
    minutes, inside, troubled = [], set(), 0
    period = {outcome: name for name, outcomes in _PERIODS.items() for outcome in outcomes}
    for participant, state, reason, consented, completed, lease, trouble in sessions:
        outcome = state if state in ENDED else IN_PROGRESS if lease >= now else WENT_AWAY
        people[outcome] += 1
        moments[period[outcome]].append(consented)
        # A session that ended for its trouble did not go on in another presentation.
        troubled += bool(trouble) and state != _State.TECHNICAL
        if state not in ENDED:
            parts[outcome][f"at: {_State(state).label}"] += 1
        elif reason:
            # Checks and steps give a word, such as `screen-small`.
            parts[outcome][kind_of_reason(reason).replace("-", " ")] += 1
        if outcome == IN_PROGRESS:
            inside.add(participant)
        if completed:
            minutes.append((completed - consented).total_seconds() / 60)
    return People(
        entered=len(sessions),
        outcomes=tuple(
            Outcome(title, people[key], tuple(sorted(parts[key].items(), key=lambda item: (-item[1], item[0]))))
            for key, title in _TITLES.items()
        ),
        over_time=bins_of_time(moments, tuple(_PERIODS)),
        minutes=histogram(minutes, reach=promised_minutes),
        inside=frozenset(inside),
        fallen_back=troubled,
        excluded=_excluded(study, origin),
        withdrawn=study.withdrawals.count(),
    )


def _excluded(study: Study, origin: str) -> tuple[ExcludedPerson, ...]:
    rows = Exclusion.objects.filter(participant__study=study, participant__origin=origin, lifted_at=None)
    return tuple(
        ExcludedPerson(*row)
        for row in rows.order_by("-created_at").values_list(
            "participant_id", "participant__code", "reason", "author", "created_at"
        )
    )
