"""Previews: visits to a study that never count, and can be taken away without a trace."""

from django.db import transaction

from studyserver.errors import StudyError
from studyserver.models import Participant, Session, Trial, Vote

__all__ = ["preview_delete"]


@transaction.atomic
def preview_delete(*, session: Session) -> None:
    """Delete the visit of a preview with its trials and votes; raises StudyError for anybody else's."""
    participant = session.participant
    if participant.origin != Participant.Origin.PREVIEW:
        raise StudyError(f"{session} is not a preview's; only previews are deleted")
    Vote.objects.filter(trial__session=session).delete()
    Trial.objects.filter(session=session).delete()
    session.delete()
    participant.delete()
