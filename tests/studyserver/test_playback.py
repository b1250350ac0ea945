"""Judging how a trial played."""

import pytest

from studyserver.playback import assess_playback, clean_playback
from tests.studyserver.conftest import SMOOTH


def record(**changes):
    return clean_playback({**SMOOTH, **changes})


def side(**changes):
    return {**SMOOTH["left"], **changes}


def test_smooth_playback_is_good():
    assert assess_playback(record()).ok


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"left": side(shown=0)}, "no frames counted on the left"),
        ({"right": side(stalls=2)}, "2 stalls on the right"),
        ({"left": side(dropped=2)}, "2 frames dropped on the left"),
        ({"offsets": {"0": 20, "2": 5}}, "more than 1 frame apart in 5 of 25 frames"),
        ({"offsets": {"0": 20, "-3": 5}}, "more than 1 frame apart in 5 of 25 frames"),
    ],
)
def test_what_spoils_it_is_named(changes, reason):
    assessment = assess_playback(record(**changes))
    assert not assessment.ok
    assert assessment.reason == reason


@pytest.mark.parametrize(
    "changes", [{"right": side(stalls=1)}, {"left": side(dropped=1)}, {"offsets": {"0": 10, "1": 13, "2": 2}}]
)
def test_what_is_within_bounds_does_not(changes):
    assert assess_playback(record(**changes)).ok


def test_no_record_is_not_good():
    assert not assess_playback(clean_playback({})).ok
