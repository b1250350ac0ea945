"""The playback record of a trial: what the player may send, and whether both videos were seen as they should be."""

from dataclasses import dataclass

from studyserver.errors import InvalidVote

__all__ = ["Assessment", "assess_playback", "clean_playback"]

MAX_STALLS = 1
MAX_DROPPED_SHARE = 0.05
MAX_OFFSET_FRAMES = 1
MIN_SHARE_IN_STEP = 0.9

_SIDES = ("left", "right")
_PER_SIDE = {"shown", "dropped", "total", "stalls", "load_ms", "css_width", "css_height"}
_NUMBERS = {
    "device_pixel_ratio": "CSS pixels to device pixels",
    "scale": "device pixels per video pixel; 1 is exact, below 1 the window was too small",
    "window_width": "CSS pixels",
    "window_height": "CSS pixels",
    "play_ms": "from the start to the end of the first playback",
    "plays": "how often the pair was watched",
    "hidden": "how often the page was hidden during playback, which starts it again",
    "offset_max": "largest distance between the two videos, in frames",
}
_FIELDS = {
    **_NUMBERS,
    "offsets": "histogram: distance in frames (left ahead is positive) -> video frame callbacks",
    "left": "frames shown, dropped and in total, stalls, load_ms, CSS size",
    "right": "the same",
}


@dataclass(frozen=True)
class Assessment:
    """Whether a playback can be trusted, and the first reason why not."""

    ok: bool
    reason: str


def _number(value, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e9:
        raise InvalidVote(f"playback field {name!r} must be a number from 0 to 1e9, got {str(value)[:40]!r}")
    return value


def clean_playback(record) -> dict:
    """Return a playback record with known fields and finite numbers only, or raise InvalidVote."""
    if not isinstance(record, dict):
        raise InvalidVote(f"the playback record must be an object, got {type(record).__name__}")
    if unknown := set(record) - set(_FIELDS):
        raise InvalidVote(f"unknown playback fields: {', '.join(sorted(unknown))[:200]}")
    clean = {name: _number(record[name], name) for name in _NUMBERS if name in record}
    for side in _SIDES:
        if side in record:
            part = record[side]
            if not isinstance(part, dict) or set(part) - _PER_SIDE:
                raise InvalidVote(f"playback field {side!r} must be an object with {', '.join(sorted(_PER_SIDE))}")
            clean[side] = {name: _number(value, f"{side}.{name}") for name, value in part.items()}
    offsets = record.get("offsets", {})
    if not isinstance(offsets, dict) or len(offsets) > 200:
        raise InvalidVote("playback field 'offsets' must be an object with at most 200 distances")
    try:
        clean["offsets"] = {str(int(frames)): _number(count, "offsets") for frames, count in offsets.items()}
    except ValueError:
        raise InvalidVote("playback field 'offsets' must count whole frames") from None
    return clean


def assess_playback(record: dict) -> Assessment:
    """Judge a cleaned record: at most one stall, 5 % of frames dropped, and 9 frames in 10 at most one frame apart."""
    for side in _SIDES:
        part = record.get(side)
        if part is None or not part.get("shown"):
            return Assessment(False, f"no frames counted on the {side}")
        if part.get("stalls", 0) > MAX_STALLS:
            return Assessment(False, f"{part['stalls']:g} stalls on the {side}")
        if part.get("dropped", 0) > MAX_DROPPED_SHARE * (part["shown"] + part["dropped"]):
            return Assessment(False, f"{part['dropped']:g} frames dropped on the {side}")
    counted = sum(record["offsets"].values())
    in_step = sum(count for frames, count in record["offsets"].items() if abs(int(frames)) <= MAX_OFFSET_FRAMES)
    if counted and in_step < MIN_SHARE_IN_STEP * counted:
        return Assessment(
            False, f"more than {MAX_OFFSET_FRAMES} frame apart in {counted - in_step:g} of {counted:g} frames"
        )
    return Assessment(True, "")
