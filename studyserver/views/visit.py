"""Who is asking, and which page they should be on: the server decides, every other address redirects there."""

import functools

from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.cache import never_cache

from studyserver.flow import ENDED, PAGES
from studyserver.models import Participant, Session, Study
from studyserver.pseudonyms import participant_code
from studyserver.selectors import session_for_key

__all__ = [
    "external_id",
    "is_preview",
    "page_of",
    "participant_page",
    "preview_address",
    "remember",
    "session_of",
    "session_of_external_id",
]

# Prolific's own name, and a general one.
_EXTERNAL_ID_PARAMETERS = ("PROLIFIC_PID", "participant")
_PEOPLE = (Participant.Origin.REAL, Participant.Origin.PILOT)
_PREVIEW_SALT = "studyserver.preview"
_PREVIEW_SECONDS = 12 * 3600
_COOKIE_SECONDS = 30 * 24 * 3600


def _cookie(study: Study) -> str:
    return f"visit_{study.pk}"


def remember(response: HttpResponse, request: HttpRequest, session: Session) -> HttpResponse:
    """Give the browser the signed cookie of its session, valid below the study's address only."""
    study = session.participant.study
    response.set_signed_cookie(
        _cookie(study),
        session.key,
        max_age=_COOKIE_SECONDS,
        path=reverse("landing", args=[study.slug]),
        httponly=True,
        secure=request.is_secure(),
        samesite="Lax",
    )
    return response


def session_of(request: HttpRequest, study: Study) -> Session | None:
    """Return the session of the request's cookie; a forged or foreign cookie is nobody's."""
    return session_for_key(study, request.get_signed_cookie(_cookie(study), default=""))


def external_id(request: HttpRequest) -> str | None:
    """Return the identifier with which a recruitment service sent the person."""
    for name in _EXTERNAL_ID_PARAMETERS:
        if value := request.GET.get(name, "").strip():
            return value[:200]
    return None


def session_of_external_id(study: Study, identifier: str) -> Session | None:
    """Return the session that the same person began before, on this or another device."""
    code = participant_code(salt=study.salt, external_id=identifier)
    return (
        Session.objects.select_related("participant__study")
        .filter(participant__study=study, participant__code=code)
        .first()
    )


def preview_address(study: Study) -> str:
    """Return an address that opens a study as a participant whose votes never count; it works for 12 hours."""
    token = signing.dumps(study.slug, salt=_PREVIEW_SALT)
    return f"{reverse('landing', args=[study.slug])}?preview={token}"


def is_preview(request: HttpRequest, study: Study) -> bool:
    """Return whether the address was made by `preview_address` for this study."""
    try:
        return signing.loads(request.GET.get("preview", ""), salt=_PREVIEW_SALT, max_age=_PREVIEW_SECONDS) == study.slug
    except signing.BadSignature:
        return False


def page_of(session: Session | None) -> str:
    """Return the name of the page a person should be on."""
    if session is None:
        return "landing"
    participant = session.participant
    stopped = participant.study.status == Study.Status.PAUSED and participant.origin in _PEOPLE
    return "landing" if stopped and session.state not in ENDED else PAGES[session.state]


def participant_page(name: str):
    """Make a view one of the participant's pages: it gets (request, study, session), or redirects to the right page."""

    def decorate(view):
        @never_cache
        @functools.wraps(view)
        def wrapper(request, slug):
            study = get_object_or_404(Study, slug=slug)
            session = session_of(request, study)
            page = page_of(session)
            if page != name:
                return redirect(page, slug=slug)
            return view(request, study, session)

        return wrapper

    return decorate
