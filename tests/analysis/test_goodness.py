"""Deviance, its correction for participants, and residuals by pair: against published numbers and other libraries."""

import numpy as np
import pandas as pd
import pytest
from scipy.linalg import null_space
from scipy.stats import chi2

from analysis import fit_bradley_terry, validate_votes
from analysis.errors import InvalidOption
from analysis.ranking.counts import CodedVotes, code_votes
from analysis.ranking.goodness import goodness_of_fit

FOUR = {"reference": 0.9, "ioi": 0.3, "ifgsm": -0.2, "fgsm": -1.0}
CITATIONS = [
    ("Biometrika", "Comm Statist", 730, 33, 0), ("Biometrika", "JASA", 498, 320, 0),
    ("Biometrika", "JRSS-B", 221, 284, 0),
    ("Comm Statist", "JASA", 68, 813, 0), ("Comm Statist", "JRSS-B", 17, 276, 0), ("JASA", "JRSS-B", 142, 325, 0),
]  # fmt: skip


def fit_tested(votes, *, ties="davidson", **options):
    return goodness_of_fit(votes, fit_bradley_terry(votes, ties=ties, **options))


class TestPublished:
    def test_citations(self, write_counts):
        """Stigler's citations: residual deviance and its degrees of freedom as Turner & Firth (2012) print them."""
        fit = fit_tested(write_counts(CITATIONS))
        assert (round(fit.deviance, 3), fit.degrees_of_freedom) == (4.293, 3)
        assert fit.p == pytest.approx(chi2.sf(4.2934, 3), abs=1e-4)
        assert fit.thin_pairs == 0

    def test_baseball_1987(self, write_counts):
        """American League East in Agresti (2002), p. 438: G2 = 15.7 with 15 degrees of freedom."""
        won = np.array(
            [[0, 7, 9, 7, 7, 9, 11], [6, 0, 7, 5, 11, 9, 9], [4, 6, 0, 7, 7, 8, 12], [6, 8, 6, 0, 6, 7, 10],
             [6, 2, 6, 7, 0, 7, 12], [4, 4, 5, 6, 6, 0, 6], [2, 4, 1, 3, 1, 7, 0]]
        )  # fmt: skip
        fit = fit_tested(write_counts([(i, j, won[i, j], won[j, i], 0) for i in range(7) for j in range(i)]))
        assert (round(fit.deviance, 1), fit.degrees_of_freedom) == (15.7, 15)
        assert fit.thin_pairs == 11


