"""Writes to a study as a whole: its status and the free places of its quota."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, Q

from studyserver.errors import StudyError, StudyNotReady
from studyserver.models import Pair, Participant, Study, Trial

__all__ = [
    "places_ensure",
    "study_check_pairs",
    "study_check_slug",
    "study_close",
    "study_open",
    "study_pause",
    "study_set_design",
]


def study_check_slug(slug: str) -> None:
    """Raise StudyError where `slug` cannot be part of an address."""
    try:
        Study._meta.get_field("slug").clean(slug, None)
    except ValidationError:
        raise StudyError(
            f"a study's short name is at most 50 letters, digits, hyphens and underscores, got {slug[:60]!r}"
        ) from None


def study_check_pairs(study: Study) -> None:
    """Raise StudyNotReady when the study has no test pair, or no verification pair to train on."""
    kinds = set(study.pairs.values_list("kind", flat=True))
    if Pair.Kind.TEST not in kinds:
        raise StudyNotReady(
            f"study {study.slug!r} has no pairs to show; import a stimulus set with at least two conditions first"
        )
    if Pair.Kind.VERIFICATION not in kinds:
        raise StudyNotReady(
            f"study {study.slug!r} has no verification pair; its stimulus set lists no verification stimulus"
        )


@transaction.atomic
def study_open(*, study: Study) -> Study:
    """Let participants in, after making the places that its quota needs, or raise StudyNotReady."""
    study_check_pairs(study)
    places_ensure(study=study, origin=Participant.Origin.REAL)
    return _study_set_status(study=study, status=Study.Status.OPEN)


def study_pause(*, study: Study) -> Study:
    """Stop everybody for now; votes already on their way are still kept."""
    return _study_set_status(study=study, status=Study.Status.PAUSED)


def study_close(*, study: Study) -> Study:
    """Let nobody new in; those inside may finish."""
    return _study_set_status(study=study, status=Study.Status.CLOSED)


@transaction.atomic
def study_set_design(*, study: Study, pairs_per_session: int, votes_per_pair: int) -> Study:
    """Set how many test pairs a participant sees and how many people a pair needs, or raise StudyError."""
    study.pairs_per_session, study.votes_per_pair = pairs_per_session, votes_per_pair
    try:
        study.full_clean()
    except ValidationError as error:
        raise StudyError(
            "; ".join(f"{name}: {' '.join(texts)}" for name, texts in error.message_dict.items())
        ) from None
    study.save(update_fields=["pairs_per_session", "votes_per_pair"])
    if study.status == Study.Status.OPEN:
        places_ensure(study=study, origin=Participant.Origin.REAL)
    return study


def _study_set_status(*, study: Study, status: str) -> Study:
    study.status = status
    study.save(update_fields=["status"])
    return study


def places_ensure(*, study: Study, origin: str) -> int:
    """Make the free trials that are missing from every test pair's quota and return how many were made.

    Sides alternate inside a pair's quota; whether a pair begins mirrored alternates too, so that the first
    participants do not see every pair the same way round. A quota that was lowered keeps its surplus places
    that somebody holds, and loses the free ones.
    """
    held = Trial.objects.filter(pair__study=study, origin=origin, kind=Trial.Kind.TEST, number__isnull=False)
    held.filter(state=Trial.State.FREE, number__gte=study.votes_per_pair).delete()
    counts = (
        study.pairs.filter(kind=Pair.Kind.TEST)
        .annotate(
            places=Count(
                "trials",
                filter=Q(
                    trials__origin=origin,
                    trials__kind=Trial.Kind.TEST,
                    trials__number__lt=study.votes_per_pair,
                )
                & ~Q(trials__state=Trial.State.EXPIRED),
            )
        )
        .order_by("id")
    )
    missing = {pair.pk: rank for rank, pair in enumerate(counts) if pair.places < study.votes_per_pair}
    if not missing:
        return 0
    there = set(held.filter(pair__in=missing).exclude(state=Trial.State.EXPIRED).values_list("pair_id", "number"))
    fresh = [
        Trial(
            pair_id=pair,
            kind=Trial.Kind.TEST,
            origin=origin,
            number=number,
            mirrored=bool((number + rank) % 2),
        )
        for pair, rank in missing.items()
        for number in range(study.votes_per_pair)
        if (pair, number) not in there
    ]
    return len(Trial.objects.bulk_create(fresh, batch_size=500, ignore_conflicts=True))
