"""The address at which the player says that this machine cannot show the pairs as it should."""

import json

from django.http import HttpRequest, JsonResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from studyserver.models import Study
from studyserver.services import TROUBLES, session_presentation_fall_back
from studyserver.views.state import player_reply
from studyserver.views.visit import session_of

__all__ = ["trouble"]

MAX_BYTES = 1024


@never_cache
@require_POST
def trouble(request: HttpRequest, slug: str) -> JsonResponse:
    """Take `{"presentation": the one that failed, "trouble": one of TROUBLES}` and tell the player how to go on.

    The reply is that of a vote without feedback: `state` for another presentation of the same pair, or `location`.
    The same report again gets the same reply. Errors are `{"error": sentence}` with 400 and 403 (no session).
    """
    study = get_object_or_404(Study, slug=slug)
    session = session_of(request, study)
    if session is None:
        return JsonResponse({"error": "your session was not found; open the study's address again"}, status=403)
    fields = _fields(request)
    if fields is None:
        return JsonResponse(
            {"error": f"expected a JSON object with presentation and trouble, one of {', '.join(TROUBLES)}"}, status=400
        )
    session = session_presentation_fall_back(session=session, **fields)
    return JsonResponse(player_reply(session))


def _fields(request: HttpRequest) -> dict | None:
    if int(request.META.get("CONTENT_LENGTH") or 0) > MAX_BYTES:
        return None
    try:
        fields = json.loads(request.body)
    except (ValueError, RecursionError):
        return None
    known = isinstance(fields, dict) and set(fields) == {"presentation", "trouble"}
    if not known or fields["presentation"] not in Study.Presentation.values:
        return None
    return fields if isinstance(fields["trouble"], str) and fields["trouble"] in TROUBLES else None
