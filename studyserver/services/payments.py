"""Noting who was paid."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from studyserver.models import Session, Study
from studyserver.selectors import payment_rows

__all__ = ["sessions_mark_paid", "sessions_mark_unpaid"]


@transaction.atomic
def sessions_mark_paid(*, study: Study, sessions: Iterable[Session], now: datetime | None = None) -> int:
    """Note for these sessions of a study that they were paid what the pay rule gives them, and return for how many.

    Those who get nothing, and those already paid, are passed over.
    """
    now = now or timezone.now()
    due = [row for row in payment_rows(study, sessions=sessions) if row.amount and row.paid_at is None]
    return sum(
        Session.objects.filter(pk=row.session, paid_at=None).update(paid_at=now, paid_amount=row.amount) for row in due
    )


def sessions_mark_unpaid(*, sessions: Iterable[Session]) -> int:
    """Take back that these sessions were paid, and return for how many."""
    return (
        Session.objects.filter(pk__in=[session.pk for session in sessions])
        .exclude(paid_at=None)
        .update(paid_at=None, paid_amount=None)
    )
