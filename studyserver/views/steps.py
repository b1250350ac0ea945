"""The steps before and after the pairs: instructions, check of the device, calibration, quiz, questionnaire."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from studyserver.errors import StudyNotReady
from studyserver.models import Session, Study
from studyserver.services import session_advance
from studyserver.views.visit import page_of, participant_page

__all__ = ["instructions"]


@require_http_methods(["GET", "HEAD", "POST"])
@participant_page("instructions")
def instructions(request: HttpRequest, study: Study, session: Session) -> HttpResponse:
    """What to look for and which keys to press."""
    if request.method == "POST":
        try:
            session = session_advance(session=session)
        except StudyNotReady:
            return render(request, "studyserver/unavailable.html", {"study": study, "why": "draft"})
        return redirect(page_of(session), slug=study.slug)
    return render(request, "studyserver/instructions.html", {"study": study})
