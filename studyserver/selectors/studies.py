"""Reads about a study as a whole: which, how far, and whether there is room."""

import difflib
from dataclasses import dataclass
from fractions import Fraction

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from studyserver.errors import UnknownStudy
from studyserver.models import Pair, Participant, Session, Study, Trial, Vote

__all__ = [
    "SessionOutline",
    "StudyCounts",
    "pairs_with_progress",
    "session_outline",
    "study_by_slug",
    "study_counts",
    "study_has_places",
]


@dataclass(frozen=True)
class StudyCounts:
    """How far a study is; people are counted by origin, votes are test votes in the quota."""

    participants: int
    completed: int
    simulated: int
    previews: int
    votes: int
    quota: int


@dataclass(frozen=True)
class SessionOutline:
    """What a participant is told beforehand: pairs after the practice pair, and minutes."""

    pairs: int
    minutes: int


# Beside watching: loading, deciding and answering, in seconds per pair.
_SECONDS_PER_ANSWER = 6


def session_outline(study: Study) -> SessionOutline:
    """Return what a session of the study amounts to."""
    pairs = min(study.pairs_per_session, study.pairs.filter(kind=Pair.Kind.TEST).count()) + 1
    clips = [float(frames / Fraction(fps)) for frames, fps in study.sources.values_list("frames", "fps")]
    watching = sum(clips) / len(clips) if clips else 0
    return SessionOutline(pairs, max(1, round((pairs + 1) * (watching + _SECONDS_PER_ANSWER) / 60)))


def study_by_slug(slug: str) -> Study:
    """Return a study, or raise UnknownStudy with the nearest short names."""
    study = Study.objects.filter(slug=slug).first()
    if study is None:
        known = list(Study.objects.values_list("slug", flat=True))
        near = difflib.get_close_matches(slug, known, n=3)
        if near:
            hint = f"did you mean {' or '.join(near)}?"
        elif known:
            hint = f"there are: {', '.join(known)}"
        else:
            hint = "there is none yet, import_stimuli makes one"
        raise UnknownStudy(f"no study is called {slug!r}; {hint}")
    return study


def study_has_places(study: Study, origin: str = Participant.Origin.REAL) -> bool:
    """Return whether a test pair has a place that is free, or not made yet, or left by somebody who went away."""
    places = Trial.objects.filter(pair__study=study, origin=origin, number__lt=study.votes_per_pair)
    taken = places.filter(
        Q(state=Trial.State.ANSWERED) | Q(state=Trial.State.CLAIMED, session__lease_until__gte=timezone.now())
    ).count()
    return taken < study.votes_per_pair * study.pairs.filter(kind=Pair.Kind.TEST).count()


def study_counts(study: Study) -> StudyCounts:
    """Return the numbers of a study's admin page."""
    people = study.participants.aggregate(
        participants=Count("pk", filter=Q(origin="real")),
        completed=Count("pk", filter=Q(origin="real", session__state=Session.State.COMPLETED)),
        simulated=Count("pk", filter=Q(origin="simulated")),
        previews=Count("pk", filter=Q(origin="preview")),
    )
    votes = Vote.objects.filter(
        trial__pair__study=study, trial__kind=Trial.Kind.TEST, trial__origin="real", late=False
    ).count()
    quota = study.votes_per_pair * study.pairs.filter(kind=Pair.Kind.TEST).count()
    return StudyCounts(**people, votes=votes, quota=quota)


def pairs_with_progress() -> QuerySet[Pair]:
    """Return pairs with `answered` (different real people with a vote in the quota) and `answered_simulated`."""

    def people(origin: str) -> Count:
        counted = Q(trials__state=Trial.State.ANSWERED, trials__kind=Trial.Kind.TEST, trials__origin=origin)
        return Count("trials__participant", filter=counted, distinct=True)

    return Pair.objects.annotate(answered=people("real"), answered_simulated=people("simulated"))
