"""The check of the device: the page, what its script measured, and bytes to measure the connection with."""

import json
import os

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from studyserver.device import Problem
from studyserver.device_texts import CHECKS, problem_text
from studyserver.errors import DeviceRefused, InvalidMeasurement, StudyNotReady
from studyserver.models import Session, Study
from studyserver.selectors import device_facts
from studyserver.services import presentation_for, session_check_device, session_give_up_device, session_pass_setup
from studyserver.views.visit import page_of, participant_page

__all__ = ["setup", "setup_check", "setup_sample"]

MAX_BYTES = 4 * 1024
SAMPLE_BYTES = 4 * 1024 * 1024


@require_http_methods(["GET", "HEAD", "POST"])
@participant_page("setup")
def setup(request: HttpRequest, study: Study, session: Session) -> HttpResponse:
    """What the device must be able to do; going on needs the server's word that it can."""
    if request.method == "POST":
        try:
            leave = session_give_up_device if "give_up" in request.POST else session_pass_setup
            session = leave(session=session)
        except DeviceRefused:
            return redirect("setup", slug=study.slug)
        except StudyNotReady:
            return render(request, "studyserver/unavailable.html", {"study": study, "why": "draft"})
        return redirect(page_of(session), slug=study.slug)
    facts = device_facts(study, presentation_for(study))
    context = {
        "study": study,
        "session": session,
        "checks": [(name, title) for name, (title, _) in CHECKS.items()],
        "videos": [
            {
                "contentType": video.content_type,
                "width": video.width,
                "height": video.height,
                "bitrate": video.bitrate,
                "framerate": video.fps,
            }
            for video in facts.videos
        ],
        "texts": {
            "checking": gettext("Checking…"),
            "good": gettext("Everything is fine. You can go on."),
            "mend": gettext("Not yet: {lines}. Please do what is said there; changes of the window are seen at once."),
            "lasting": gettext(
                "This device cannot show the videos as they should be: {lines}. What may help is said there."
            ),
            "trouble": gettext("The server could not be reached. Please check again."),
            "moved": gettext("Everything is fine. Please read below how the videos will be shown."),
        },
    }
    return render(request, "studyserver/setup.html", context)


@require_POST
@participant_page("setup")
def setup_check(request: HttpRequest, study: Study, session: Session) -> HttpResponse:
    """Judge and store a JSON record of the page's script (studyserver.device says which).

    The reply: `ready`; `lasting` (there is a problem that no person can mend); `moved` (the videos will be shown in
    the same place, for lack of room); `lines`, by check: `good` and `text`. Errors are `{"error": sentence}` with 400
    (no such record) and 413 (too long).
    """
    if int(request.META.get("CONTENT_LENGTH") or 0) > MAX_BYTES or len(request.body) > MAX_BYTES:
        return JsonResponse({"error": f"a measurement has at most {MAX_BYTES} bytes"}, status=413)
    try:
        measured = json.loads(request.body)
    except (ValueError, RecursionError):
        return JsonResponse({"error": "a measurement is a JSON object"}, status=400)
    try:
        problems = session_check_device(session=session, measured=measured)
    except InvalidMeasurement as error:
        return JsonResponse({"error": str(error)}, status=400)
    return JsonResponse(
        {
            "ready": not problems,
            "lasting": any(problem.lasting for problem in problems),
            "moved": session.presentation != presentation_for(study),
            "lines": _lines(problems),
        }
    )


@require_safe
@participant_page("setup")
def setup_sample(request: HttpRequest, study: Study, session: Session) -> HttpResponse:
    """Send bytes that nothing on the way can make shorter or has seen before."""
    return HttpResponse(os.urandom(SAMPLE_BYTES), content_type="application/octet-stream")


def _lines(problems: tuple[Problem, ...]) -> dict:
    lines = {name: {"good": True, "text": str(good)} for name, (_, good) in CHECKS.items()}
    for problem in problems:
        lines[problem.check] = {"good": False, "text": problem_text(problem)}
    return lines
