"""Entering a study: consent makes a participant and a session, once per person."""

import hashlib
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from studyserver.errors import StudyUnavailable
from studyserver.flow import HOLDS_PLACES
from studyserver.models import Participant, Session, Study

__all__ = ["session_renew_lease", "session_start"]


@transaction.atomic
def session_start(
    *,
    study: Study,
    code: str,
    origin: str = Participant.Origin.REAL,
    now: datetime | None = None,
) -> Session:
    """Record consent and return the session: a new one, or the one that this person already has.

    `code` is the person's pseudonym. Previews and simulations enter a study in any status; real people an open
    one only, else StudyUnavailable.
    """
    now = now or timezone.now()
    there = Session.objects.filter(participant__study=study, participant__code=code).first()
    if there:
        return there
    needed = {Participant.Origin.REAL: Study.Status.OPEN, Participant.Origin.PILOT: Study.Status.PILOT}
    if needed.get(origin, study.status) != study.status:
        raise StudyUnavailable(f"study {study.slug!r} is {study.status}; nobody new can enter")
    participant, _ = Participant.objects.get_or_create(study=study, code=code, defaults={"origin": origin})
    digest = hashlib.sha256(f"{study.seed}:{code}".encode()).digest()
    session, _ = Session.objects.get_or_create(
        participant=participant,
        defaults={
            "seed": int.from_bytes(digest[:6]),
            "consent_version": study.consent_version,
            "consented_at": now,
            "lease_until": now + timedelta(minutes=study.lease_minutes),
        },
    )
    return session


def session_renew_lease(*, session: Session, now: datetime | None = None) -> None:
    """Keep an active participant's places for another lease."""
    until = (now or timezone.now()) + timedelta(minutes=session.participant.study.lease_minutes)
    Session.objects.filter(pk=session.pk, state__in=HOLDS_PLACES).update(lease_until=until)
