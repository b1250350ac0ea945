"""Relative gain, by hand-computed numbers and by its invariances."""

import numpy as np
import pytest

from attacks import relative_gain
from attacks.errors import InvalidScores


def test_relative_form():
    gain = relative_gain([50, 40], [55, 50], lower_better=False, score_range=(0, 100))
    assert gain.form == "relative"
    np.testing.assert_allclose(gain.per_frame, [0.1, 0.25])
    assert gain.mean == pytest.approx(0.175)


def test_lower_better_is_measured_from_the_top_of_the_range():
    gain = relative_gain([20.0], [0.0], lower_better=True, score_range=(0, 100))
    assert gain.form == "relative"
    assert gain.mean == pytest.approx(20 / 80)


def test_lower_better_scores_may_cross_zero():
    gain = relative_gain([25.7], [-12.0], lower_better=True, score_range=(0, 100))
    assert gain.mean == pytest.approx(37.7 / 74.3)


@pytest.mark.parametrize("clean", [[-60.0, 50.0], [0.0, 50.0], [5.0, 50.0]])
def test_near_zero_the_scaled_form_is_used(clean):
    gain = relative_gain(clean, [70.0, 70.0], lower_better=False, score_range=(-100, 100))
    assert gain.form == "scaled"
    scaled = (np.array(clean) + 100) / 200
    np.testing.assert_allclose(gain.per_frame, (170 / 200 - scaled) / (scaled + 1))


def test_the_scaled_form_does_not_depend_on_the_metrics_unit():
    one = relative_gain([0.0], [0.5], lower_better=False, score_range=(-1, 1)).mean
    other = relative_gain([0.0], [50.0], lower_better=False, score_range=(-100, 100)).mean
    assert one == pytest.approx(other)


def test_the_threshold_is_five_percent_of_the_range():
    forms = [
        relative_gain([score], [60], lower_better=False, score_range=(20, 120)).form for score in (4.99, 5.0, 5.01)
    ]
    assert forms == ["scaled", "scaled", "relative"]


@pytest.mark.parametrize("form", ["relative", "scaled"])
@pytest.mark.parametrize("lower_better", [False, True])
def test_no_change_is_no_gain_and_better_is_positive(form, lower_better):
    clean = np.array([30.0, 60.0])
    better = clean + (-5 if lower_better else 5)
    options = {"lower_better": lower_better, "score_range": (0, 100), "form": form}
    assert relative_gain(clean, clean, **options).mean == 0
    assert (relative_gain(clean, better, **options).per_frame > 0).all()
    assert relative_gain(clean, better, **options).form == form


@pytest.mark.parametrize(
    ("clean", "adversarial", "options"),
    [
        ([1, 2], [1], {}),
        ([], [], {}),
        ([[1.0]], [[1.0]], {}),
        ([1, float("nan")], [1, 2], {}),
        ([1, 2], [1, float("inf")], {}),
        ([50], [60], {"score_range": (100, 0)}),
        ([50], [60], {"score_range": (0, float("inf"))}),
        ([50], [60], {"form": "ratio"}),
        ([0], [60], {"form": "relative"}),
        ([-101], [60], {"form": "scaled"}),
    ],
)
def test_bad_scores_are_named(clean, adversarial, options):
    with pytest.raises(InvalidScores):
        relative_gain(clean, adversarial, **{"lower_better": False, "score_range": (0, 100), **options})
