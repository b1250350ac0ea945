"""Coefficients and standard errors as printed in the literature, from the counts printed there."""

import numpy as np
import pytest

from analysis import CodedVotes, fit_bradley_terry
from analysis.errors import InvalidOption
from analysis.ranking.families import probabilities

# Agresti (2002), Categorical Data Analysis, table 10.10: American League East 1987. Rows are at home, columns away, in
# this order of teams: won and lost at home.
TEAMS = ("Milwaukee", "Detroit", "Toronto", "New York", "Boston", "Cleveland", "Baltimore")
WON_AT_HOME = [
    [0, 4, 4, 4, 6, 4, 6],
    [3, 0, 4, 4, 6, 6, 4],
    [2, 4, 0, 2, 4, 4, 6],
    [3, 5, 2, 0, 4, 4, 6],
    [5, 2, 3, 4, 0, 5, 6],
    [2, 3, 3, 4, 4, 0, 2],
    [2, 1, 1, 2, 1, 3, 0],
]
LOST_AT_HOME = [
    [0, 3, 2, 3, 1, 2, 0],
    [3, 0, 2, 3, 0, 1, 3],
    [5, 3, 0, 4, 3, 2, 0],
    [3, 1, 5, 0, 3, 2, 1],
    [1, 5, 3, 2, 0, 2, 0],
    [5, 3, 4, 3, 2, 0, 4],
    [5, 5, 6, 4, 6, 4, 0],
]

# Six German parties, each pair put to 192 students in 2009 (psychotools, GermanParties2009): the row preferred over
# the column.
PARTIES = ("none", "Linke", "Gruene", "SPD", "CDU/CSU", "FDP")
PREFERRED = [
    [0, 119, 25, 38, 69, 83],
    [73, 0, 23, 34, 76, 70],
    [167, 169, 0, 124, 128, 137],
    [154, 158, 68, 0, 125, 134],
    [123, 116, 64, 67, 0, 106],
    [109, 122, 55, 58, 86, 0],
]
# Seven tone mappings of video over five scenes (pwcmp, ex3_tmo_cmp_data): the row preferred over the column.
TONE_MAPPINGS = ("ferwerda96", "hateren06", "irawan05", "mantiuk08", "pattanaik00", "ronan12", "tmo_camera")
BETTER = [
    [0, 45, 16, 17, 43, 26, 19],
    [11, 0, 3, 5, 15, 8, 11],
    [37, 35, 0, 43, 40, 48, 35],
    [44, 43, 12, 0, 47, 38, 40],
    [19, 54, 10, 6, 0, 24, 17],
    [34, 55, 15, 20, 41, 0, 21],
    [46, 44, 17, 28, 47, 34, 0],
]


def votes_of(left_chosen, conditions, right_chosen=None) -> CodedVotes:
    """One vote for each count of two tables (left, right)."""
    tables = [left_chosen, np.zeros_like(left_chosen) if right_chosen is None else right_chosen]
    counts = np.stack(tables, axis=-1)
    left, right, answer = (np.repeat(part.ravel(), counts.ravel()) for part in np.indices(counts.shape))
    return CodedVotes.from_arrays(left, right, answer, conditions=conditions)


def baseball() -> CodedVotes:
    """Every game a vote, the home team on the left."""
    return votes_of(WON_AT_HOME, TEAMS, LOST_AT_HOME)


def test_davidson_pudding(pudding):
    """Davidson (1970), JASA 65, example 2: worths that sum to one, and nu."""
    result = fit_bradley_terry(pudding, cluster=None)
    worths = result.worths()
    np.testing.assert_allclose(worths["worth"], [0.1388, 0.1730, 0.1617, 0.1654, 0.1587, 0.2024], atol=5e-5)
    assert result.tie_parameter == pytest.approx(0.7468, abs=5e-5)
    assert result.n_ties == 202
    # Their standard errors: the scores drawn many times from their distribution.
    draws = np.exp(np.random.default_rng(0).multivariate_normal(result.scores, result.covariance, 20_000))
    spread = (draws / draws.sum(axis=1, keepdims=True)).std(axis=0)
    np.testing.assert_allclose(worths["standard_error"], spread, rtol=0.03)
    for same in (result.in_jod(), result.anchored("3")):
        np.testing.assert_allclose(same.worths(), worths, rtol=1e-10)


def test_statisticians_citations(write_counts):
    """Stigler's citations in Agresti (2002), p. 448; coefficients as Turner & Firth (2012) print them."""
    votes = write_counts(
        [
            ("Biometrika", "Comm Statist", 730, 33, 0),
            ("Biometrika", "JASA", 498, 320, 0),
            ("Biometrika", "JRSS-B", 221, 284, 0),
            ("Comm Statist", "JASA", 68, 813, 0),
            ("Comm Statist", "JRSS-B", 17, 276, 0),
            ("JASA", "JRSS-B", 142, 325, 0),
        ]
    )
    found = fit_bradley_terry(votes).anchored("Biometrika").scores
    np.testing.assert_allclose(found[["Comm Statist", "JASA", "JRSS-B"]], [-2.94907, -0.47957, 0.26895], atol=5e-6)


