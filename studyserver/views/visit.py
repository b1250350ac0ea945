"""Who is asking, and which page they should be on: the server decides, every other address redirects there."""

import functools

from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.cache import never_cache

from studyserver.flow import ENDED, PAGES
from studyserver.models import Participant, Session, Study
from studyserver.selectors import session_for_key

__all__ = [
    "drop",
    "forget",
    "invitation_address",
    "is_preview",
    "keep",
    "page_of",
    "participant_page",
    "preview_address",
    "remember",
    "session_of",
    "simulated_address",
    "simulated_code",
]

_PEOPLE = (Participant.Origin.REAL, Participant.Origin.PILOT)
_PREVIEW_SALT = "studyserver.preview"
_SIMULATED_SALT = "studyserver.simulated"
_SIGNED_SECONDS = 12 * 3600
_COOKIE_SECONDS = 30 * 24 * 3600


def _cookie(study: Study) -> str:
    return f"visit_{study.pk}"


def keep(
    response: HttpResponse, request: HttpRequest, study: Study, name: str, value: str, seconds: int
) -> HttpResponse:
    """Give the browser a signed cookie, valid below the study's address only."""
    response.set_signed_cookie(
        name,
        value,
        max_age=seconds,
        path=reverse("landing", args=[study.slug]),
        httponly=True,
        secure=request.is_secure(),
        samesite="Lax",
    )
    return response


def drop(response: HttpResponse, study: Study, name: str) -> HttpResponse:
    """Take a cookie that `keep` gave back from the browser."""
    response.delete_cookie(name, path=reverse("landing", args=[study.slug]), samesite="Lax")
    return response


def remember(response: HttpResponse, request: HttpRequest, session: Session) -> HttpResponse:
    """Give the browser the cookie of its session."""
    study = session.participant.study
    return keep(response, request, study, _cookie(study), session.key, _COOKIE_SECONDS)


def forget(response: HttpResponse, study: Study) -> HttpResponse:
    """Take the cookie of its session back from the browser."""
    return drop(response, study, _cookie(study))


def session_of(request: HttpRequest, study: Study) -> Session | None:
    """Return the session of the request's cookie; a forged or foreign cookie is nobody's."""
    return session_for_key(study, request.get_signed_cookie(_cookie(study), default=""))


def invitation_address(study: Study, token: str) -> str:
    """Return the address of a single-use invitation."""
    return f"{reverse('landing', args=[study.slug])}?invitation={token}"


def preview_address(study: Study) -> str:
    """Return an address that opens a study as a participant whose votes never count; it works for 12 hours."""
    token = signing.dumps(study.slug, salt=_PREVIEW_SALT)
    return f"{reverse('landing', args=[study.slug])}?preview={token}"


def is_preview(request: HttpRequest, study: Study) -> bool:
    """Return whether the address was made by `preview_address` for this study."""
    return _signed(request, "preview", _PREVIEW_SALT) == study.slug


def simulated_address(study: Study, code: str) -> str:
    """Return an address that opens a study, in any status, as the simulated participant `code`, for 12 hours."""
    token = signing.dumps([study.slug, code], salt=_SIMULATED_SALT)
    return f"{reverse('landing', args=[study.slug])}?simulate={token}"


def simulated_code(request: HttpRequest, study: Study) -> str | None:
    """Return the pseudonym in an address that was made by `simulated_address` for this study."""
    slug, code = _signed(request, "simulate", _SIMULATED_SALT) or (None, None)
    return code if slug == study.slug else None


def _signed(request: HttpRequest, parameter: str, salt: str):
    try:
        return signing.loads(request.GET.get(parameter, ""), salt=salt, max_age=_SIGNED_SECONDS)
    except signing.BadSignature:
        return None


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
