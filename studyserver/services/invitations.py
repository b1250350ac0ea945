"""Links that let one person in, once: made for a researcher, used up by consent and by nothing else."""

from datetime import datetime

from django.db import transaction

from studyserver.errors import InvitationRefused
from studyserver.models import Invitation, Participant, Study

__all__ = ["MOST_INVITATIONS", "invitation_claim", "invitations_create"]

MOST_INVITATIONS = 10_000


@transaction.atomic
def invitations_create(*, study: Study, count: int, label: str = "") -> list[Invitation]:
    """Make `count` unused invitations with the researcher's note and return them. Raises InvitationRefused."""
    if not 1 <= count <= MOST_INVITATIONS:
        raise InvitationRefused(f"expected 1 to {MOST_INVITATIONS} invitations at a time, got {count}")
    return Invitation.objects.bulk_create([Invitation(study=study, label=label) for _ in range(count)], batch_size=500)


def invitation_claim(*, participant: Participant, token: str, now: datetime) -> None:
    """Use up an invitation for this participant, or raise InvitationRefused; of two people at once one gets it.

    To be called inside the transaction that made the participant, so that who comes too late leaves no trace.
    """
    unused = Invitation.objects.filter(study=participant.study_id, token=token, used_at=None)
    if unused.update(participant=participant, used_at=now) != 1:
        raise InvitationRefused("this invitation does not exist or somebody has used it")
