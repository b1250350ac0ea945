"""In which language a page is: the study's own, else what the participant chose, else what the browser asks for."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.translation import activate, get_language, get_language_from_request, override

from studyserver.selectors import study_language

__all__ = ["PageLanguage"]

_PARAMETER = "language"
_COOKIE_SECONDS = 30 * 24 * 3600


class PageLanguage:
    """Middleware that sets the language of every page, reply and error; the admin is English.

    `?language=de` in a study's address chooses, where the study leaves it open; a cookie below that address keeps it.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.path_info.startswith(reverse("admin:index")):
            with override(settings.LANGUAGE_CODE):
                return self.get_response(request)
        # Left again afterwards: the next request of this thread may be anybody's.
        with override(get_language_from_request(request)):
            response = self.get_response(request)
            response.headers.setdefault("Content-Language", get_language())
        patch_vary_headers(response, ("Accept-Language", "Cookie"))
        return _remember(response, request)

    def process_view(self, request, view, args, kwargs):
        """Set a study's language before anything can be refused: refusals are read, too."""
        slug = kwargs.get("slug")
        if slug is None:
            return
        chosen = request.GET.get(_PARAMETER)
        fixed = study_language(slug)
        if fixed:
            activate(fixed)
        elif chosen in dict(settings.LANGUAGES):
            activate(chosen)
            request.language_chosen_for = slug


def _remember(response: HttpResponse, request: HttpRequest) -> HttpResponse:
    slug = getattr(request, "language_chosen_for", None)
    if slug is not None:
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            request.GET[_PARAMETER],
            max_age=_COOKIE_SECONDS,
            path=reverse("landing", args=[slug]),
            httponly=True,
            secure=request.is_secure(),
            samesite="Lax",
        )
    return response
