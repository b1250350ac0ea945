"""The address that takes answers."""

import json

from django.http import HttpRequest, JsonResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from studyserver.errors import InvalidVote, NotCurrentTrial, StudyError, TrialNotFound, VoteRefused
from studyserver.models import Study
from studyserver.selectors import session_for_key
from studyserver.services import vote_record
from studyserver.views.state import player_reply
from studyserver.views.visit import session_of

__all__ = ["vote"]

MAX_BYTES = 32 * 1024
_FIELDS = {"trial", "choice", "response_ms", "playback"}
_STATUS = {TrialNotFound: 404, InvalidVote: 400, NotCurrentTrial: 409, VoteRefused: 409}


@never_cache
@require_POST
def vote(request: HttpRequest, slug: str) -> JsonResponse:
    """Store one answer and tell the player what comes next.

    The body is a JSON object: `trial` (the token of the page's state), `choice` (left, right, tie), `response_ms`
    (from the moment that an answer was possible) and `playback`, the certificate that studyserver.playback describes.
    The reply is `{"location", "state"}`: the page to go to, or the state of the next trial, the other null; after a
    practice pair also `feedback`: `{"correct": true or false, "better": left or right}`.

    The same answer again gets the same reply. Errors are `{"error": sentence}` with 400 (not a vote), 403 (no
    session), 404 (somebody else's trial), 409 (not due, or answered otherwise), 413 (too long).
    """
    study = get_object_or_404(Study, slug=slug)
    session = session_of(request, study)
    if session is None:
        return JsonResponse({"error": "your session was not found; open the study's address again"}, status=403)
    # Asked before the body is read: Django refuses a far longer one by itself, with a page and a traceback in the log.
    if int(request.META.get("CONTENT_LENGTH") or 0) > MAX_BYTES or len(request.body) > MAX_BYTES:
        return JsonResponse({"error": f"a vote has at most {MAX_BYTES} bytes"}, status=413)
    try:
        fields = _fields(request.body)
        result = vote_record(
            session=session,
            token=str(fields["trial"]),
            choice=str(fields["choice"]),
            response_ms=fields.get("response_ms"),
            playback=fields.get("playback"),
        )
    except StudyError as error:
        return JsonResponse({"error": str(error)}, status=_STATUS[type(error)])
    reply = player_reply(session_for_key(study, session.key))
    if result.correct is not None:
        reply["feedback"] = {"correct": result.correct, "better": result.vote.trial.expected}
    return JsonResponse(reply)


def _fields(body: bytes) -> dict:
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        raise InvalidVote("a vote is a JSON object") from None
    if not isinstance(fields, dict) or set(fields) - _FIELDS or not {"trial", "choice"} <= set(fields):
        raise InvalidVote(f"a vote is a JSON object with trial, choice and at most {', '.join(sorted(_FIELDS))}")
    return fields
