"""Leaving a participant's votes out, by a researcher's decision, and taking them in again."""

from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from studyserver.errors import InvalidExclusion
from studyserver.flow import ENDED
from studyserver.models import Exclusion, Participant, Session
from studyserver.services.places import places_settle

__all__ = ["exclusion_lift", "participant_exclude"]


@transaction.atomic
def participant_exclude(*, participant: Participant, reason: str, author: str = "") -> Exclusion:
    """Let none of a participant's votes count, and return the record of it; who is excluded already stays so.

    The votes are kept, and their places go back to the quota. Raises InvalidExclusion without a reason.
    """
    reason = reason.strip()
    most = Exclusion._meta.get_field("reason").max_length
    if not 0 < len(reason) <= most:
        raise InvalidExclusion(f"an exclusion needs a reason of 1 to {most} characters, got {len(reason)}")
    _hold(participant)
    there = participant.exclusions.filter(lifted_at=None).first()
    if there:
        return there
    exclusion = Exclusion.objects.create(participant=participant, reason=reason, author=author)
    _settle(participant)
    return exclusion


@transaction.atomic
def exclusion_lift(*, participant: Participant, author: str = "", now: datetime | None = None) -> bool:
    """Let a participant's votes count again as the rule says, and return whether there was an exclusion to lift.

    The record of it stays. Votes take their places back where nobody else has taken them yet.
    """
    _hold(participant)
    lifted = participant.exclusions.filter(lifted_at=None).update(lifted_at=now or timezone.now(), lifted_by=author)
    if lifted:
        _settle(participant)
    return bool(lifted)


def _hold(participant: Participant) -> None:
    """Wait for a vote, a withdrawal or another researcher's decision under way; each finds what the one before did."""
    Session.objects.select_for_update(of=("self",)).filter(participant=participant).first()


def _settle(participant: Participant) -> None:
    # Somebody under way keeps their places until the end: the exclusion may be lifted before.
    gone = Q(state__in=ENDED) | Q(lease_until__lt=timezone.now())
    places_settle(study=participant.study, sessions=Session.objects.filter(gone, participant=participant))
