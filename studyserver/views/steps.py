"""The steps with a form before and after the pairs: instructions, calibration, quiz, questionnaire."""

from collections.abc import Callable, Iterable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from studyserver.calibration import CARD_CM, CARD_CSS_PX, DISTANCE_CM
from studyserver.errors import InvalidAnswer, StudyNotReady
from studyserver.models import Session, Study
from studyserver.questionnaire import MAX_COMMENT, QUESTIONS
from studyserver.quiz import quiz_of
from studyserver.services import (
    session_advance,
    session_answer_questionnaire,
    session_answer_quiz,
    session_calibrate,
    session_renew_lease,
)
from studyserver.views.visit import page_of, participant_page

__all__ = ["calibration", "instructions", "questionnaire", "quiz"]


@require_http_methods(["GET", "HEAD", "POST"])
@participant_page("instructions")
def instructions(request: HttpRequest, study: Study, session: Session) -> HttpResponse:
    """What to look for and which keys to press."""
    if request.method == "POST":
        return _go_on(request, study, lambda: session_advance(session=session))
    return render(request, "studyserver/instructions.html", {"study": study, "session": session})


@require_http_methods(["GET", "HEAD", "POST"])
@participant_page("calibration")
def calibration(request: HttpRequest, study: Study, session: Session) -> HttpResponse:
    """A bank card gives the size of the screen's pixels; the distance is the person's own estimate."""
    errors = {}
    if request.method == "POST":
        data = None if "skip" in request.POST else request.POST
        try:
            return _go_on(request, study, lambda: session_calibrate(session=session, data=data))
        except InvalidAnswer as error:
            errors = error.fields
    context = {
        "study": study,
        "errors": errors,
        "given": request.POST,
        "card": {"cm": CARD_CM, "least": CARD_CSS_PX[0], "most": CARD_CSS_PX[1]},
        "distance": {"least": DISTANCE_CM[0], "most": DISTANCE_CM[1]},
    }
    return render(request, "studyserver/calibration.html", context, status=400 if errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@participant_page("quiz")
def quiz(request: HttpRequest, study: Study, session: Session) -> HttpResponse:
    """Questions about the instructions; the right answers stay here."""
    session_renew_lease(session=session)
    attempt = len(session.quiz) + 1
    errors = {}
    if request.method == "POST":
        given = request.POST.get("attempt", "")
        number = int(given) if given.isascii() and given.isdigit() and len(given) < 4 else 0
        try:
            return _go_on(
                request, study, lambda: session_answer_quiz(session=session, attempt=number, data=request.POST)
            )
        except InvalidAnswer as error:
            errors = error.fields
    questions = quiz_of(session, attempt)
    last = session.quiz[-1]["right"] if session.quiz else {}
    context = {
        "study": study,
        "session": session,
        "attempt": attempt,
        "left": study.quiz_attempts - attempt,
        **_asked(request, questions, errors),
        "right": sum(last.values()),
        "asked": len(last),
        "again": {question.section for question in questions if last.get(question.name) is False},
    }
    return render(request, "studyserver/quiz.html", context, status=400 if errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@participant_page("questionnaire")
def questionnaire(request: HttpRequest, study: Study, session: Session) -> HttpResponse:
    """Questions about the person and the place; each may be left out."""
    errors = {}
    if request.method == "POST":
        try:
            return _go_on(request, study, lambda: session_answer_questionnaire(session=session, data=request.POST))
        except InvalidAnswer as error:
            errors = error.fields
    context = {"study": study, **_asked(request, QUESTIONS, errors), "most": MAX_COMMENT}
    return render(request, "studyserver/questionnaire.html", context, status=400 if errors else 200)


def _asked(request: HttpRequest, questions: Iterable, errors: dict[str, str]) -> dict:
    """The questions of a page, each with what was given and what is wrong with it, and all that is wrong in short."""
    given = [(question, request.POST.get(question.name, ""), errors.get(question.name, "")) for question in questions]
    return {
        "questions": given,
        "errors": errors,
        "summary": {question.name: f"{question.text} {error}" for question, _, error in given if error},
    }


def _go_on(request: HttpRequest, study: Study, step: Callable[[], Session]) -> HttpResponse:
    """Redirect to the page that a step leads to, or say that the study has nothing to show."""
    try:
        session = step()
    except StudyNotReady:
        return render(request, "studyserver/unavailable.html", {"study": study, "why": "draft"})
    return redirect(page_of(session), slug=study.slug)
