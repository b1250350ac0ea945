"""The playback record of a trial: what the player may send. `verdicts` judges it, under the rule of use."""

from studyserver.errors import InvalidVote

__all__ = ["clean_playback"]

_SIDES = ("left", "right")
_PER_SIDE = {"shown", "dropped", "total", "stalls", "load_ms", "css_width", "css_height"}
_NUMBERS = {
    "device_pixel_ratio": "CSS pixels to device pixels",
    "scale": "device pixels per video pixel; 1 is exact, below 1 the window was too small",
    "window_width": "CSS pixels",
    "window_height": "CSS pixels",
    "refresh_hz": "updates of the screen per second, as measured while the pair played",
    "first_frame_ms": "from the press of the start button to the first frame of the later video",
    "play_ms": "from the start to the end of the playback",
    "plays": "how often the pair was watched to its end",
    "out_of_step": "how often it was played again because the two videos were apart",
    "hidden": "how often the page was hidden during playback, which starts it again",
    "switches": "how often the participant switched between the two; toggle only",
    "offset_max": "largest distance between the two videos, in frames",
}
_FIELDS = {
    **_NUMBERS,
    "fullscreen": "whether the page filled the screen",
    "offsets": "histogram: distance in frames (left ahead is positive) -> screen updates; none in a sequence",
    "left": "frames shown, dropped and in total, stalls, load_ms, CSS size",
    "right": "the same",
}
# Farther apart than any clip is long.
_MAX_OFFSET = 100_000


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
    if "fullscreen" in record:
        if not isinstance(record["fullscreen"], bool):
            raise InvalidVote("playback field 'fullscreen' must be true or false")
        clean["fullscreen"] = record["fullscreen"]
    if "offsets" in record:
        clean["offsets"] = _histogram(record["offsets"])
    return clean


def _histogram(offsets) -> dict:
    if not isinstance(offsets, dict) or len(offsets) > 200:
        raise InvalidVote("playback field 'offsets' must be an object with at most 200 distances")
    try:
        counts = {int(frames): _number(count, "offsets") for frames, count in offsets.items()}
    except ValueError:
        raise InvalidVote("playback field 'offsets' must count whole frames") from None
    if any(abs(frames) > _MAX_OFFSET for frames in counts):
        raise InvalidVote(f"playback field 'offsets' counts distances up to {_MAX_OFFSET} frames")
    return {str(frames): count for frames, count in sorted(counts.items())}
