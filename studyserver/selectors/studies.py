"""Reads about a study as a whole: which, how far, and whether there is room."""

import difflib
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from django.db.models import Count, F, Q, QuerySet
from django.utils import timezone

from studyserver.errors import UnknownStudy
from studyserver.flow import HOLDS_PLACES
from studyserver.models import Pair, Participant, Session, Study, Trial
from studyserver.quota import share_verification

__all__ = [
    "SessionOutline",
    "StudyCounts",
    "pairs_with_progress",
    "session_outline",
    "study_by_slug",
    "study_counts",
    "study_has_places",
    "study_language",
]


@dataclass(frozen=True)
class StudyCounts:
    """How far a study is; people are counted by origin, votes are test votes of real people in the quota."""

    participants: int
    completed: int
    pilot: int
    simulated: int
    previews: int
    votes: int
    quota: int


@dataclass(frozen=True)
class SessionOutline:
    """What a session amounts to: all its pairs, how many of them are for practice, and minutes from start to end."""

    pairs: int
    practice: int
    minutes: int
    seconds_per_pair: float


# Beside watching: loading, deciding and answering a pair, and the other steps of a session, in seconds.
_ANSWER, _INSTRUCTIONS, _SETUP, _CALIBRATION, _QUESTION, _QUESTIONNAIRE = 6, 40, 20, 40, 12, 40


def session_outline(study: Study) -> SessionOutline:
    """Return what a session of the study amounts to where every practice answer is right."""
    kinds = Counter(study.pairs.order_by().values_list("kind", flat=True))
    practice, hidden = share_verification(kinds[Pair.Kind.VERIFICATION], study.training_pairs, study.verification_pairs)
    tests = min(study.pairs_per_session, kinds[Pair.Kind.TEST])
    pairs = practice + tests + hidden + min(study.repeat_pairs, tests) + min(study.null_pairs, kinds[Pair.Kind.NULL])
    clips = [float(frames / Fraction(fps)) for frames, fps in study.sources.values_list("frames", "fps")]
    watching = sum(clips) / len(clips) if clips else 0
    if study.presentation == Study.Presentation.SEQUENTIAL:
        watching *= 2
    seconds = (
        _INSTRUCTIONS
        + _SETUP * study.check_environment
        + _CALIBRATION * (study.calibration != Study.Calibration.OFF)
        + _QUESTION * study.quiz_questions
        + _QUESTIONNAIRE * study.questionnaire
        + pairs * (watching + _ANSWER)
    )
    return SessionOutline(pairs, practice, max(1, round(seconds / 60)), watching + _ANSWER)


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


def study_has_places(study: Study, origin: str = Participant.Origin.REAL, *, now: datetime | None = None) -> bool:
    """Return whether a test pair has a place that is free, or not made yet, or left by somebody who went away."""
    now = now or timezone.now()
    here = Q(trials__session__lease_until__gte=now) | ~Q(trials__session__state__in=HOLDS_PLACES)
    # Whose places were looked at after they left: what they answered stands as the rule says.
    settled = Q(trials__session__left_at__gte=F("trials__session__lease_until"))
    held = Q(trials__state=Trial.State.CLAIMED) & here | Q(trials__state=Trial.State.ANSWERED) & (here | settled)
    taken = Count("trials", filter=held & Q(trials__origin=origin, trials__kind=Trial.Kind.TEST))
    pairs = study.pairs.filter(kind=Pair.Kind.TEST).annotate(taken=taken)
    return pairs.filter(taken__lt=study.votes_per_pair).exists()


def study_counts(study: Study) -> StudyCounts:
    """Return the numbers of a study's admin page."""
    people = study.participants.aggregate(
        participants=Count("pk", filter=Q(origin="real")),
        completed=Count("pk", filter=Q(origin="real", session__state=Session.State.COMPLETED)),
        pilot=Count("pk", filter=Q(origin="pilot")),
        simulated=Count("pk", filter=Q(origin="simulated")),
        previews=Count("pk", filter=Q(origin="preview")),
    )
    votes = Trial.objects.filter(
        pair__study=study, kind=Trial.Kind.TEST, origin="real", state=Trial.State.ANSWERED
    ).count()
    quota = study.votes_per_pair * study.pairs.filter(kind=Pair.Kind.TEST).count()
    return StudyCounts(**people, votes=votes, quota=quota)


def pairs_with_progress() -> QuerySet[Pair]:
    """Return pairs with `answered` (different real people with a vote in the quota) and `answered_simulated`."""

    def people(origin: str) -> Count:
        counted = Q(trials__state=Trial.State.ANSWERED, trials__kind=Trial.Kind.TEST, trials__origin=origin)
        return Count("trials__participant", filter=counted, distinct=True)

    return Pair.objects.annotate(answered=people("real"), answered_simulated=people("simulated"))


def study_language(slug: str) -> str:
    """Return the language that the study at an address speaks; "" where it leaves that open, or is none."""
    return Study.objects.filter(slug=slug).values_list("language", flat=True).first() or ""