@pytest.mark.slow
class TestAgainstStatsmodels:
    def test_deviance_and_adjusted_residuals(self, simulate):
        """A binomial GLM over the pairs; its adjusted residuals are Pearson's over the root of 1 - leverage."""
        import statsmodels.api as sm

        votes = validate_votes(simulate(FOUR, participants=30))
        fit = fit_tested(votes)
        table = code_votes(votes).pooled().reshape(4, 4, 3)
        first, second = np.triu_indices(4, 1)
        won = table[first, second, 0] + table[second, first, 1]
        lost = table[first, second, 1] + table[second, first, 0]
        design = np.zeros((6, 4))
        design[np.arange(6), first], design[np.arange(6), second] = 1, -1
        model = sm.GLM(np.column_stack([won, lost]), design[:, 1:], family=sm.families.Binomial()).fit(tol=1e-12)
        assert fit.deviance == pytest.approx(model.deviance, rel=1e-9)
        assert fit.degrees_of_freedom == model.df_resid
        leverage = model.get_influence().hat_matrix_diag
        wanted = model.resid_pearson / np.sqrt(1 - leverage)
        found = fit.residuals.sort_values(["first", "second"])
        np.testing.assert_allclose(found["residual"] * np.sqrt(fit.design_effect), wanted, rtol=1e-7)
        np.testing.assert_allclose(found["observed"], won / (won + lost), rtol=1e-12)
        np.testing.assert_allclose(found["expected"], model.fittedvalues, rtol=1e-7)

    @pytest.mark.parametrize("position", [False, True])
    def test_davidson_is_a_log_linear_model(self, pudding, position):
        """Poisson counts of each answer to each pair, log-linear (Sinclair 1982): the same deviance and freedom."""
        import statsmodels.api as sm

        votes = _both_ways(pudding) if position else pudding
        fit = fit_tested(votes, position=position)
        pooled = code_votes(validate_votes(votes)).pooled().reshape(6, 6, 3)
        if not position:
            turned = pooled.transpose(1, 0, 2)[..., [1, 0, 2]]
            pooled = np.where(np.triu(np.ones((6, 6)))[..., None] > 0, pooled + turned, 0)
        shown = list(zip(*np.nonzero(pooled.sum(axis=2)), strict=True))
        rows, counts = [], []
        for k, (i, j) in enumerate(shown):
            for answer, sign in enumerate((0.5, -0.5, 0)):
                scores = np.zeros(6)
                scores[i], scores[j] = sign, -sign
                rows.append([*np.eye(len(shown))[k], *scores[1:], answer == 2, *([sign] if position else [])])
                counts.append(pooled[i, j, answer])
        model = sm.GLM(np.array(counts), np.array(rows, dtype=float), family=sm.families.Poisson()).fit(tol=1e-12)
        assert fit.deviance == pytest.approx(model.deviance, rel=1e-8)
        assert fit.degrees_of_freedom == model.df_resid


def _both_ways(votes):
    """Every second vote with the sides swapped."""
    votes = votes.copy()
    other = np.arange(len(votes)) % 2 == 1
    votes.loc[other, ["left", "right"]] = votes.loc[other, ["right", "left"]].to_numpy()
    return votes


def test_design_effect_is_the_mean_eigenvalue_of_the_wald_form(simulate):
    """Rao & Scott (1984): the design effect of the contrasts that the model sets to zero, with dense matrices."""
    votes = validate_votes(simulate(FOUR, participants=12, votes_each=60, taste=1.0))
    result = fit_bradley_terry(votes)
    fit = goodness_of_fit(votes, result)
    codes, people = code_votes(votes), 12
    pairs = list(zip(*np.triu_indices(4, 1), strict=True))
    strayed, information = np.zeros((people, 6)), np.zeros(6)
    for cell, person in zip(codes.cell, codes.participant, strict=True):
        left, right, answer = cell // 12, cell // 3 % 4, cell % 3
        low, high = min(left, right), max(left, right)
        chance = 1 / (1 + np.exp(result.estimates[high] - result.estimates[low]))
        at = pairs.index((low, high))
        strayed[person, at] += ((answer == 0) == (left == low)) - chance
        information[at] += chance * (1 - chance)
    design = np.zeros((6, 4))
    for k, (i, j) in enumerate(pairs):
        design[k, i], design[k, j] = 1, -1
    contrast = null_space(design.T)
    naive = contrast.T @ (contrast / information[:, None])
    robust = strayed / information @ contrast
    effects = np.linalg.solve(naive, robust.T @ robust * people / (people - 1))
    assert fit.design_effect == pytest.approx(np.trace(effects) / 3, rel=1e-8)
    assert fit.p_clustered == pytest.approx(chi2.sf(fit.deviance / fit.design_effect, 3), rel=1e-12)


def test_finds_the_pair_that_does_not_fit(write_counts):
    rows = [(a, b, 50, 50, 10) for a, b in ("ab", "ac", "ad", "bc", "bd")]
    fit = fit_tested(write_counts([*rows, ("c", "d", 90, 10, 10)]))
    worst = fit.residuals.iloc[0]
    assert (worst["first"], worst["second"], worst["votes"]) == ("c", "d", 110)
    assert worst["observed"] == pytest.approx(95 / 110)
    assert worst["p_adjusted"] < 0.001 and fit.p < 0.001


