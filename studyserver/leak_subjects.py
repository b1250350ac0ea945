"""What the visits of the leak check received, sorted by trial and by video file, ready for the rules."""

import json
import re
from collections.abc import Hashable, Iterator

from studyserver.leak_media import media_facts
from studyserver.leak_rules import Subject
from studyserver.leak_visit import Visit
from studyserver.models import Trial
from studyserver.simulation_browser import Reply
from studyserver.simulation_pages import read_page

__all__ = ["ADDRESS", "addresses", "file_subjects", "trial_subjects"]

# The one observable of a file that is meant to differ.
ADDRESS = "the address of a file"

# Of every answer, whatever was asked.
_TIMES = {"date", "expires"}
_SIDES = ("left", "right")
_STATE = re.compile(r"""<script id="state"[^>]*>.*?</script>""", re.S)
_CSRF = re.compile(r"""((?:data-csrf|name="csrfmiddlewaretoken" value)=")[^"]*""")


def trial_subjects(visits: list[Visit]) -> list[Subject]:
    """Return a subject for every hidden pair and test pair: what the pages and answers said of it, and of it alone."""
    subjects = []
    for visit in visits:
        values: dict[str, dict[str, Hashable]] = {}
        current = None
        for reply in visit.replies:
            state, around = _state(reply)
            if around and current and reply.method == "POST":
                values.setdefault(current, {}).update(_reply_values("answer's reply", reply, around))
            if state:
                current = state["trial"]["token"]
                seen = values.setdefault(current, {})
                seen.update(_state_values(state))
                if reply.method == "GET":
                    seen.update(_reply_values("page", reply, around))
                for ahead in state.get("next") or []:
                    values.setdefault(ahead["token"], {})["keys when announced"] = ", ".join(ahead)
        for trial in _trials(visit):
            groups = {"kind": trial.kind}
            subjects.append(Subject(groups, trial.pair.source.name, trial.position, values.get(trial.token, {})))
    return subjects


def file_subjects(visits: list[Visit]) -> list[tuple[Subject, dict[str, int]]]:
    """Return for every video sent what could be seen of it, and the amounts inside it (leak_media)."""
    subjects = []
    kept: dict[bytes, tuple[dict, dict]] = {}
    for visit in visits:
        parts: dict[str, list[Reply]] = {}
        for reply in visit.replies:
            parts.setdefault(reply.path, []).append(reply)
        shown = addresses(visit)
        for trial in _trials(visit):
            for side in _SIDES:
                address = shown[trial.token][side]
                replies = parts.get(address, [])
                content = b"".join(reply.body for reply in replies)
                if content not in kept:
                    kept[content] = media_facts(content)
                labels, amounts = kept[content]
                values: dict[str, Hashable] = {f"file: {name}": value for name, value in labels.items()}
                values[ADDRESS] = address
                for number, reply in enumerate(replies, 1):
                    values.update(_headers(f"answer {number} for the file", reply, address.rpartition("/")[2]))
                values["answers for the file"] = len(replies)
                stimulus = getattr(trial, side)
                groups = {"condition": stimulus.condition.label, "kind": trial.kind}
                subjects.append((Subject(groups, trial.pair.source.name, trial.position, values), amounts))
    return subjects


def addresses(visit: Visit) -> dict[str, dict[str, str]]:
    """Return by trial of a visit the addresses of its two videos, as the pages gave them."""
    given = {}
    for reply in visit.replies:
        state, _ = _state(reply)
        for trial in (state["trial"], *(state.get("next") or [])) if state else ():
            given[trial["token"]] = {side: trial[side] for side in _SIDES}
    return given


def _trials(visit: Visit) -> Iterator[Trial]:
    return (
        visit.session.trials.exclude(kind=Trial.Kind.TRAINING)
        .filter(vote__isnull=False)
        .select_related("pair__source", "pair__first__condition", "pair__second__condition")
        .order_by("position")
    )


def _state(reply: Reply) -> tuple[dict | None, dict | str | None]:
    """Return the player's state in a reply, and what stands around it; nothing for other replies."""
    kind = reply.header("Content-Type")
    if kind.startswith("application/json") and reply.path.endswith("/vote/"):
        document = json.loads(reply.text)
        return document.get("state"), {**document, "state": "…" if document.get("state") else None}
    if kind.startswith("text/html") and "state" in (page := read_page(reply.text)).data:
        return page.data["state"], _CSRF.sub(r"\1", _STATE.sub("", reply.text))
    return None, None


def _state_values(state: dict) -> dict[str, Hashable]:
    values: dict[str, Hashable] = {
        "keys of the player's state": ", ".join(state),
        "keys of its trial": ", ".join(state["trial"]),
        "pairs announced": len(state.get("next") or []),
    }
    for name, value in state.items():
        if name not in ("trial", "next"):
            values[f"state: {name}"] = _hashable(value)
    for name, value in state["trial"].items():
        values[f"trial: {name}"] = _hashable(value)
    return values


def _reply_values(what: str, reply: Reply, around: dict | str) -> dict[str, Hashable]:
    text = around if isinstance(around, str) else json.dumps(around)
    return {f"{what}: status": reply.status, f"{what}: text": text, **_headers(what, reply, "")}


def _headers(what: str, reply: Reply, token: str) -> dict[str, Hashable]:
    """Return the headers of a reply, without times, cookies against forged requests, and the address's own token."""
    kept = [
        (name.lower(), value.replace(token, "…") if token else value)
        for name, value in reply.headers
        if name.lower() not in _TIMES and not value.startswith("csrftoken=")
    ]
    values: dict[str, Hashable] = {f"{what}: {name}": value for name, value in kept}
    values[f"{what}: names of headers"] = ", ".join(name for name, _ in kept)
    return values


def _hashable(value) -> Hashable:
    return value if isinstance(value, str | int | float | bool | None) else json.dumps(value)
