"""Videos of a participant's own trials, with HTTP ranges."""

import logging
import re
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from studyserver.models import Study
from studyserver.selectors import trial_of_media
from studyserver.views.visit import session_of

__all__ = ["media", "send_ranged"]

logger = logging.getLogger(__name__)

_BLOCK = 256 * 1024
_TYPES = {".mp4": "video/mp4", ".webm": "video/webm"}
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


@require_safe
def media(request: HttpRequest, slug: str, token: str) -> HttpResponse:
    """Send one side of one trial of the session's participant; to anybody else the address does not exist.

    The entity tag is the address's own token, never a digest of the file: the same video in two trials cannot
    be recognised by its headers.
    """
    session = session_of(request, get_object_or_404(Study, slug=slug))
    trial = trial_of_media(session, token) if session else None
    if trial is None:
        raise Http404("no such video in your session")
    stimulus = trial.left if token == trial.left_token else trial.right
    path = settings.MEDIA_ROOT / stimulus.media
    if not path.is_file():
        logger.error("the file %s of stimulus %s is missing; import its set again", path, stimulus)
        raise Http404("this video cannot be had at the moment")
    return send_ranged(request, path, stimulus.bytes, f'"{token}"')


def send_ranged(request: HttpRequest, path: Path, size: int, tag: str) -> HttpResponse:
    """Send a video file of `size` bytes, or the range that was asked for; `tag` is its entity tag, with quotes."""
    if request.headers.get("If-None-Match") == tag:
        return _with_headers(HttpResponse(status=304), tag)
    wanted = _RANGE.fullmatch(request.headers.get("Range", ""))
    if wanted is None or wanted.groups() == ("", "") or request.headers.get("If-Range", tag) != tag:
        response = FileResponse(path.open("rb"), content_type=_TYPES[path.suffix])
        response.headers["Content-Length"] = str(size)
        response.headers.pop("Content-Disposition", None)
        return _with_headers(response, tag)
    first, last = _span(*wanted.groups(), size)
    if first > last or first >= size:
        response = HttpResponse(status=416)
        response.headers["Content-Range"] = f"bytes */{size}"
        return _with_headers(response, tag)
    response = StreamingHttpResponse(_blocks(path, first, last), status=206, content_type=_TYPES[path.suffix])
    response.headers["Content-Length"] = str(last - first + 1)
    response.headers["Content-Range"] = f"bytes {first}-{last}/{size}"
    return _with_headers(response, tag)


def _span(first: str, last: str, size: int) -> tuple[int, int]:
    """Return first and last byte; without a first, `last` counts from the end."""
    if not first:
        return max(size - int(last), 0), size - 1 if int(last) else -1
    return int(first), min(int(last), size - 1) if last else size - 1


def _blocks(path: Path, first: int, last: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(first)
        left = last - first + 1
        while left and (block := file.read(min(_BLOCK, left))):
            left -= len(block)
            yield block


def _with_headers(response: HttpResponse, tag: str) -> HttpResponse:
    response.headers["ETag"] = tag
    response.headers["Accept-Ranges"] = "bytes"
    # private: only this browser may keep it. no-transform: a proxy must not recompress it.
    response.headers["Cache-Control"] = "private, max-age=86400, immutable, no-transform"
    return response
