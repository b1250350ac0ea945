"""The ways in and out: invitation and consent, and the page of every outcome."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from studyserver.errors import StudyUnavailable
from studyserver.forms import ConsentForm
from studyserver.models import Participant, Session, Study
from studyserver.models.study_settings import new_token
from studyserver.pseudonyms import participant_code
from studyserver.selectors import session_outline, session_progress, study_has_places
from studyserver.services import session_start
from studyserver.views.visit import (
    external_id,
    is_preview,
    page_of,
    participant_page,
    remember,
    session_of,
    session_of_external_id,
)

__all__ = ["declined", "done", "landing"]


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def landing(request: HttpRequest, slug: str) -> HttpResponse:
    """Invitation and consent; people who began already are sent to where they were."""
    study = get_object_or_404(Study, slug=slug)
    preview, identifier = is_preview(request, study), external_id(request)
    session = None
    if identifier:
        session = session_of_external_id(study, identifier)
    elif not preview:
        session = session_of(request, study)
    if session and page_of(session) != "landing":
        return remember(redirect(page_of(session), slug=slug), request, session)
    if not preview and (why := _unavailable(study, session)):
        return render(request, "studyserver/unavailable.html", {"study": study, "why": why})
    if "decline" in request.POST:
        return redirect("declined", slug=slug)
    form = ConsentForm(request.POST or None, initial={"visit": new_token()})
    if request.method == "POST" and form.is_valid():
        origin = Participant.Origin.PREVIEW if preview else Participant.Origin.REAL
        # A page sent twice is one visit: its pseudonym follows from the number that the page carries.
        person = identifier or f"page {form.cleaned_data['visit']}"
        code = participant_code(salt=study.salt, external_id=person)
        try:
            session = session_start(study=study, code=code, origin=origin)
        except StudyUnavailable:
            return redirect("landing", slug=slug)
        return remember(redirect(page_of(session), slug=slug), request, session)
    context = {"study": study, "form": form, "preview": preview, "outline": session_outline(study)}
    return render(request, "studyserver/landing.html", context, status=400 if form.errors else 200)


def _unavailable(study: Study, session: Session | None) -> str | None:
    if study.status != Study.Status.OPEN:
        return study.status
    return None if session or study_has_places(study) else "full"


@never_cache
@require_safe
def declined(request: HttpRequest, slug: str) -> HttpResponse:
    """Goodbye to a person who does not take part; nothing about them was stored."""
    return render(request, "studyserver/declined.html", {"study": get_object_or_404(Study, slug=slug)})


@require_safe
@participant_page("done")
def done(request: HttpRequest, study: Study, session: Session) -> HttpResponse:
    """Thanks, and the completion code."""
    answered, _ = session_progress(session)
    return render(request, "studyserver/done.html", {"study": study, "session": session, "answered": answered})
