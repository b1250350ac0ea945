"""Strength matching on gains whose answer is known in closed form."""

import math

import pytest

from stimuli.errors import Unreachable
from stimuli.matching import match_strength

TARGET = 0.1
# gain(strength), and the smallest strength where it is TARGET
RISING = {
    "linear": (lambda s: 20 * s, 0.005),
    "root": (lambda s: math.sqrt(s), 0.01),
    "square": (lambda s: 400 * s * s, math.sqrt(TARGET / 400)),
    "saturating": (lambda s: 0.2 * (1 - math.exp(-s / 0.02)), 0.02 * math.log(2)),
    "dead zone": (lambda s: 10 * max(0.0, s - 0.005), 0.015),
    "peak": (
        lambda s: 0.12 * math.exp(-(math.log(s / 0.01) ** 2) / 0.3),
        0.01 * math.exp(-math.sqrt(0.3 * math.log(1.2))),
    ),
    "peak, then negative": (lambda s: 8 * s * math.exp(-s / 0.05) - 3 * max(0.0, s - 0.1), None),
}


def search(gain, start=0.001, tolerance=0.01, high=1.0, **options):
    return match_strength(gain, TARGET, start=start, low=1e-6, high=high, tolerance=tolerance, **options)


@pytest.mark.parametrize("name", RISING)
@pytest.mark.parametrize("start", [1e-4, 1e-3, 5e-3])
def test_finds_the_smallest_strength(name, start):
    gain, answer = RISING[name]
    match = search(gain, start=start)
    assert abs(match.gain - TARGET) <= 0.01 * TARGET
    assert match.gain == gain(match.strength)
    if answer:
        assert match.strength == pytest.approx(answer, rel=0.03)
    # On the first rising branch: everything weaker has less.
    weaker = [gain(match.strength * share) for share in (0.2, 0.5, 0.8, 0.95)]
    assert all(value < match.gain for value in weaker)


@pytest.mark.parametrize("name", ["linear", "root", "square", "saturating"])
def test_costs_few_evaluations_from_the_slope(name):
    gain, answer = RISING[name]
    match = search(gain, start=answer / 2)
    assert len(match.evaluations) <= 4


def test_a_start_far_too_strong_comes_down():
    match = search(RISING["saturating"][0], start=0.5)
    assert match.strength == pytest.approx(0.02 * math.log(2), rel=0.03)


def test_exponent_is_the_local_power_law():
    assert search(RISING["square"][0]).exponent == pytest.approx(2, rel=0.01)
    assert search(RISING["linear"][0], start=0.005).exponent == 1


def test_reported_evaluations_are_the_calls_made():
    calls = []

    def gain(strength):
        calls.append(strength)
        return 20 * strength

    match = search(gain)
    assert [point.strength for point in match.evaluations] == calls


@pytest.mark.parametrize("start", [1e-4, 5e-3, 0.05])
def test_a_peak_below_the_target_is_unreachable_and_reports_the_peak(start):
    with pytest.raises(Unreachable, match="falls again") as caught:
        search(lambda s: 0.08 * math.exp(-(math.log(s / 0.01) ** 2) / 2), start=start)
    assert caught.value.best_gain == pytest.approx(0.08, rel=0.05)
    assert caught.value.strength == pytest.approx(0.01, rel=0.5)


def test_a_gain_that_stays_low_is_unreachable_at_the_strongest():
    with pytest.raises(Unreachable, match="stays below") as caught:
        search(lambda s: 0.05 * s, high=0.4)
    assert caught.value.strength == 0.4
    assert caught.value.best_gain == pytest.approx(0.02)


def test_a_gain_that_is_negative_everywhere_is_unreachable():
    with pytest.raises(Unreachable):
        search(lambda s: -s)


def test_a_jump_over_the_target_is_said():
    with pytest.raises(Unreachable, match="jumps from"):
        search(lambda s: 0.05 if s < 0.01 else 0.2, most_evaluations=40)


@pytest.mark.parametrize("seed", range(6))
def test_an_uneven_gain_is_no_peak_and_no_jump(seed):
    """As of a change so weak that the encoder's decisions move its gain by some percent."""

    def gain(strength):
        return 20 * strength * (1 + 0.04 * math.sin(1e7 * strength + seed))

    assert search(gain, start=0.003, tolerance=0.02).strength == pytest.approx(0.005, rel=0.08)


def test_the_slope_at_zero_tells_how_a_saturating_gain_bends():
    gain, slope = lambda s: 30 * s / (1 + s / 0.01), 30
    bent = search(gain, start=TARGET / slope, slope=slope, tolerance=0.02)
    assert len(bent.evaluations) < len(search(gain, start=TARGET / slope, tolerance=0.02).evaluations)
    assert bent.strength == pytest.approx(0.005, rel=0.05)


def test_stops_after_the_most_evaluations():
    calls = []

    def gain(strength):
        calls.append(strength)
        return 0.05 if strength < 0.01 else 0.2

    with pytest.raises(Unreachable, match="5 strengths"):
        search(gain, most_evaluations=5)
    assert len(calls) == 5
