"""Entering a study: consent makes a participant and a session, once per person."""

import hashlib
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from studyserver.errors import StudyUnavailable
from studyserver.flow import ENDED, HOLDS_PLACES
from studyserver.models import ConsentText, Participant, Session, Study
from studyserver.services.invitations import invitation_claim
from studyserver.services.presentation import presentation_for

__all__ = ["session_note_submission", "session_renew_lease", "session_start"]


@transaction.atomic
def session_start(
    *,
    study: Study,
    code: str,
    origin: str = Participant.Origin.REAL,
    service: str = "",
    submission: str = "",
    invitation: str = "",
    now: datetime | None = None,
) -> Session:
    """Record consent and return the session: a new one, or the one that this person already has.

    `code` is the person's pseudonym, `service` and `submission` say who recruited them, `invitation` is the token of
    the link that let them in, which is then used. Previews and simulations enter a study in any status; real people
    an open one only, pilots one in pilot, else StudyUnavailable. Raises InvitationRefused where a new person has no
    unused invitation and the study or the address asks for one.
    """
    now = now or timezone.now()
    there = Session.objects.filter(participant__study=study, participant__code=code).first()
    if there:
        return there
    needed = {Participant.Origin.REAL: Study.Status.OPEN, Participant.Origin.PILOT: Study.Status.PILOT}
    if needed.get(origin, study.status) != study.status:
        raise StudyUnavailable(f"study {study.slug!r} is {study.status}; nobody new can enter")
    ConsentText.objects.get_or_create(study=study, version=study.consent_version, defaults={"text": study.consent_text})
    participant, _ = Participant.objects.get_or_create(study=study, code=code, defaults={"origin": origin})
    digest = hashlib.sha256(f"{study.seed}:{code}".encode()).digest()
    session, created = Session.objects.get_or_create(
        participant=participant,
        defaults={
            "seed": int.from_bytes(digest[:6]),
            "presentation": presentation_for(study),
            "consent_version": study.consent_version,
            "consented_at": now,
            "lease_until": now + timedelta(minutes=study.lease_minutes),
            "service": service,
            "submission": submission,
        },
    )
    if created and (invitation or (study.invitation_only and origin in needed)):
        invitation_claim(participant=participant, token=invitation, now=now)
    return session


def session_note_submission(*, session: Session, service: str, submission: str) -> None:
    """Keep the submission under which somebody comes again who gave up an earlier one; a finished session keeps its."""
    if submission and session.state not in ENDED and submission != session.submission:
        Session.objects.filter(pk=session.pk).exclude(state__in=ENDED).update(service=service, submission=submission)


def session_renew_lease(*, session: Session, now: datetime | None = None) -> None:
    """Keep an active participant's places for another lease."""
    until = (now or timezone.now()) + timedelta(minutes=session.participant.study.lease_minutes)
    Session.objects.filter(pk=session.pk, state__in=HOLDS_PLACES).update(lease_until=until)
