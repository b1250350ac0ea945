"""What a playback record may hold; tests/studyserver/test_rules.py has how it is judged."""

from studyserver.playback import clean_playback
from tests.studyserver.conftest import SMOOTH

# As the player sends it after a pair that was switched by its participant.
WHOLE = {
    "left": {**SMOOTH["left"], "load_ms": 210, "css_width": 51.2, "css_height": 38.4},
    "right": {**SMOOTH["right"], "load_ms": 180, "css_width": 51.2, "css_height": 38.4},
    "offsets": {"-1": 3, "0": 50},
    "offset_max": 1,
    "play_ms": 1012,
    "first_frame_ms": 41,
    "plays": 2,
    "out_of_step": 1,
    "hidden": 0,
    "switches": 4,
    "device_pixel_ratio": 1.25,
    "scale": 1,
    "window_width": 1280,
    "window_height": 720,
    "fullscreen": True,
    "refresh_hz": 59.9,
}


def test_a_record_comes_back_as_it_was_sent():
    assert clean_playback(WHOLE) == WHOLE


def test_videos_one_after_the_other_have_no_distance():
    sequential = {name: value for name, value in WHOLE.items() if not name.startswith("offset")}
    assert "offsets" not in clean_playback(sequential)


def test_distances_are_written_in_one_way():
    assert clean_playback({"offsets": {" 2": 1, "-01": 5}})["offsets"] == {"-1": 5, "2": 1}
