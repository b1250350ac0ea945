"""The scores against an independent transcription of the benchmark's formulas, scipy, and figures done by hand."""

import numpy as np
import pytest
from scipy import stats

from analysis import robustness_scores
from analysis.errors import ConstantScores, InvalidOption, InvalidScores, TooFewScores
from analysis.robustness.distances import signed_distances
from analysis.robustness.scores import gain_scores

MEANS = ("absolute_gain", "relative_gain", "robustness")


def expected(clear, attacked, lower_better=False, bounds=None):
    """Value (and rows, for the means) of the benchmark's scores, written from the paper's equations."""
    low, high = bounds or (min(clear), max(clear))
    s, t = (np.asarray(clear) - low) / (high - low), (np.asarray(attacked) - low) / (high - low)
    k = -1 if lower_better else 1
    rows = {
        "absolute_gain": k * (t - s),
        "relative_gain": k * ((t + 1) - (s + 1)) / (s + 1),
        "robustness": np.log10(np.maximum(1 - s, s - 0) / (np.abs(t - s) + 1e-6)),
    }
    sign = k * np.sign(t.mean() - s.mean())
    distances = {
        "wasserstein": sign * stats.wasserstein_distance(s, t),
        "energy": sign * stats.energy_distance(s, t),
    }
    return rows, distances


def cases():
    rng = np.random.default_rng(3)
    for n in (2, 3, 50):
        clear = rng.normal(40, 12, n)
        yield clear, clear + rng.normal(3, 8, n)
        yield clear, clear.round(-1) - 20  # ties, all lower
        yield clear, rng.permutation(clear)  # the same distribution
        yield clear, clear.copy()
    yield [0.2, 0.5, 0.9], [0.2, 7.5, -3.0]
    yield rng.random(600), rng.random(600) + 0.1  # more steps than are worked on at a time


def test_every_score_equals_its_formula_and_scipy(monkeypatch):
    monkeypatch.setattr("analysis.robustness.distances._RESAMPLES", 19)
    checked = 0
    for clear, attacked in cases():
        for options in ({}, {"lower_better": True}, {"bounds": (-90.0, 110.0)}):
            found = robustness_scores(clear, attacked, **options)
            rows, distances = expected(clear, attacked, **options)
            for name in MEANS:
                assert getattr(found, name).mean == pytest.approx(rows[name].mean(), abs=1e-9)
                if rows[name].std() > 1e-12:
                    ends = stats.t.interval(0.95, len(clear) - 1, loc=rows[name].mean(), scale=stats.sem(rows[name]))
                    assert (getattr(found, name).low, getattr(found, name).high) == pytest.approx(ends, abs=1e-9)
            for name, value in distances.items():
                assert getattr(found, name).mean == pytest.approx(value, abs=1e-9)
            checked += 1
    assert checked == 42


def test_figures_done_by_hand():
    found = robustness_scores([2, 4, 6], [4, 8, 6])
    assert (found.n, found.low, found.high, found.interval, found.groups) == (3, 2, 6, "rows", 3)
    # s = 0, 1/2, 1; t = 1/2, 3/2, 1.
    assert found.absolute_gain.mean == pytest.approx(0.5)
    assert found.relative_gain.mean == pytest.approx((0.5 / 1 + 1 / 1.5 + 0) / 3)
    assert found.robustness.mean == pytest.approx(np.log10([1 / 0.500001, 0.5 / 1.000001, 1 / 1e-6]).mean())
    assert found.wasserstein.mean == pytest.approx(0.5)
    assert found.relative_gain_raw.mean == pytest.approx((1 + 1 + 0) / 3)
    assert found.relative_gain_raw.low == pytest.approx(2 / 3 - stats.t.ppf(0.975, 2) / 3)


def test_the_raw_relative_gain_only_where_it_means_something():
    assert robustness_scores([1, 2], [2, 3], lower_better=True).relative_gain_raw is None
    assert robustness_scores([0, 2], [2, 3]).relative_gain_raw is None
    assert robustness_scores([5e-324, 2], [2, 3]).relative_gain_raw is None


def test_no_change_is_the_largest_robustness():
    found = robustness_scores([0, 0.5, 1], [0, 0.5, 1])
    assert found.robustness.mean == pytest.approx((6 + np.log10(0.5e6) + 6) / 3)
    assert (found.absolute_gain.mean, found.wasserstein.mean, found.energy.mean) == (0, 0, 0)


def test_intervals_of_groups_are_those_of_their_sums():
    rng = np.random.default_rng(5)
    clear = rng.random(60)
    clips = np.repeat([f"clip{k}" for k in range(6)], 10)
    attacked = clear + np.repeat(rng.normal(0.2, 0.3, 6), 10) + rng.normal(0, 0.01, 60)
    alone, grouped = (robustness_scores(clear, attacked, groups=groups) for groups in (None, clips))
    assert (grouped.interval, grouped.groups, alone.interval) == ("groups", 6, "rows")
    for name in (*MEANS, "wasserstein", "energy"):
        wide, narrow = getattr(grouped, name), getattr(alone, name)
        assert wide.mean == narrow.mean
        assert wide.high - wide.low > 1.5 * (narrow.high - narrow.low)
        assert wide.low <= wide.mean <= wide.high
    # With groups of one size the cluster interval is Student's over the groups' means.
    means = expected(clear, attacked)[0]["absolute_gain"].reshape(6, 10).mean(axis=1)
    ends = stats.t.interval(0.95, 5, loc=means.mean(), scale=stats.sem(means))
    assert (grouped.absolute_gain.low, grouped.absolute_gain.high) == pytest.approx(ends, abs=1e-12)
    assert gain_scores(clear, attacked, lower_better=False, level=0.95, groups=clips) == (
        grouped.absolute_gain,
        grouped.relative_gain,
    )
    single = robustness_scores(clear, attacked, groups=np.arange(60))
    assert single.absolute_gain.low == pytest.approx(alone.absolute_gain.low, abs=1e-12)
    assert robustness_scores(clear, attacked, groups=["x"] * 60).interval == "rows"