def test_baseball_without_home_effect():
    """Agresti (2002), p. 438, table 10.11; with more digits and standard errors in Turner & Firth (2012)."""
    result = fit_bradley_terry(baseball(), cluster=None).anchored("Baltimore")
    teams = ["Boston", "Cleveland", "Detroit", "Milwaukee", "New York", "Toronto"]
    np.testing.assert_allclose(result.scores[teams], [1.1077, 0.6839, 1.4364, 1.5814, 1.2476, 1.2945], atol=5e-5)
    wanted = [0.3339, 0.3319, 0.3396, 0.3433, 0.3359, 0.3367]
    np.testing.assert_allclose(result.standard_errors[teams], wanted, atol=5e-5)


def test_baseball_with_home_effect():
    """Agresti (2002), p. 438, table 10.11: strengths that sum to one; the rest as Turner & Firth (2012) print it."""
    result = fit_bradley_terry(baseball(), cluster=None, position=True)
    found = result.position
    np.testing.assert_allclose([found.value, found.standard_error], [0.3023, 0.1309], atol=5e-5)
    assert found.p == pytest.approx(0.020981, abs=5e-7)
    strengths = result.worths().loc[list(TEAMS), "worth"]
    np.testing.assert_allclose(strengths, [0.220, 0.190, 0.164, 0.157, 0.137, 0.088, 0.044], atol=5e-4)
    anchored = result.anchored("Baltimore")
    teams = ["Boston", "Cleveland", "Detroit", "Milwaukee", "New York", "Toronto"]
    wanted = [1.1438027, 0.7046945, 1.4753572, 1.6195550, 1.2813404, 1.3271104]
    np.testing.assert_allclose(anchored.scores[teams], wanted, atol=5e-8)
    wanted = [0.3378422, 0.3350014, 0.3445518, 0.3473653, 0.3404034, 0.3403222]
    np.testing.assert_allclose(anchored.standard_errors[teams], wanted, atol=1e-6)
    # A unit is a unit for the bias too.
    jod = result.in_jod()
    assert jod.preference(jod.position.value) == pytest.approx(result.preference(found.value))
    assert jod.position.value / jod.position.standard_error == pytest.approx(found.value / found.standard_error)


def test_german_parties():
    """As the examples of psychotools print them, FDP the reference."""
    result = fit_bradley_terry(votes_of(PREFERRED, PARTIES), cluster=None).anchored("FDP")
    found = result.scores[list(PARTIES[:5])]
    np.testing.assert_allclose(found, [-0.3756, -0.6161, 1.1858, 0.8131, 0.1756], atol=5e-5)
    wanted = [0.0890, 0.0910, 0.0951, 0.0907, 0.0875]
    np.testing.assert_allclose(result.standard_errors[list(PARTIES[:5])], wanted, atol=5e-5)
    assert result.log_likelihood == pytest.approx(-1720, abs=5)


def test_tone_mappings_in_jod():
    """The maximum of pwcmp's likelihood with the prior "none", by a general optimiser; 75 of 100 is 1 JOD a step.

    Run itself, pwcmp has Bradley-Terry / ln 3 wider by 3.4 % and at most 0.057 JOD apart (the project's measurements).
    """
    votes = votes_of(BETTER, TONE_MAPPINGS)
    result = fit_bradley_terry(votes, model="thurstone", cluster=None)
    np.testing.assert_allclose(
        result.scores, [-0.10859, -1.39044, 1.04492, 0.60747, -0.56235, 0.03909, 0.36989], atol=2e-5
    )
    logistic = fit_bradley_terry(votes, cluster=None).in_jod().scores
    assert logistic.std() / result.scores.std() == pytest.approx(1.034, abs=5e-4)
    assert (logistic - result.scores).abs().max() == pytest.approx(0.057, abs=5e-4)
    chain = fit_bradley_terry(
        votes_of([[0, 25, 0], [75, 0, 25], [0, 75, 0]], "abc"), model="thurstone", cluster=None
    ).anchored("a")
    np.testing.assert_allclose(chain.scores, [0, 1, 2], atol=1e-9)
    with pytest.raises(InvalidOption, match="no worths"):
        chain.worths()


def test_order_effect_as_davidson_and_beaver_write_it(pudding):
    """Davidson & Beaver (1977), Biometrics 33: worths first : second : tie = p_i : gamma p_j : nu sqrt(p_i p_j)."""
    turned = pudding.assign(
        left=pudding["right"], right=pudding["left"], choice=pudding["choice"].replace({"left": "right"})
    )
    both = pudding._append(turned, ignore_index=True)
    result = fit_bradley_terry(both, position=True, cluster=None)
    bias = result.position.value
    gamma, nu = np.exp(-bias), result.tie_parameter * np.exp(-bias / 2)
    one, other = result.worths()["worth"][["1", "2"]]
    parts = np.array([one, gamma * other, nu * np.sqrt(one * other)])
    gap = result.scores["1"] - result.scores["2"] + bias
    wanted = probabilities("davidson", np.array(gap), np.log(result.tie_parameter))
    np.testing.assert_allclose(parts / parts.sum(), wanted, rtol=1e-12)
    assert abs(bias) > 0.1
