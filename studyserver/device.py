"""What a participant's device must be able to do, and whether the one that a browser measured can (no Django here)."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from studyserver.errors import InvalidMeasurement

__all__ = [
    "CONTROLS_CSS",
    "DeviceFacts",
    "Problem",
    "Video",
    "exact_zooms",
    "judge",
    "load_seconds",
    "physical",
    "read_measurement",
]

# What the player shows above and below the videos, in CSS pixels.
CONTROLS_CSS = 208
# Steps of the zoom in browsers' menus, as factors: those of Chrome and Firefox alike, then the others; each row by
# nearness to 100 %.
_ZOOMS = (1, 0.9, 1.1, 0.8, 0.67, 1.5, 0.5, 2, 3, 1.2, 1.25, 0.75, 1.33, 1.7, 1.75, 0.33, 0.3, 0.25, 2.4, 2.5)
# Browsers do not use the numbers that their menus show.
_TRUE_ZOOM = {0.67: 2 / 3, 0.33: 1 / 3, 1.33: 4 / 3}
# CSS pixels by which a video may miss a whole number: browsers tell the ratio in single precision.
_WHOLE = 0.02
# A 50 Hz screen is measured as 49.9 or less.
_REFRESH_SLACK = 0.97
_MAX_SIDE = 32768
_MAX_VIDEOS = 8

_NUMBERS = {
    "screen_width": (1, _MAX_SIDE),
    "screen_height": (1, _MAX_SIDE),
    "window_width": (1, _MAX_SIDE),
    "window_height": (1, _MAX_SIDE),
    "device_pixel_ratio": (0.1, 16),
}
_OPTIONAL_NUMBERS = {"browser_zoom": (0.1, 10), "refresh_hz": (1, 2000), "speed_mbps": (0.001, 1_000_000)}
_FLAGS = ("fullscreen", "mobile", "touch_only")
_DECODING = ("supported", "smooth", "power_efficient")
_FIELDS = {*_NUMBERS, *_OPTIONAL_NUMBERS, *_FLAGS, "touch_points", "decoding", "browser"}


@dataclass(frozen=True)
class Video:
    """One kind of file that a study shows; `content_type` has the codec where the set names it."""

    width: int
    height: int
    fps: float
    content_type: str
    bitrate: int


@dataclass(frozen=True)
class DeviceFacts:
    """What a study asks of a device; `session_bytes` is what a whole session loads. 0 stands for no limit."""

    videos: tuple[Video, ...]
    side_by_side: bool
    session_bytes: float
    max_load_seconds: int
    min_refresh_hz: int
    require_exact_pixels: bool
    require_smooth: bool
    allow_mobile: bool

    @property
    def room(self) -> tuple[int, int]:
        """Device pixels that the videos take, across and down; gaps get what is left."""
        width = max((video.width for video in self.videos), default=0)
        height = max((video.height for video in self.videos), default=0)
        return (2 * width if self.side_by_side else width), height


@dataclass(frozen=True)
class Problem:
    """Why a device cannot show the study as it is now; `lasting` where the person cannot mend it at that device.

    `name` is a check and what is wrong with it; `numbers` are those of the sentence that says what to do.
    """

    name: str
    lasting: bool
    numbers: dict

    @property
    def check(self) -> str:
        """The line of the page that the problem belongs to."""
        return self.name.split("-")[0]


def read_measurement(raw: object) -> dict:
    """Return a browser's record in its one form, or raise InvalidMeasurement; unknown keys are refused."""
    if not isinstance(raw, dict) or set(raw) != _FIELDS:
        raise InvalidMeasurement(f"a measurement is an object with exactly {', '.join(sorted(_FIELDS))}")
    record = {name: _number(name, raw[name], *bounds) for name, bounds in _NUMBERS.items()}
    for name, bounds in _OPTIONAL_NUMBERS.items():
        record[name] = None if raw[name] is None else _number(name, raw[name], *bounds)
    for name in _FLAGS:
        record[name] = _flag(name, raw[name])
    record["touch_points"] = int(_number("touch_points", raw["touch_points"], 0, 256))
    if not isinstance(raw["browser"], str) or len(raw["browser"]) > 40 or not raw["browser"].isprintable():
        raise InvalidMeasurement("browser is a printable text of at most 40 characters")
    record["browser"] = raw["browser"]
    if not isinstance(raw["decoding"], list) or len(raw["decoding"]) > _MAX_VIDEOS:
        raise InvalidMeasurement(f"decoding is a list of at most {_MAX_VIDEOS} answers")
    record["decoding"] = [_decoding(answer) for answer in raw["decoding"]]
    return record


def physical(record: dict) -> dict:
    """Return the sizes of a measurement in device pixels."""
    ratio = record["device_pixel_ratio"]
    return {
        f"{name}_px": round(record[name] * ratio)
        for name in ("screen_width", "screen_height", "window_width", "window_height")
    }


def load_seconds(record: dict, facts: DeviceFacts) -> float | None:
    """Return how long the device loads a whole session, None where the speed is not known."""
    speed = record["speed_mbps"]
    return None if speed is None else facts.session_bytes * 8 / (speed * 1e6)