def test_bootstrap_intervals_cover_and_depend_on_nothing_but_the_seed():
    rng = np.random.default_rng(7)
    clear = rng.random(200)
    attacked = clear + rng.normal(0.3, 0.1, 200)
    found = robustness_scores(clear, attacked)
    # All rows move up, so the Wasserstein score is the mean gain and has its interval.
    assert found.wasserstein.low == pytest.approx(found.absolute_gain.low, abs=0.004)
    assert found.wasserstein.high == pytest.approx(found.absolute_gain.high, abs=0.004)
    assert robustness_scores(clear, attacked) == found
    assert robustness_scores(clear, attacked, seed=1).wasserstein.low != found.wasserstein.low
    wider = robustness_scores(clear, attacked, level=0.99)
    assert wider.energy.low < found.energy.low and wider.energy.high > found.energy.high
    resampled = [rng.integers(200, size=200) for _ in range(400)]
    scaled = np.stack(((clear - clear.min()) / np.ptp(clear), (attacked - clear.min()) / np.ptp(clear)))
    energies = [stats.energy_distance(*scaled[:, rows]) for rows in resampled]
    assert (found.energy.low, found.energy.high) == pytest.approx(np.quantile(energies, [0.025, 0.975]), abs=0.01)


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        (([1, 2], [1]), InvalidScores, "2 clear and 1 attacked"),
        (([1], [2]), TooFewScores, "two frames or more, got 1"),
        (([], []), TooFewScores, "got 0"),
        (([3, 3], [1, 2]), ConstantScores, "all 2 clear scores are 3"),
        (([1, np.nan], [1, 2]), InvalidScores, "clear score 1 is nan"),
        (([1, 2], [np.inf, 2]), InvalidScores, "attacked score 0 is inf"),
        (([[1, 2]], [[1, 2]]), InvalidScores, r"shape \(1, 2\)"),
        ((["a", "b"], [1, 2]), InvalidScores, "must be numbers"),
        (([0, 1], [1, 1e200]), InvalidScores, "cannot be scaled by the range 0 to 1: the numbers would overflow"),
        (([0, 5e-324], [0, 1]), InvalidScores, "would overflow"),
        (([1e308, -1e308], [0, 1]), InvalidScores, "would overflow"),
    ],
)
def test_what_is_wrong_with_scores_is_said(arguments, error, says):
    with pytest.raises(error, match=says):
        robustness_scores(*arguments)


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"level": 95}, InvalidOption, "level is 95; expected a number between 0 and 1"),
        ({"bounds": (1, 1)}, InvalidOption, "the lower one first"),
        ({"bounds": 3}, InvalidOption, "two numbers"),
        ({"bounds": (10, 11)}, InvalidOption, "more than their width below"),
        ({"groups": ["a"]}, InvalidScores, "label each of the 2 rows"),
    ],
)
def test_what_is_wrong_with_options_is_said(options, error, says):
    with pytest.raises(error, match=says):
        robustness_scores([1, 2], [2, 3], **options)


@pytest.mark.slow
def test_intervals_of_few_groups_cover_what_they_estimate():
    """A population of clips whose scores rise by N(0.3, 0.1^2) each: of 95 % intervals, nearly that many hold it."""
    rng = np.random.default_rng(2)

    def study(groups, frames=10):
        clips = np.repeat(np.arange(groups), frames)
        clear = np.clip(rng.beta(2, 2, groups)[clips] + rng.normal(0, 0.05, len(clips)), 0, 1)
        return clear, clear + rng.normal(0.3, 0.1, groups)[clips] + rng.normal(0, 0.05, len(clips)), clips

    rows, truth = expected(*study(40_000)[:2], bounds=(0, 1))
    truth |= {name: values.mean() for name, values in rows.items()}
    held = dict.fromkeys(truth, 0)
    for _ in range(200):
        clear, attacked, clips = study(5)
        found = robustness_scores(clear, attacked, bounds=(0, 1), groups=clips)
        for name, value in truth.items():
            held[name] += getattr(found, name).low <= value <= getattr(found, name).high
    # 200 draws of 0.95 leave [0.90, 0.99] once in a thousand.
    assert all(0.89 < count / 200 < 0.995 for count in held.values()), held


def test_errors_of_many_rows_are_those_of_every_step(monkeypatch):
    rng = np.random.default_rng(4)
    s = rng.random(3000)
    t = s + rng.normal(0.1, 0.2, 3000)
    together = signed_distances(s, t, group=np.arange(3000) % 30, seed=0)
    monkeypatch.setattr("analysis.robustness.distances._STEPS", 10**6)
    apart = signed_distances(s, t, group=np.arange(3000) % 30, seed=0)
    np.testing.assert_array_equal(together[0], apart[0])
    np.testing.assert_allclose(together[1], apart[1], rtol=0.01)


def test_constant_clear_scores_have_a_range_where_bounds_give_one():
    assert robustness_scores([3, 3], [4, 5], bounds=(0, 10)).absolute_gain.mean == pytest.approx(0.15)
