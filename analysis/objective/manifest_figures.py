"""What one manifest.json says about its stimuli: the figures that the analysis uses, each checked.

The format is in docs/stimulus-set.md; it is read as plain JSON, and only what is needed is looked at.
"""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from analysis.errors import InvalidObjective

__all__ = ["ManifestFigures", "read_manifest_figures"]

_FORMAT_VERSION = 2


@dataclass(frozen=True)
class ManifestFigures:
    """sources: (id, sha256) of each. stimuli: ((target metric, source, condition), figures by measure) of each, NaN
    for a number that does not exist. Neither is checked for what is there twice.
    """

    file: str
    sources: tuple[tuple[str, str], ...]
    stimuli: tuple[tuple[tuple[str, str, str], dict[str, float]], ...]


def read_manifest_figures(path: Path) -> ManifestFigures:
    """Read a manifest.json, given itself or its folder. Raises InvalidObjective, which names the field."""
    path = path / "manifest.json" if path.is_dir() else path
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InvalidObjective(f"{path} does not exist; give a stimulus set's manifest.json, or its folder") from None
    except (OSError, ValueError, RecursionError) as problem:
        raise InvalidObjective(f"{path} cannot be read as JSON ({problem}); make the set again") from None
    version = document.get("format_version") if isinstance(document, dict) else None
    if version != _FORMAT_VERSION:
        raise InvalidObjective(
            f"{path} has the format version {version!r} and this program reads {_FORMAT_VERSION}; make the set again "
            "with generate_stimuli"
        )
    try:
        return ManifestFigures(str(path), tuple(_sources(document)), tuple(_stimuli(document)))
    except _Fault as fault:
        raise InvalidObjective(f"{path} is no manifest of a stimulus set: {fault}") from None


class _Fault(Exception):
    """What is wrong in a document, and where."""


def _sources(document: dict) -> Iterator[tuple[str, str]]:
    for place, source in _records(document, "sources"):
        yield _text(source, "id", place), _text(source, "sha256", place)


def _stimuli(document: dict) -> Iterator[tuple[tuple[str, str, str], dict[str, float]]]:
    metric = _text(_object(document.get("target_metric"), "target_metric"), "name", "target_metric")
    listed = {name for name, _ in _sources(document)}
    for place, stimulus in _records(document, "stimuli"):
        source, condition = (_text(stimulus, key, place) for key in ("source", "condition"))
        if source not in listed:
            raise _Fault(f"{place} is of the source {source!r}, which is not listed under sources")
        quality = _object(stimulus.get("quality"), f"{place}.quality")
        figures = quality | {"gain_delivered": stimulus.get("gain_delivered")}
        yield (
            (metric, source, condition),
            {name: _figure(value, f"{place}: {name} of {condition!r}") for name, value in figures.items()},
        )


def _records(document: dict, key: str) -> Iterator[tuple[str, dict]]:
    items = document.get(key)
    if not isinstance(items, list):
        raise _Fault(f"{key} is missing or no list")
    for index, item in enumerate(items):
        yield f"{key}[{index}]", _object(item, f"{key}[{index}]")


def _object(value, place: str) -> dict:
    if not isinstance(value, dict):
        raise _Fault(f"{place} is missing or no object")
    return value


def _text(record: dict, key: str, place: str) -> str:
    value = record.get(key)
    if not isinstance(value, str) or not value:
        raise _Fault(f"{place}.{key} is {value!r}; expected text")
    return value


def _figure(value, place: str) -> float:
    if value is None:
        return math.nan
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not abs(value) < 1e300:
        raise _Fault(f"{place} is {str(value)[:40]!r}; expected a finite number, or null")
    return float(value)