def judge(record: dict, facts: DeviceFacts) -> tuple[Problem, ...]:
    """Return what stands in the way of the study on a measured device, in the order of the page; () where nothing."""
    return tuple(
        problem
        for problem in (
            _device(record, facts),
            _codec(record, facts),
            _screen(record, facts),
            _zoom(record, facts),
            _window(record, facts),
            _refresh(record, facts),
            _connection(record, facts),
        )
        if problem
    )


def exact_zooms(record: dict, facts: DeviceFacts) -> list[float]:
    """Return the zooms of the browser at which the videos are shown pixel by pixel, the best first.

    Where the browser does not tell its zoom, 100 % is the best guess.
    """
    zoom = record["browser_zoom"]
    if zoom is None:
        return [1]
    base = record["device_pixel_ratio"] / zoom
    return [step for step in _ZOOMS if _is_exact(base * _TRUE_ZOOM.get(step, step), facts.videos)]


def _device(record: dict, facts: DeviceFacts) -> Problem | None:
    refused = not facts.allow_mobile and (record["mobile"] or record["touch_only"])
    return Problem("device-mobile", True, {}) if refused else None


def _codec(record: dict, facts: DeviceFacts) -> Problem | None:
    if len(record["decoding"]) != len(facts.videos):
        return Problem("codec-unknown", False, {})
    if not all(answer["supported"] for answer in record["decoding"]):
        return Problem("codec-unsupported", True, {})
    # A browser that does not tell is not refused for that.
    if facts.require_smooth and any(answer["smooth"] is False for answer in record["decoding"]):
        return Problem("codec-slow", True, {})
    return None


def _screen(record: dict, facts: DeviceFacts) -> Problem | None:
    size = physical(record)
    width, height = facts.room
    controls = CONTROLS_CSS * record["device_pixel_ratio"]
    there = (size["screen_width_px"], size["screen_height_px"])
    # On a screen that is high enough at all, a smaller zoom makes room for the controls.
    if there[0] >= width and there[1] >= height + min(controls, CONTROLS_CSS):
        return None
    numbers = {"width": width, "height": height + CONTROLS_CSS, "width_there": there[0], "height_there": there[1]}
    return Problem("screen-small", True, numbers)


def _zoom(record: dict, facts: DeviceFacts) -> Problem | None:
    if not facts.require_exact_pixels or _is_exact(record["device_pixel_ratio"], facts.videos):
        return None
    zooms = exact_zooms(record, facts)
    now = record["browser_zoom"]
    numbers = {"zoom_there": round(100 * now) if now else None}
    if not zooms:
        return Problem("zoom-none", True, numbers)
    return Problem("zoom-uneven", now is None, {**numbers, "zoom": round(100 * zooms[0])})


def _window(record: dict, facts: DeviceFacts) -> Problem | None:
    if _screen(record, facts):
        return None
    size = physical(record)
    width, height = facts.room
    height += math.ceil(CONTROLS_CSS * record["device_pixel_ratio"])
    there = (size["window_width_px"], size["window_height_px"])
    if there[0] >= width and there[1] >= height:
        return None
    numbers = {"width": width, "height": height, "width_there": there[0], "height_there": there[1]}
    return Problem("window-small", False, numbers)


def _refresh(record: dict, facts: DeviceFacts) -> Problem | None:
    if not facts.min_refresh_hz:
        return None
    if record["refresh_hz"] is None:
        return Problem("refresh-unknown", False, {})
    if record["refresh_hz"] >= facts.min_refresh_hz * _REFRESH_SLACK:
        return None
    return Problem("refresh-slow", True, {"hz": facts.min_refresh_hz, "hz_there": round(record["refresh_hz"])})


def _connection(record: dict, facts: DeviceFacts) -> Problem | None:
    if not facts.max_load_seconds:
        return None
    seconds = load_seconds(record, facts)
    if seconds is None:
        return Problem("connection-unknown", True, {})
    if seconds <= facts.max_load_seconds:
        return None
    return Problem("connection-slow", True, {"seconds": facts.max_load_seconds, "seconds_there": round(seconds)})


def _is_exact(ratio: float, videos: Iterable[Video]) -> bool:
    return all(
        abs(side / ratio - round(side / ratio)) <= _WHOLE for video in videos for side in (video.width, video.height)
    )


def _number(name: str, value: object, least: float, most: float) -> float:
    right = isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most
    if not right:
        raise InvalidMeasurement(f"{name} is a number from {least} to {most}, got {str(value)[:40]!r}")
    return value


def _flag(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise InvalidMeasurement(f"{name} is true or false, got {str(value)[:40]!r}")
    return value


def _decoding(answer: object) -> dict:
    if not isinstance(answer, dict) or set(answer) != set(_DECODING):
        raise InvalidMeasurement(f"an answer about decoding is an object with exactly {', '.join(_DECODING)}")
    supported = _flag("supported", answer["supported"])
    others = {name: None if answer[name] is None else _flag(name, answer[name]) for name in _DECODING[1:]}
    return {"supported": supported, **others}
