"""Coefficients as printed in the literature, from the counts printed there."""

import numpy as np
import pytest

from analysis import fit_bradley_terry
from analysis.ranking.counts import CodedVotes

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


def baseball() -> CodedVotes:
    """Every game a vote, the home team on the left."""
    counts = np.stack([WON_AT_HOME, LOST_AT_HOME, np.zeros((7, 7), dtype=int)], axis=-1)
    home, away, answer = (np.repeat(part.ravel(), counts.ravel()) for part in np.indices(counts.shape))
    return CodedVotes.from_arrays(home, away, answer, conditions=TEAMS)


def test_davidson_pudding(pudding):
    """Davidson (1970), JASA 65, example 2: worths that sum to one, and nu."""
    result = fit_bradley_terry(pudding, cluster=None)
    worths = np.exp(result.scores) / np.exp(result.scores).sum()
    np.testing.assert_allclose(worths, [0.1388, 0.1730, 0.1617, 0.1654, 0.1587, 0.2024], atol=5e-5)
    assert result.tie_parameter == pytest.approx(0.7468, abs=5e-5)
    assert result.n_ties == 202


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
    """Agresti (2002), p. 438, table 10.11, and his remark that the standard errors are about 0.3."""
    result = fit_bradley_terry(baseball(), cluster=None).anchored("Baltimore")
    found = result.scores[["Cleveland", "Boston", "New York", "Toronto", "Detroit", "Milwaukee"]]
    np.testing.assert_allclose(found, [0.68, 1.11, 1.25, 1.29, 1.44, 1.58], atol=5e-3)
    np.testing.assert_allclose(result.standard_errors.drop("Baltimore"), 0.3, atol=0.05)


def test_baseball_with_home_effect():
    """Agresti (2002), p. 438: home effect 0.302, and table 10.11, the strengths that sum to one with it."""
    result = fit_bradley_terry(baseball(), cluster=None, position=True)
    assert result.position.value == pytest.approx(0.302, abs=5e-4)
    strengths = np.exp(result.scores) / np.exp(result.scores).sum()
    np.testing.assert_allclose(strengths[list(TEAMS)], [0.220, 0.190, 0.164, 0.157, 0.137, 0.088, 0.044], atol=5e-4)
