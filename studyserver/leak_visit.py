"""Visits of the leak check: marked previews that write down everything their browser receives."""

import random
from collections.abc import Mapping
from dataclasses import dataclass

from django.http import HttpRequest

from studyserver.errors import WalkStopped
from studyserver.models import Session, Study, Trial
from studyserver.quiz import right_answers
from studyserver.services import preview_delete
from studyserver.simulation_browser import Browser, Reply
from studyserver.simulation_personas import DEFAULT_PERSONA, Person
from studyserver.simulation_walk import Walk
from studyserver.views.visit import preview_address, session_of

__all__ = ["Visit", "make_visit"]


@dataclass(frozen=True)
class Visit:
    """A finished visit: its session, and every reply in the order of arrival."""

    session: Session
    replies: tuple[Reply, ...]


class _RecordingBrowser:
    """Passes everything through and keeps the replies."""

    def __init__(self, browser: Browser):
        self._browser = browser
        self.replies: list[Reply] = []

    def ask(self, method: str, path: str, *, body: bytes | None = None, headers: dict[str, str]) -> Reply:
        self.replies.append(self._browser.ask(method, path, body=body, headers=headers))
        return self.replies[-1]

    def cookies(self) -> dict[str, str]:
        """Return the latest value of every cookie."""
        kept = {}
        for reply in self.replies:
            for name, value in reply.headers:
                if name.lower() == "set-cookie":
                    cookie, _, content = value.partition(";")[0].partition("=")
                    kept[cookie.strip()] = content.strip().strip('"')
        return kept


class _CheckMind:
    """Passes every step; answers hidden pairs with an obvious answer rightly in one visit and wrongly in the next.

    What a wrong answer changes would tell a participant which pairs these are.
    """

    def __init__(self, number: int):
        self._number = number
        self._person = Person(DEFAULT_PERSONA, seed=0, index=number)
        self._rng = random.Random(f"leak check {number}")

    def stays(self, point: str) -> bool:
        return True

    def device(self, videos: int) -> dict:
        return self._person.device(videos)

    def calibration(self) -> Mapping[str, str]:
        return self._person.calibration()

    def quiz(self, choices: Mapping[str, list[str]], attempt: int) -> Mapping[str, str]:
        right = right_answers()
        return {name: right[name] for name in choices}

    def questionnaire(self, choices: Mapping[str, list[str]]) -> Mapping[str, str]:
        return {name: options[0] for name, options in choices.items()}

    def vote(self, state: dict) -> dict:
        trial = Trial.objects.select_related("pair__first__condition").get(token=state["trial"]["token"])
        choice = trial.expected or self._rng.choice(("left", "right"))
        if trial.kind != Trial.Kind.TRAINING and trial.expected and self._number % 2:
            choice = "left" if trial.expected == "right" else "right"
        clip = {name: state["trial"][name] for name in ("width", "height", "frames", "fps")}
        playback = self._person.playback(state["trial"]["token"], presentation=state["presentation"], **clip)
        return {"choice": choice, "response_ms": 1500, "playback": playback}


def make_visit(study: Study, browser: Browser, number: int) -> Visit:
    """Visit the study to its end as a marked preview.

    Raises WalkStopped where a participant could not go on, or what stopped it; nothing of such a visit is left.
    """
    recorder = _RecordingBrowser(browser)
    try:
        end = Walk(recorder, preview_address(study), _CheckMind(number)).run()
        session = _session(study, recorder)
        if session is None or end != "done":
            raise WalkStopped(
                f"the visit ended on the page {end!r}, not after the last pair; open a preview to see why"
            )
    except BaseException:
        if session := _session(study, recorder):
            preview_delete(session=session)
        raise
    return Visit(session, tuple(recorder.replies))


def _session(study: Study, recorder: _RecordingBrowser) -> Session | None:
    request = HttpRequest()
    request.COOKIES = recorder.cookies()
    return session_of(request, study)
