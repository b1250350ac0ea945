"""What participants answer and their browsers measure before and after the pairs, stored step by step."""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from studyserver import device
from studyserver.calibration import read_calibration
from studyserver.errors import DeviceRefused
from studyserver.models import Session
from studyserver.questionnaire import read_answers
from studyserver.quiz import quiz_of, score
from studyserver.selectors import device_facts
from studyserver.services.presentation import presentation_for
from studyserver.services.steps import session_advance, session_end

__all__ = [
    "session_answer_questionnaire",
    "session_answer_quiz",
    "session_calibrate",
    "session_check_device",
    "session_give_up_device",
    "session_pass_setup",
]

State = Session.State


@transaction.atomic
def session_check_device(*, session: Session, measured: object) -> tuple[device.Problem, ...]:
    """Judge what the browser measured, store both, and return the problems.

    Where the study leaves the presentation open, the screen decides it here. A session that is past the check, or
    not yet at it, is judged and stays as it is. Raises InvalidMeasurement.
    """
    record = device.read_measurement(measured)
    study = session.participant.study
    sizes = device.physical(record)
    presentation = presentation_for(study, room=sizes["screen_width_px"])
    facts = device_facts(study, presentation)
    problems = device.judge(record, facts)
    seconds = device.load_seconds(record, facts)
    locked = Session.objects.select_for_update(of=("self",)).get(pk=session.pk)
    if locked.state == State.SETUP:
        locked.presentation = presentation
        locked.environment = {
            **record,
            **sizes,
            "load_seconds": None if seconds is None else round(seconds, 1),
            "problems": [problem.name for problem in problems],
            "lasting": next((problem.name for problem in problems if problem.lasting), ""),
            "checks": locked.environment.get("checks", 0) + 1,
        }
        locked.save(update_fields=["environment", "presentation"])
        session.refresh_from_db()
    return problems


@transaction.atomic
def session_pass_setup(*, session: Session, now: datetime | None = None) -> Session:
    """Go on from the check of the device; raises DeviceRefused where the latest found a problem, or none was made."""
    locked = Session.objects.select_for_update(of=("self",)).get(pk=session.pk)
    if locked.state != State.SETUP:
        return locked
    if locked.environment.get("problems") != []:
        raise DeviceRefused("the device was not found good; check it again")
    return session_advance(session=locked, now=now)


@transaction.atomic
def session_give_up_device(*, session: Session, now: datetime | None = None) -> Session:
    """End the session as technical because its person cannot mend what the check found; raises DeviceRefused.

    Only what a person cannot mend ends it: nobody is paid for a window that is too small.
    """
    locked = Session.objects.select_for_update(of=("self",)).get(pk=session.pk)
    if locked.state != State.SETUP:
        return locked
    if not locked.environment.get("lasting"):
        raise DeviceRefused("the check found nothing that cannot be mended")
    return session_end(session=locked, state=State.TECHNICAL, reason=locked.environment["lasting"], now=now)


@transaction.atomic
def session_calibrate(*, session: Session, data: Mapping[str, str] | None, now: datetime | None = None) -> Session:
    """Store the calibration in a form's fields and go on; None passes over it, where the study lets people.

    A session that is elsewhere stays as it is. Raises InvalidAnswer.
    """
    study = session.participant.study
    skipped = data is None and study.calibration != study.Calibration.REQUIRED
    calibration = {"skipped": True} if skipped else read_calibration(data or {})
    if Session.objects.filter(pk=session.pk, state=State.CALIBRATION).update(calibration=calibration):
        session.refresh_from_db()
        return session_advance(session=session, now=now)
    session.refresh_from_db()
    return session


@transaction.atomic
def session_answer_quiz(
    *, session: Session, attempt: int, data: Mapping[str, str], now: datetime | None = None
) -> Session:
    """Score the numbered try (from 1) and keep it; go on where all is right, screen out after the last wrong one.

    The same try again, or one out of turn, changes nothing. Raises InvalidAnswer.
    """
    locked = Session.objects.select_for_update(of=("self",)).get(pk=session.pk)
    if locked.state != State.QUIZ or attempt != len(locked.quiz) + 1:
        return locked
    study = session.participant.study
    result = score(quiz_of(session, attempt), data)
    locked.quiz = [*locked.quiz, result]
    locked.save(update_fields=["quiz"])
    if result["passed"]:
        return session_advance(session=locked, now=now)
    if attempt >= study.quiz_attempts:
        return session_end(session=locked, state=State.SCREENED_OUT, reason="quiz", now=now)
    return locked


@transaction.atomic
def session_answer_questionnaire(*, session: Session, data: Mapping[str, str], now: datetime | None = None) -> Session:
    """Store the answers in a form's fields and finish; a session that is elsewhere stays as it is.

    Raises InvalidAnswer.
    """
    answers = read_answers(data)
    if Session.objects.filter(pk=session.pk, state=State.QUESTIONNAIRE).update(answers=answers):
        session.refresh_from_db()
        return session_advance(session=session, now=now)
    session.refresh_from_db()
    return session
