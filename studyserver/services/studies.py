"""Writes to a study as a whole: its status, its settings and the free places of its quota."""

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from studyserver.errors import StudyError, StudyNotReady
from studyserver.flow import HOLDS_PLACES
from studyserver.models import ConsentText, Pair, Participant, Rule, Session, Study
from studyserver.rules import default_rules
from studyserver.services.places import places_ensure
from studyserver.services.readiness import study_require_ready

__all__ = [
    "study_check_pairs",
    "study_check_slug",
    "study_close",
    "study_open",
    "study_pause",
    "study_pilot",
    "study_records_ensure",
    "study_set_design",
]

_ORIGINS = {Study.Status.OPEN: Participant.Origin.REAL, Study.Status.PILOT: Participant.Origin.PILOT}


def study_check_slug(slug: str) -> None:
    """Raise StudyError where `slug` cannot be part of an address."""
    try:
        Study._meta.get_field("slug").clean(slug, None)
    except ValidationError:
        raise StudyError(
            f"a study's short name is at most 50 letters, digits, hyphens and underscores, got {slug[:60]!r}"
        ) from None


def study_check_pairs(study: Study) -> None:
    """Raise StudyNotReady when the study has no test pair, or asks for verification pairs and has none."""
    kinds = set(study.pairs.order_by().values_list("kind", flat=True).distinct())
    if Pair.Kind.TEST not in kinds:
        raise StudyNotReady(
            f"study {study.slug!r} has no pairs to show; import a stimulus set with at least two conditions first"
        )
    if Pair.Kind.VERIFICATION not in kinds and (study.training_pairs or study.verification_pairs):
        raise StudyNotReady(
            f"study {study.slug!r} has no verification pair; its stimulus set lists no verification stimulus"
        )


def study_open(*, study: Study, now: datetime | None = None) -> Study:
    """Let participants in, for the first time or again, after making the places that the quota needs.

    After a pause the clocks of those inside (their lease, and the longest time of a session) go on where they
    stopped. Raises StudyNotReady.
    """
    return _let_in(study, Study.Status.OPEN, now)


def study_pilot(*, study: Study, now: datetime | None = None) -> Study:
    """Let participants in whose votes are marked as pilot and have a quota of their own, or raise StudyNotReady."""
    return _let_in(study, Study.Status.PILOT, now)


def _let_in(study: Study, status: Study.Status, now: datetime | None) -> Study:
    study_check_pairs(study)
    # Outside of the transaction: other studies' votes would wait while the files are read.
    if study.status != status:
        study_require_ready(study=study, pilot=status == Study.Status.PILOT)
    with transaction.atomic():
        places_ensure(study=study, origin=_ORIGINS[status])
        return _study_set_status(study=study, status=status, now=now)


def study_pause(*, study: Study, now: datetime | None = None) -> Study:
    """Stop everybody for now: nobody enters or goes on; votes already on their way are still kept.

    Those inside keep their places. Raises StudyError for a study that nobody is in.
    """
    _require_status(study, "paused", Study.Status.OPEN, Study.Status.PILOT, Study.Status.PAUSED)
    return _study_set_status(study=study, status=Study.Status.PAUSED, now=now)


def study_close(*, study: Study, now: datetime | None = None) -> Study:
    """Let nobody new in; those inside may finish. Raises StudyError for a study that was never open."""
    _require_status(study, "closed", *(status for status in Study.Status if status != Study.Status.DRAFT))
    return _study_set_status(study=study, status=Study.Status.CLOSED, now=now)


def _require_status(study: Study, change: str, *statuses: str) -> None:
    if study.status not in statuses:
        raise StudyError(
            f"study {study.slug!r} is {study.status}, so it cannot be {change}; open it or begin its pilot first"
        )


@transaction.atomic
def _study_set_status(*, study: Study, status: str, now: datetime | None) -> Study:
    now = now or timezone.now()
    # What the caller holds may be older than another tab's click.
    before = Study.objects.select_for_update().get(pk=study.pk).status
    if before == Study.Status.PAUSED and status != before:
        _clocks_move(study, now)
    study.status = status
    study._history_date = now
    study.save(update_fields=["status"])
    del study._history_date
    return study


def _clocks_move(study: Study, now: datetime) -> None:
    """Move the clocks of those inside by the length of the pause that ends."""
    records = study.history.all()
    last = records.exclude(status=Study.Status.PAUSED).order_by("-history_date", "-history_id").first()
    paused = records.filter(status=Study.Status.PAUSED)
    if last:
        paused = paused.filter(history_id__gt=last.history_id)
    began = paused.order_by("history_id").first()
    if began:
        pause = now - began.history_date
        Session.objects.filter(participant__study=study, state__in=HOLDS_PLACES).update(
            lease_until=F("lease_until") + pause, first_pair_at=F("first_pair_at") + pause
        )


@transaction.atomic
def study_set_design(*, study: Study, **settings) -> Study:
    """Change settings of a study, its fields by name; one that people are in gets the places it now needs.

    Another consent text is a new version of it. Raises StudyError.
    """
    if settings.get("consent_text", study.consent_text) != study.consent_text:
        settings["consent_version"] = study.consent_version + 1
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
    if origin := _ORIGINS.get(study.status):
        places_ensure(study=study, origin=origin)
    return study


def study_records_ensure(*, study: Study) -> None:
    """Keep the consent text of the present version, and give a new study its first rules."""
    ConsentText.objects.get_or_create(study=study, version=study.consent_version, defaults={"text": study.consent_text})
    for purpose, settings in default_rules().items():
        if not study.rules.filter(purpose=purpose).exists():
            Rule.objects.create(study=study, purpose=purpose, version=1, settings=settings, note="As first set.")
