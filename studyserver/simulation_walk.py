"""A visit to a study as a participant's browser makes it: pages, forms, scripts, videos, answers."""

import json
import re
from collections.abc import Mapping
from typing import Protocol
from urllib.parse import urlencode, urljoin, urlsplit

from django.urls import Resolver404, resolve

from studyserver.errors import WalkStopped
from studyserver.simulation_browser import Browser, Reply
from studyserver.simulation_pages import Form, Page, read_page

__all__ = ["Mind", "Walk"]

_FIRST_BYTES = 64 * 1024
_MOST_PAGES = 2000
_IMPORT = re.compile(r"""(?:from|import)\s*["'](\.{1,2}/[^"']+)["']""")
_ENDS = ("done", "ended", "declined", "withdraw")


class Mind(Protocol):
    """What a visit asks the one who makes it; `choices` are the values that a form offers, by name."""

    def stays(self, point: str) -> bool:
        """Whether to go on at this moment: a step's name, or "pair 3"."""

    def device(self, videos: int) -> dict:
        """What the check of the device measures."""

    def calibration(self) -> Mapping[str, str]:
        """The fields of the calibration."""

    def quiz(self, choices: Mapping[str, list[str]], attempt: int) -> Mapping[str, str]:
        """The answers of the quiz."""

    def questionnaire(self, choices: Mapping[str, list[str]]) -> Mapping[str, str]:
        """The answers of the questionnaire."""

    def vote(self, state: dict) -> dict:
        """The answer to the trial of the player's state: choice, response_ms, playback."""


