"""Words of a study's design, and where they stand in what a browser receives."""

import re
from collections.abc import Iterable
from pathlib import Path

from django.urls import Resolver404, resolve

from studyserver.models import Condition, Source, Stimulus, Study
from studyserver.simulation_browser import Reply

__all__ = ["find_words"]

_GENERAL = (
    *("verification", "expected", "mirrored", "condition", "attack", "attacked", "reference", "stimulus", "stimuli"),
    *("manifest", "unimpaired", "impaired"),
)
# Pages of plain text, the same for every participant: general words are ordinary English there.
_PROSE = {
    *("landing", "declined", "instructions", "setup", "setup-check", "calibration", "quiz", "questionnaire"),
    *("done", "ended", "withdraw"),
}
_HOUSE = ("templates/studyserver/*.html", "quiz.py", "questionnaire.py", "device_texts.py", "outcomes.py")
_SHORTEST = 3
_CAMEL_FROM = 5


def find_words(study: Study, replies: Iterable[Reply]) -> list[str]:
    """Return a line for each word of the design that a reply holds, each word once per kind of address."""
    names, secrets = _names(study), _secrets(study)
    house = _house_words()
    patterns = {word: _pattern(word) for word in {*names, *_GENERAL}}
    found = {}
    for reply in replies:
        page = _page(reply)
        head = f"{reply.path}\n" + "\n".join(f"{name}: {value}" for name, value in reply.headers)
        body = "" if page == "media" else reply.text
        for word in names:
            prose = page in _PROSE and word.lower() in house
            if patterns[word].search(head if prose else f"{head}\n{body}"):
                found.setdefault((page, word), f"{page} ({reply.path}) says {word!r}, a name of the design")
        for word in _GENERAL:
            if word not in names and patterns[word].search(head if page in _PROSE else f"{head}\n{body}"):
                found.setdefault((page, word), f"{page} ({reply.path}) says {word!r}")
        for secret, meaning in secrets.items():
            if secret in head or secret in body:
                found.setdefault((page, meaning), f"{page} ({reply.path}) shows {meaning} ({secret[:40]})")
    return sorted(found.values())


def _names(study: Study) -> list[str]:
    """Return labels of conditions with their parts, names of attacks, and names of clips."""
    words = set(Source.objects.filter(study=study).values_list("name", flat=True))
    for condition in Condition.objects.filter(study=study):
        words |= {condition.label, *re.split(r"[^A-Za-z0-9_]+", condition.label)}
        words.add((condition.attack or {}).get("name", ""))
    words.discard(study.slug)
    return sorted(word for word in words if len(word) >= _SHORTEST and not word.isdecimal())


def _secrets(study: Study) -> dict[str, str]:
    secrets = {}
    for stimulus in Stimulus.objects.filter(source__study=study):
        secrets[stimulus.manifest_id] = "the id of a stimulus in its manifest"
        secrets[stimulus.sha256] = "the digest of a file"
        secrets[Path(stimulus.media).stem] = "the name of a file"
    return {secret: meaning for secret, meaning in secrets.items() if secret}


def _house_words() -> set[str]:
    """Return the words of the pages' own texts: a condition called "noise" is not told by "noise, grain or flicker"."""
    folder = Path(__file__).parent
    texts = [path.read_text(encoding="utf-8") for pattern in _HOUSE for path in folder.glob(pattern)]
    return set(re.findall(r"[a-z0-9]+", " ".join(texts).lower()))


def _pattern(word: str) -> re.Pattern:
    text = re.escape(word)
    forms = [rf"(?<![A-Za-z0-9])(?i:{text})(?![A-Za-z0-9])"]
    if len(word) >= _CAMEL_FROM:
        # isVerification, verificationKind
        forms.append(rf"(?<=[a-z]){re.escape(word[0].upper() + word[1:])}(?![a-z])")
        forms.append(rf"(?<![A-Za-z]){text}(?=[A-Z])")
    return re.compile("|".join(forms))


def _page(reply: Reply) -> str:
    try:
        return resolve(reply.path.partition("?")[0]).url_name or "page"
    except Resolver404:
        return "file" if "/static/" in reply.path else "page"
