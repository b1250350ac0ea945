"""What became of a cohort of model participants, by persona, and what the rules caught."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from studyserver.models import Session, Study, Trial, Vote
from studyserver.selectors import vote_reasons
from studyserver.simulation_personas import PERSONAS, SPAMMER, Person

__all__ = ["PersonaResult", "SimulationResult", "model_code", "summarise", "votes_of"]

State = Session.State
_ENDS = {
    State.COMPLETED: "finished",
    State.SCREENED_OUT: "screened_out",
    State.FULL: "full",
    State.TECHNICAL: "technical",
}


@dataclass(frozen=True)
class PersonaResult:
    """How many of a persona entered and how they ended (`left`: went away in the middle); their votes on pairs after
    the practice; and how many votes, and how many people with every one of their votes, the rules drop, by reason.
    """

    people: int
    entered: int
    finished: int
    screened_out: int
    full: int
    technical: int
    left: int
    votes: int
    votes_dropped: dict[str, int]
    people_dropped: dict[str, int]


@dataclass(frozen=True)
class SimulationResult:
    """What was simulated; `truth` maps condition to its true score in logits, sum zero (higher looks better).

    `participants` entered and got pairs; `turned_away` found the quota full, as people would. `votes` are those of
    this run, `personas` tells of the whole cohort, earlier runs of it included.
    """

    participants: int
    spammers: int
    turned_away: int
    votes: int
    truth: dict[str, float]
    personas: dict[str, PersonaResult]


def model_code(person: Person) -> str:
    """Return the pseudonym of a model participant."""
    return f"sim-{person.seed}-{person.index}"


def votes_of(study: Study, people: Sequence[Person]) -> int:
    """Return how many votes these model participants have given, practice included."""
    codes = [model_code(person) for person in people]
    return Vote.objects.filter(trial__participant__study=study, trial__participant__code__in=codes).count()


def summarise(
    study: Study, people: Sequence[Person], truth: dict[str, float], *, votes_before: int
) -> SimulationResult:
    """Return what became of a cohort, as the database tells it now."""
    results = _persona_results(study, {model_code(person): person.name for person in people})
    entered = sum(result.entered - result.full for result in results.values())
    return SimulationResult(
        participants=entered,
        spammers=results[SPAMMER].entered if SPAMMER in results else 0,
        turned_away=len(people) - entered,
        votes=votes_of(study, people) - votes_before,
        truth=truth,
        personas=results,
    )


def _persona_results(study: Study, people: Mapping[str, str]) -> dict[str, PersonaResult]:
    """Return the results by persona; `people`: persona by pseudonym."""
    sessions = list(
        Session.objects.filter(participant__study=study, participant__code__in=people).select_related("participant")
    )
    reasons = vote_reasons(study, sessions=sessions)
    votes: dict[int, list[str]] = {}
    rows = Vote.objects.filter(trial__session__in=sessions).exclude(trial__kind=Trial.Kind.TRAINING)
    for session, vote in rows.order_by("id").values_list("trial__session", "pk"):
        votes.setdefault(session, []).append(reasons[vote])
    results = {}
    for name in (name for name in PERSONAS if name in people.values()):
        own = [session for session in sessions if people[session.participant.code] == name]
        ends = Counter(_ENDS.get(session.state, "left") for session in own)
        given = [votes[session.pk] for session in own if session.pk in votes]
        results[name] = PersonaResult(
            people=sum(persona == name for persona in people.values()),
            entered=len(own),
            votes=sum(map(len, given)),
            votes_dropped=dict(Counter(reason for mine in given for reason in mine if reason).most_common()),
            people_dropped=dict(Counter(mine[0] for mine in given if all(mine)).most_common()),
            **{end: ends[end] for end in (*_ENDS.values(), "left")},
        )
    return results
