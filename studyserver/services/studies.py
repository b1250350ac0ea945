"""Writes to a study as a whole: its status and the free places of its quota."""

from django.core.exceptions import ValidationError
from django.db import transaction

from studyserver.errors import StudyError, StudyNotReady
from studyserver.models import ConsentText, Pair, Participant, Rule, Study
from studyserver.rules import default_rules
from studyserver.services.places import places_ensure

__all__ = [
    "study_check_pairs",
    "study_check_slug",
    "study_close",
    "study_open",
    "study_pause",
    "study_records_ensure",
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
def study_set_design(*, study: Study, **settings) -> Study:
    """Change settings of a study, its fields by name; an open one gets the places it now needs. Raises StudyError."""
    for name, value in settings.items():
        setattr(study, name, value)
    try:
        study.full_clean()
    except ValidationError as error:
        raise StudyError(
            "; ".join(f"{name}: {' '.join(texts)}" for name, texts in error.message_dict.items())
        ) from None
    study.save(update_fields=list(settings))
    study_records_ensure(study=study)
    if study.status == Study.Status.OPEN:
        places_ensure(study=study, origin=Participant.Origin.REAL)
    return study


def study_records_ensure(*, study: Study) -> None:
    """Keep the consent text of the present version, and give a new study its first rules."""
    ConsentText.objects.get_or_create(study=study, version=study.consent_version, defaults={"text": study.consent_text})
    for purpose, settings in default_rules().items():
        if not study.rules.filter(purpose=purpose).exists():
            Rule.objects.create(study=study, purpose=purpose, version=1, settings=settings, note="As first set.")


def _study_set_status(*, study: Study, status: str) -> Study:
    study.status = status
    study.save(update_fields=["status"])
    return study
