"""What a fitted ranking answers: intervals, comparisons, preferences."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis import fit_bradley_terry
from analysis.errors import InvalidOption, UnknownCondition
from analysis.ranking.result import holm

SCORES = {"reference": 0.9, "ioi": 0.3, "ifgsm": 0.2, "fgsm": -1.0}


@pytest.fixture
def result(simulate):
    return fit_bradley_terry(simulate(SCORES, tie=0.1, participants=12))


def test_intervals_use_student_t_of_the_clusters(result):
    wide = stats.t.ppf(0.975, 11) * result.standard_errors
    np.testing.assert_allclose(result.interval()["high"] - result.scores, wide)
    np.testing.assert_allclose(result.scores - result.interval()["low"], wide)
    assert (result.interval(0.5)["high"] < result.interval(0.9)["high"]).all()


def test_independent_votes_use_the_normal_distribution(simulate):
    result = fit_bradley_terry(simulate(SCORES), cluster=None)
    wide = stats.norm.ppf(0.95) * result.standard_errors
    np.testing.assert_allclose(result.interval(0.9)["high"] - result.scores, wide)


@pytest.mark.parametrize("level", [0, 1, 95, -0.1])
def test_levels_are_between_0_and_1(result, level):
    with pytest.raises(InvalidOption, match="between 0 and 1"):
        result.interval(level)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_holm_equals_statsmodels(seed):
    from statsmodels.stats.multitest import multipletests

    p = np.random.default_rng(seed).uniform(0, 0.2, 15) ** 2
    p[3] = p[7]
    np.testing.assert_allclose(holm(p), multipletests(p, method="holm")[1], rtol=1e-12)


def test_every_pair_is_compared_once_the_better_first(result):
    table = result.compare()
    assert len(table) == 6
    assert (table["difference"] >= 0).all()
    assert {frozenset(pair) for pair in zip(table["first"], table["second"], strict=True)} == {
        frozenset((a, b)) for a in SCORES for b in SCORES if a != b
    }
    row = table.iloc[0]
    a, b = row["first"], row["second"]
    cov = result.covariance
    error = np.sqrt(cov.loc[a, a] + cov.loc[b, b] - 2 * cov.loc[a, b])
    assert row["standard_error"] == pytest.approx(error)
    assert row["p"] == pytest.approx(2 * stats.t.sf(row["difference"] / error, 11))
    assert row["probability"] == pytest.approx(1 / (1 + np.exp(-row["difference"])))
    assert row["low"] < row["probability"] < row["high"]
    assert (table["p_adjusted"] >= table["p"]).all()
    assert (result.compare(None)["p_adjusted"] == result.compare(None)["p"]).all()
    with pytest.raises(InvalidOption, match="expected 'holm' or None"):
        result.compare("bonferroni")


def test_intervals_and_tests_agree(result):
    """An interval of the preference excludes one half exactly where the unadjusted test rejects."""
    table = result.compare(None, level=0.95)
    assert ((table["low"] > 0.5) == (table["p"] < 0.05)).all()


def test_preference_over_the_reference(result):
    table = result.probability_against("reference")
    assert set(table.index) == {"ioi", "ifgsm", "fgsm"}
    pair = result.compare().set_index(["first", "second"]).loc[("reference", "fgsm")]
    np.testing.assert_allclose(table.loc["fgsm"], 1 - pair[["probability", "high", "low"]].to_numpy(float))
    matrix = result.probabilities()
    assert matrix.loc["fgsm", "reference"] == pytest.approx(table.loc["fgsm", "probability"])
    np.testing.assert_allclose(matrix + matrix.T, 1)


def test_a_misspelt_condition_suggests_the_nearest(result):
    with pytest.raises(UnknownCondition, match="did you mean 'reference'"):
        result.probability_against("referense")
    with pytest.raises(UnknownCondition, match="the votes name fgsm, ifgsm, ioi, reference"):
        result.probability_against("xyz")


def test_the_table_counts_the_votes(simulate):
    votes = simulate(SCORES, tie=0.2)
    result = fit_bradley_terry(votes)
    table = result.to_frame()
    assert list(table["rank"]) == [1, 2, 3, 4]
    assert table["score"].is_monotonic_decreasing
    shown = pd.concat([votes["left"], votes["right"]]).value_counts()
    pd.testing.assert_series_equal(
        (table["wins"] + table["losses"] + table["ties"]).sort_index(), shown.sort_index(), check_names=False
    )
    ioi = ((votes["left"] == "ioi") & (votes["choice"] == "left")) | (
        (votes["right"] == "ioi") & (votes["choice"] == "right")
    )
    assert table.loc["ioi", "wins"] == ioi.sum()
    assert result.n_ties == (votes["choice"] == "tie").sum()
    assert (result.n_votes, result.n_participants, result.n_sources) == (600, 40, 3)
    assert result.gauge == "sum of scores = 0"
