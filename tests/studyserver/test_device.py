"""Judging what a browser measured: which devices can show a study, and what people are told to mend."""

import dataclasses
import math

import pytest

from studyserver.device import DeviceFacts, Video, exact_zooms, judge, physical, read_measurement
from studyserver.device_texts import CHECKS, problem_text
from studyserver.errors import InvalidMeasurement
from tests.studyserver.good_device import GOOD

VIDEO = Video(960, 540, 25, 'video/mp4; codecs="avc1.64001f"', 8_000_000)
FACTS = DeviceFacts((VIDEO,), False, 500e6, 120, 50, True, True, False)
BESIDE = dataclasses.replace(FACTS, side_by_side=True)


def problems(facts=FACTS, **measured):
    found = judge(read_measurement({**GOOD, **measured}), facts)
    # Each has its line on the page and its sentence, with all numbers in place.
    assert all(problem.check in CHECKS and "%(" not in problem_text(problem) for problem in found)
    return {problem.name: problem.lasting for problem in found}


def test_a_good_device_has_no_problem():
    assert problems() == {}


@pytest.mark.parametrize(
    ("measured", "name", "lasting"),
    [
        ({"mobile": True}, "device-mobile", True),
        ({"touch_only": True, "touch_points": 5}, "device-mobile", True),
        ({"decoding": []}, "codec-unknown", False),
        ({"decoding": [{"supported": False, "smooth": None, "power_efficient": None}]}, "codec-unsupported", True),
        ({"decoding": [{"supported": True, "smooth": False, "power_efficient": None}]}, "codec-slow", True),
        ({"refresh_hz": 30}, "refresh-slow", True),
        ({"refresh_hz": None}, "refresh-unknown", False),
        ({"speed_mbps": 20}, "connection-slow", True),
        ({"speed_mbps": None}, "connection-unknown", True),
        ({"window_width": 900}, "window-small", False),
        ({"window_height": 600}, "window-small", False),
        ({"screen_width": 959, "window_width": 959}, "screen-small", True),
        ({"screen_height": 600, "window_height": 600}, "screen-small", True),
        ({"device_pixel_ratio": 1.1, "browser_zoom": 1.1}, "zoom-uneven", False),
        ({"device_pixel_ratio": 1.1, "browser_zoom": 1}, "zoom-none", True),
        # Nobody is kept on the page by a zoom that the browser does not tell.
        ({"device_pixel_ratio": 1.1, "browser_zoom": None}, "zoom-uneven", True),
    ],
)
def test_one_thing_wrong_is_one_problem(measured, name, lasting):
    assert problems(**measured) == {name: lasting}


@pytest.mark.parametrize(
    ("setting", "measured"),
    [
        ({"allow_mobile": True}, {"mobile": True, "touch_only": True}),
        ({"min_refresh_hz": 0}, {"refresh_hz": None}),
        ({"max_load_seconds": 0}, {"speed_mbps": None}),
        ({"require_exact_pixels": False}, {"device_pixel_ratio": 1.1}),
        ({"require_smooth": False}, {"decoding": [{"supported": True, "smooth": False, "power_efficient": False}]}),
        ({}, {"decoding": [{"supported": True, "smooth": None, "power_efficient": None}]}),
        ({}, {"refresh_hz": 49.2}),
    ],
)
def test_what_a_study_does_not_ask_for_is_no_problem(setting, measured):
    assert problems(dataclasses.replace(FACTS, **setting), **measured) == {}


def test_pixels_of_the_screen_count_not_those_of_the_page():
    """960 CSS pixels are 1920 of the screen at a ratio of 2."""
    small = {"screen_width": 960, "screen_height": 600, "window_width": 960, "window_height": 560}
    assert problems(device_pixel_ratio=2, **small) == {}
    assert problems(**small) == {"screen-small": True}
    assert physical(read_measurement({**GOOD, **small, "device_pixel_ratio": 2}))["screen_width_px"] == 1920


def test_two_videos_side_by_side_need_twice_the_room():
    width = 2 * 960
    assert problems(BESIDE, screen_width=width, window_width=width) == {}
    assert problems(BESIDE, screen_width=width, window_width=width - 1) == {"window-small": False}
    assert problems(BESIDE, screen_width=width - 1, window_width=width - 1) == {"screen-small": True}


@pytest.mark.parametrize("ratio", [0.5, 1, 1.25, 1.5, 2, 3, 1.3333334, 0.800000011920929])
def test_ratios_that_divide_the_video_are_exact(ratio):
    sizes = {name: math.ceil(GOOD[name] * 4 / ratio) for name in GOOD if name.startswith(("screen", "window"))}
    assert problems(device_pixel_ratio=ratio, browser_zoom=None, **sizes) == {}


def test_the_zoom_to_set_is_one_that_is_exact():
    """A screen scaled to 110 %: at 1.1 x 0.9090… nothing fits, at 150 % scaling 640 pixels need another zoom."""
    narrow = dataclasses.replace(FACTS, videos=(dataclasses.replace(VIDEO, width=640, height=360),))
    zooms = exact_zooms({"device_pixel_ratio": 1.5, "browser_zoom": 1}, narrow)
    assert zooms
    for zoom in zooms:
        step = {0.67: 2 / 3, 0.33: 1 / 3, 1.33: 4 / 3}.get(zoom, zoom)
        assert 640 / (1.5 * step) == pytest.approx(round(640 / (1.5 * step)), abs=0.02)
    found = judge({**GOOD, "device_pixel_ratio": 1.65, "browser_zoom": 1.1}, narrow)
    assert [problem.numbers["zoom"] for problem in found] == [round(100 * zooms[0])]


WRONG = [
    {"screen_width": "1920"},
    {"screen_width": 0},
    {"window_height": 1e9},
    {"device_pixel_ratio": math.nan},
    {"device_pixel_ratio": 0},
    {"device_pixel_ratio": True},
    {"refresh_hz": -1},
    {"refresh_hz": []},
    {"speed_mbps": math.inf},
    {"mobile": "no"},
    {"fullscreen": None},
    {"touch_points": -1},
    {"browser": "x" * 41},
    {"browser": 5},
    {"browser": "a\x00b"},
    {"decoding": {}},
    {"decoding": [{}]},
    {"decoding": [{"supported": 1, "smooth": True, "power_efficient": True}]},
    {"decoding": GOOD["decoding"] * 9},
    {"address": "10.0.0.1"},
]


def test_a_record_that_no_page_sends_is_refused():
    incomplete = {name: GOOD[name] for name in list(GOOD)[1:]}
    for raw in (None, [], "x", 5, {}, incomplete, *({**GOOD, **wrong} for wrong in WRONG)):
        with pytest.raises(InvalidMeasurement):
            read_measurement(raw)
