"""Taking a session from one step to the next, or to an early end."""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from studyserver.errors import StudyFull
from studyserver.flow import ENDED, HOLDS_PLACES, next_state
from studyserver.models import Session, Trial
from studyserver.services.places import places_release, places_settle
from studyserver.services.planning import session_plan

__all__ = ["session_advance", "session_end"]


def session_advance(*, session: Session, now: datetime | None = None) -> Session:
    """Take a session from the step that it is at to the next and return it; of two requests at once, one does.

    Before the practice the session's places are taken; where there are none left the session ends as `full`. A
    practice for which the study has no pairs is passed over. Raises StudyNotReady where there is nothing to show.
    """
    now = now or timezone.now()
    study = session.participant.study
    leaving, following = session.state, next_state(study, session.state)
    changes = {"state": following}
    if following == Session.State.ACTIVE:
        changes["first_pair_at"] = now
    if following == Session.State.COMPLETED:
        changes |= {"completed_at": now, "ended_at": now}
    try:
        with transaction.atomic():
            moved = Session.objects.filter(pk=session.pk, state=leaving).update(**changes)
            if moved and following in HOLDS_PLACES and session.started_at is None:
                lease = now + timedelta(minutes=study.lease_minutes)
                Session.objects.filter(pk=session.pk).update(started_at=now, lease_until=lease)
                session_plan(session=session, now=now)
            session.refresh_from_db()
            if moved and leaving == Session.State.ACTIVE:
                places_settle(study=study, sessions=[session])
            if moved and following == Session.State.TRAINING and not _practises(session):
                return session_advance(session=session, now=now)
    except StudyFull:
        session.refresh_from_db()
        return session_end(session=session, state=Session.State.FULL, now=now)
    return session


@transaction.atomic
def session_end(*, session: Session, state: str, reason: str = "", now: datetime | None = None) -> Session:
    """End a session before its time as screened-out, full or technical; its places go back to the pool."""
    now = now or timezone.now()
    ended = (
        Session.objects.filter(pk=session.pk)
        .exclude(state__in=ENDED)
        .update(state=state, reason=reason[:200], ended_at=now)
    )
    session.refresh_from_db()
    if ended:
        places_release(session=session)
        places_settle(study=session.participant.study, sessions=[session])
    return session


def _practises(session: Session) -> bool:
    return session.trials.filter(kind=Trial.Kind.TRAINING).exists()
