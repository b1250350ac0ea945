"""Taking back one's answers: deleted, or kept without any tie to the person, as the study's setting says."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import F, Model, QuerySet
from django.utils import timezone

from studyserver.flow import ENDED
from studyserver.models import Exclusion, Invitation, Participant, Session, Study, Trial, Vote, Withdrawal
from studyserver.models.people import new_withdrawal_code
from studyserver.models.study_settings import new_token
from studyserver.pseudonyms import random_code
from studyserver.services.places import places_release, places_settle, places_vacate

__all__ = ["session_withdraw"]

_SESSION_MOMENTS = (
    "consented_at",
    "started_at",
    "first_pair_at",
    "completed_at",
    "ended_at",
    "lease_until",
    "left_at",
    "paid_at",
)


@transaction.atomic
def session_withdraw(*, session: Session, now: datetime | None = None) -> bool:
    """Delete or anonymise what a session stored, as its study says, and record that it happened, without whose.

    Returns False where it was withdrawn already, maybe by another request at this moment. Of a preview or a
    simulated participant no record is made.
    """
    now = now or timezone.now()
    # A vote under way holds the session as well: it is done before, or finds nothing.
    session = (
        Session.objects.select_for_update(of=("self",))
        .select_related("participant__study")
        .filter(pk=session.pk, withdrawal_code=session.withdrawal_code)
        .first()
    )
    if session is None:
        return False
    study, origin = session.participant.study, session.participant.origin
    votes = Vote.objects.filter(trial__session=session).count()
    _forget_the_person(session)
    if study.withdrawal == Study.Withdrawal.DELETE:
        _delete(session)
    else:
        _anonymise(session, now)
    if origin in (Participant.Origin.REAL, Participant.Origin.PILOT):
        Withdrawal.objects.create(study=study, done=study.withdrawal, votes=votes)
    return True


def _forget_the_person(session: Session) -> None:
    """Cut what the server's other records say about a person: the invitation and the log of the admin pages."""
    # The link stays used up. The moment of use would tell when somebody with a known label took part.
    invitations = Invitation.objects.filter(participant=session.participant)
    invitations.update(participant=None, used_at=F("created_at"))
    for record in (session, session.participant):
        entries = LogEntry.objects.filter(content_type=ContentType.objects.get_for_model(record), object_id=record.pk)
        entries.update(object_repr="withdrawn", change_message="")


def _delete(session: Session) -> None:
    places_vacate(session=session)
    Vote.objects.filter(trial__session=session).delete()
    Trial.objects.filter(session=session).delete()
    participant = session.participant
    session.delete()
    participant.delete()


def _anonymise(session: Session, now: datetime) -> None:
    """Keep the votes; nothing that is left says who gave them, or exactly when."""
    if session.state not in ENDED:
        # As if the person had gone away, which they have.
        places_release(session=session)
        places_settle(study=session.participant.study, sessions=[session])
    trials = Trial.objects.filter(session=session)
    since = session.consented_at - session.consented_at.replace(hour=0, minute=0, second=0, microsecond=0)
    _move(Vote.objects.filter(trial__in=trials), ["voted_at"], since)
    _move(trials, ["claimed_at", "presented_at"], since)
    _move(Session.objects.filter(pk=session.pk), _SESSION_MOMENTS, since)
    Session.objects.filter(pk=session.pk, lease_until__gt=now).exclude(state__in=ENDED).update(lease_until=now)
    Session.objects.filter(pk=session.pk).update(
        key=new_token(),
        withdrawal_code=new_withdrawal_code(),
        submission="",
        # It follows from the pseudonym.
        seed=0,
        environment={},
        calibration={},
        answers={},
    )
    code = random_code()
    Participant.objects.filter(pk=session.participant_id).update(code=code, created_at=F("created_at") - since)
    Exclusion.objects.filter(participant=session.participant).update(reason="reason erased when the person withdrew")


def _move(records: QuerySet[Model], moments: Iterable[str], since: timedelta) -> None:
    records.update(**{moment: F(moment) - since for moment in moments})