@pytest.mark.slow
@pytest.mark.parametrize("ties", ["davidson", "half"])
def test_side_swap_row_order_and_unit_change_nothing(simulate, ties):
    votes = simulate(FOUR, tie=0.2)
    result = fit_bradley_terry(votes, ties=ties)
    fit = goodness_of_fit(votes, result)
    swapped = votes.rename(columns={"left": "right", "right": "left"}).iloc[::-1]
    swapped["choice"] = swapped["choice"].map({"left": "right", "right": "left", "tie": "tie"})
    for same in (goodness_of_fit(swapped, result), goodness_of_fit(votes, result.in_jod().anchored("ioi"))):
        assert same.deviance == pytest.approx(fit.deviance, rel=1e-8)
        assert same.p_clustered == pytest.approx(fit.p_clustered, rel=1e-8)
        np.testing.assert_allclose(same.residuals["residual"], fit.residuals["residual"], rtol=1e-6)


def test_weights_repeat_votes(simulate):
    votes = simulate(FOUR, participants=10)
    twice = goodness_of_fit(votes, fit_bradley_terry(votes, weights={"P003": 2}), weights={"P003": 2})
    again = votes[votes["participant"] == "P003"]
    repeated = fit_tested(pd.concat([votes, again], ignore_index=True))
    assert twice.deviance == pytest.approx(repeated.deviance, rel=1e-8)
    with pytest.raises(InvalidOption, match="pass the votes and weights"):
        goodness_of_fit(votes, fit_bradley_terry(votes, weights={"P003": 2}))


def test_no_p_where_the_model_must_fit_or_has_a_ridge(simulate, write_counts):
    exact = fit_tested(write_counts([("a", "b", 3, 2, 0), ("b", "c", 4, 1, 0)]))
    assert exact.degrees_of_freedom == 0 and exact.p is exact.p_clustered is exact.design_effect is None
    assert exact.deviance == pytest.approx(0, abs=1e-9)
    assert exact.residuals["residual"].isna().all() and exact.residuals["p_adjusted"].isna().all()
    ridged = fit_tested(simulate(FOUR), ridge=0.5)
    assert ridged.p is None and ridged.p_clustered is None and ridged.design_effect > 0
    alone = fit_tested(simulate(FOUR, participants=1, votes_each=80), cluster=None)
    assert alone.p is not None and alone.p_clustered is None


def test_other_votes_are_refused(simulate):
    with pytest.raises(InvalidOption, match="not fitted to these votes"):
        goodness_of_fit(simulate(FOUR, seed=1), fit_bradley_terry(simulate(FOUR, seed=2)))


@pytest.mark.slow
def test_size_with_differing_tastes():
    """Of people with tastes of their own the corrected p is below 0.05 in one study of twenty; the naive one is not."""
    rng = np.random.default_rng(7)
    scores = np.linspace(-1, 1, 6)
    people, votes_each = 20, 300
    person = np.repeat(np.arange(people), votes_each)
    naive, corrected, worst = [], [], []
    for _ in range(250):
        worth = scores + rng.normal(0, 1.0, (people, 6))
        left = rng.integers(6, size=len(person))
        right = (left + rng.integers(1, 6, size=len(person))) % 6
        lost = rng.random(len(person)) >= 1 / (1 + np.exp(worth[person, right] - worth[person, left]))
        codes = CodedVotes.from_arrays(left, right, lost.astype(int), conditions=6, participant=person)
        fit = goodness_of_fit(codes, fit_bradley_terry(codes))
        naive.append(fit.p < 0.05)
        corrected.append(fit.p_clustered < 0.05)
        worst.append(fit.residuals["p_adjusted"].min() < 0.05)
    # Three standard errors of a share of 250.
    error = 3 * np.sqrt(0.05 * 0.95 / 250)
    assert abs(np.mean(corrected) - 0.05) < error
    assert np.mean(worst) < 0.05 + error
    assert np.mean(naive) > 0.05 + error
