"""Who is paid what under the pay rule of a study, and what the study costs."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from studyserver.models import Pair, Participant, Rule, Session, Study, Trial
from studyserver.outcomes import Outcome
from studyserver.pseudonyms import participant_code
from studyserver.selectors.rules import rule_in_force, rule_of
from studyserver.verdicts import judge_payment

__all__ = ["PaymentRow", "StudyCost", "payment_rows", "study_cost"]

_CENT = Decimal("0.01")
_PEOPLE = (Participant.Origin.REAL, Participant.Origin.PILOT)
_OUTCOMES = {
    Session.State.COMPLETED: Outcome.COMPLETED,
    Session.State.SCREENED_OUT: Outcome.SCREENED_OUT,
    Session.State.FULL: Outcome.FULL,
    Session.State.TECHNICAL: Outcome.TECHNICAL,
}


@dataclass(frozen=True)
class PaymentRow:
    """One session and what it is paid. `session` is its key, `pay` is full, partial or none; money in the study's
    currency, without the fee of the recruitment service.

    `identifier`: the service's own name of the person, where a list of them was given; it is never stored.
    """

    session: int
    identifier: str
    service: str
    submission: str
    participant: str
    origin: str
    outcome: str
    code: str
    pay: str
    amount: Decimal
    currency: str
    reason: str
    paid_at: datetime | None
    paid_amount: Decimal | None


def payment_rows(
    study: Study,
    *,
    sessions: Iterable[Session] | None = None,
    identifiers: Iterable[str] = (),
    origins: Iterable[str] = _PEOPLE,
) -> list[PaymentRow]:
    """Return what each session of a study is paid, in the order of arrival; of these sessions only, where given.

    `identifiers`: names of people as the recruitment service has them; each is matched through its pseudonym.
    """
    rule = rule_of(rule_in_force(study, Rule.Purpose.PAY))
    amounts = {"full": study.reward, "partial": study.partial_reward, "none": Decimal(0)}
    names = {participant_code(salt=study.salt, external_id=name): name for name in identifiers}
    found = Session.objects.filter(participant__study=study, participant__origin__in=list(origins))
    if sessions is not None:
        found = found.filter(pk__in=[session.pk for session in sessions])
    rows = []
    for session in found.select_related("participant").order_by("id"):
        verdict = judge_payment(session.state, session.first_pair_at is not None, session.reason, rule)
        outcome = _OUTCOMES.get(session.state)
        rows.append(
            PaymentRow(
                session=session.pk,
                identifier=names.get(session.participant.code, ""),
                service=session.service,
                submission=session.submission,
                participant=session.participant.code,
                origin=session.participant.origin,
                outcome=session.state,
                code=getattr(study, outcome.value) if outcome else "",
                pay=verdict.pay,
                amount=amounts[verdict.pay],
                currency=study.currency,
                reason=verdict.reason,
                paid_at=session.paid_at,
                paid_amount=session.paid_amount,
            )
        )
    return rows


@dataclass(frozen=True)
class StudyCost:
    """Money in the study's currency. `paid` and `owed` are without the service's fee, `fee` is that of both, `spent`
    is all three together; `per_finished` is `spent` over the people paid in full, and `to_end` what the study will
    have cost when every pair has its votes at this rate. None where nobody has finished yet.
    """

    currency: str
    paid: Decimal
    owed: Decimal
    fee: Decimal
    spent: Decimal
    per_finished: Decimal | None
    to_end: Decimal | None
    people_paid: int
    people_partly_paid: int


def study_cost(study: Study, origin: str = Participant.Origin.REAL) -> StudyCost:
    """Return what a study costs so far, paid or owed, and to its end."""
    rows = payment_rows(study, origins=[origin])
    paid = sum((row.paid_amount for row in rows if row.paid_at), Decimal(0))
    owed = sum((row.amount for row in rows if not row.paid_at), Decimal(0))
    fee = ((paid + owed) * study.fee_percent / 100).quantize(_CENT, ROUND_HALF_UP)
    spent = paid + owed + fee
    finished = sum(row.pay == "full" for row in rows)
    held = Trial.objects.filter(
        pair__study=study,
        pair__kind=Pair.Kind.TEST,
        origin=origin,
        state=Trial.State.ANSWERED,
        number__lt=study.votes_per_pair,
    ).count()
    quota = study.votes_per_pair * study.pairs.filter(kind=Pair.Kind.TEST).count()
    to_end = spent + spent * (quota - held) / held if finished and held else None
    return StudyCost(
        currency=study.currency,
        paid=paid,
        owed=owed,
        fee=fee,
        spent=spent,
        per_finished=(spent / finished).quantize(_CENT, ROUND_HALF_UP) if finished else None,
        to_end=to_end.quantize(_CENT, ROUND_HALF_UP) if to_end is not None else None,
        people_paid=finished,
        people_partly_paid=sum(row.pay == "partial" for row in rows),
    )