class Walk:
    """One visit. `run` goes on from wherever the server says the person is, to the end or to where the mind leaves."""

    def __init__(self, browser: Browser, address: str, mind: Mind):
        self._browser, self._address, self._mind = browser, address, mind
        self._fetched: set[str] = set()

    def run(self) -> str:
        """Return the name of the page where the visit ended. Raises WalkStopped, ServerUnavailable."""
        reply = self._follow(self._get(self._address))
        for _ in range(_MOST_PAGES):
            name = _page_name(reply)
            page = read_page(reply.text)
            self._load_files(reply, page)
            step = getattr(self, f"_do_{name}", None)
            if name in _ENDS or (name == "landing" and not page.forms):
                return name
            if step is None or reply.status >= 400:
                raise WalkStopped(f"{reply.method} {reply.path} answered {reply.status}, which a visit does not expect")
            following = step(reply, page)
            if following is None:
                return name
            reply = self._follow(following)
        raise WalkStopped(f"the visit did not end after {_MOST_PAGES} pages, it is at {reply.path}")

    def _get(self, path: str, **headers: str) -> Reply:
        return self._browser.ask("GET", path, headers={name.replace("_", "-"): text for name, text in headers.items()})

    def _send(self, path: str, fields: Mapping[str, str]) -> Reply:
        kind = "application/x-www-form-urlencoded"
        return self._browser.ask("POST", path, body=urlencode(fields).encode(), headers={"Content-Type": kind})

    def _send_json(self, path: str, document: dict, csrf: str) -> Reply:
        headers = {"Content-Type": "application/json", "X-CSRFToken": csrf}
        return self._browser.ask("POST", path, body=json.dumps(document).encode(), headers=headers)

    def _follow(self, reply: Reply) -> Reply:
        for _ in range(10):
            if reply.status not in (301, 302, 303, 307, 308):
                return reply
            parts = urlsplit(urljoin(reply.path, reply.header("Location")))
            reply = self._get(f"{parts.path}?{parts.query}" if parts.query else parts.path)
        raise WalkStopped(f"{reply.path} redirects without end")

    def _load_files(self, reply: Reply, page: Page) -> None:
        waiting = [urljoin(reply.path, address) for address in page.files if not address.startswith("data:")]
        while waiting:
            address = waiting.pop()
            if address in self._fetched or urlsplit(address).netloc:
                continue
            self._fetched.add(address)
            file = self._get(address)
            if address.endswith(".js"):
                waiting += [urljoin(address, found) for found in _IMPORT.findall(file.text)]

    def _do_landing(self, reply: Reply, page: Page) -> Reply | None:
        if not self._mind.stays("landing"):
            return None
        return self._send(reply.path, {**_form(reply, page).fields, "agree": "on"})

    def _do_instructions(self, reply: Reply, page: Page) -> Reply | None:
        if not self._mind.stays("instructions"):
            return None
        return self._send(reply.path, _form(reply, page).fields)

    def _do_setup(self, reply: Reply, page: Page) -> Reply | None:
        if not self._mind.stays("setup"):
            return None
        form = _form(reply, page)
        measured = self._mind.device(len(page.data.get("videos", [])))
        checked = self._send_json(urljoin(reply.path, "check/"), measured, page.csrf)
        if not json.loads(checked.text).get("ready"):
            raise WalkStopped(f"the check of the device refused a good device: {checked.text[:300]}")
        return self._send(reply.path, form.fields)

    def _do_calibration(self, reply: Reply, page: Page) -> Reply | None:
        if not self._mind.stays("calibration"):
            return None
        return self._send(reply.path, {**_form(reply, page).fields, **self._mind.calibration()})

    def _do_quiz(self, reply: Reply, page: Page) -> Reply | None:
        if not self._mind.stays("quiz"):
            return None
        form = _form(reply, page)
        attempt = int(form.fields.get("attempt", "1"))
        return self._send(reply.path, {**form.fields, **self._mind.quiz(form.choices, attempt)})

    def _do_questionnaire(self, reply: Reply, page: Page) -> Reply | None:
        if not self._mind.stays("questionnaire"):
            return None
        form = _form(reply, page)
        return self._send(reply.path, {**form.fields, **self._mind.questionnaire(form.choices)})

    def _do_trial(self, reply: Reply, page: Page) -> Reply | None:
        state = page.data["state"]
        while state:
            if not self._mind.stays("training" if state["training"] else f"pair {state['number']}"):
                return None
            self._load_videos([state["trial"], *(state.get("next") or [])])
            answer = {"trial": state["trial"]["token"], **self._mind.vote(state)}
            voted = self._send_json(urljoin(reply.path, "../vote/"), answer, page.csrf)
            if voted.status != 200:
                break
            document = json.loads(voted.text)
            if document["location"]:
                return self._get(document["location"])
            state = document["state"]
        # Answered elsewhere, or late: the server knows where the person is.
        return self._get(reply.path)

    def _load_videos(self, trials: list[dict]) -> None:
        """Fetch what the browser would: the first bytes, then the rest, each address once."""
        for address in (trial[side] for trial in trials for side in ("left", "right")):
            if address in self._fetched:
                continue
            self._fetched.add(address)
            first = self._get(address, Range=f"bytes=0-{_FIRST_BYTES - 1}")
            size = int(first.header("Content-Range").rpartition("/")[2] or 0)
            if first.status != 206 or not size:
                raise WalkStopped(f"{address} answered {first.status} to a request for its first bytes")
            if size > len(first.body):
                rest = self._get(address, Range=f"bytes={len(first.body)}-", If_Range=first.header("ETag"))
                if len(first.body) + len(rest.body) != size:
                    raise WalkStopped(f"{address} is to have {size} bytes and sent {len(first.body) + len(rest.body)}")


def _form(reply: Reply, page: Page) -> Form:
    """Return the form that goes on: the one with the token against forged requests."""
    for form in page.forms:
        if "csrfmiddlewaretoken" in form.fields:
            return form
    raise WalkStopped(f"{reply.path} has no form to go on with")


def _page_name(reply: Reply) -> str:
    try:
        return resolve(urlsplit(reply.path).path).url_name or ""
    except Resolver404:
        return ""
