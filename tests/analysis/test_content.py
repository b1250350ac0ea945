"""The effect of the source: against separate fits, numerical slopes, quadrature and simulated truth."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad
from scipy.optimize import approx_fprime
from scipy.special import expit
from scipy.stats import norm

from analysis import content_effects, fit_bradley_terry
from analysis.errors import ContentUnavailable, DisconnectedConditions, InvalidOption
from analysis.ranking.content import _profile
from analysis.ranking.content_model import NO_EFFECT, fit_content, source_pairs
from analysis.ranking.counts import CodedVotes, code_votes
from analysis.ranking.families import log_likelihood
from analysis.ranking.fit import coded_votes
from analysis.ranking.heterogeneity import compare_sources
from analysis.simulation import simulate_votes
from analysis.votes import validate_votes

SCORES = {"a": 0.9, "b": 0.3, "c": -0.2, "d": -1.0}


@pytest.fixture(scope="module")
def votes():
    return simulate_votes(
        SCORES, participants=60, votes_each=20, sources=5, seed=3, source_effect=0.6, tie_strength=0.4
    )


@pytest.fixture(scope="module")
def effects(votes):
    return content_effects(votes)


def drawn(rng, *, people, votes_each, sources, conditions, tau, taste):
    """Votes as codes, and the utilities (S, n) that they were drawn from."""
    size = people * votes_each
    utilities = rng.normal(0, 0.8, conditions) + rng.normal(0, tau, (sources, conditions))
    person, source = np.repeat(np.arange(people), votes_each), rng.integers(sources, size=size)
    left = rng.integers(conditions, size=size)
    right = (left + rng.integers(1, conditions, size=size)) % conditions
    tastes = rng.normal(0, taste, (people, conditions))
    gap = utilities[source, left] - utilities[source, right] + tastes[person, left] - tastes[person, right]
    choice = np.where(rng.random(size) < expit(gap), 0, 1)
    return CodedVotes.from_arrays(
        left, right, choice, conditions=conditions, participant=person, source=source
    ), utilities - utilities.mean(axis=1, keepdims=True)


def heterogeneity_of(votes):
    """The test of heterogeneity with ties as halves."""
    coded = votes if isinstance(votes, CodedVotes) else code_votes(votes)
    common = fit_bradley_terry(coded, ties="half", cluster=None).log_likelihood
    return compare_sources(coded, source_pairs(coded, "bradley-terry"), common=common)


def test_the_test_of_heterogeneity_is_that_of_separate_fits(votes):
    options = {"ties": "half", "cluster": None}
    separate = sum(
        fit_bradley_terry(part, **options).log_likelihood for _, part in votes.groupby("source", observed=True)
    )
    found = heterogeneity_of(votes)
    common = fit_bradley_terry(votes, **options).log_likelihood
    assert found.statistic == pytest.approx(2 * (separate - common), abs=1e-3)
    assert found.degrees_of_freedom == 3 * 4


def test_without_an_effect_the_model_is_the_pooled_fit(votes):
    pooled = fit_bradley_terry(votes, cluster=None)
    fit = fit_content(source_pairs(code_votes(votes), "davidson"), NO_EFFECT)
    np.testing.assert_allclose(fit.scores, pooled.estimates, atol=1e-6)
    assert np.exp(fit.tie) == pytest.approx(pooled.tie_parameter, rel=1e-6)
    np.testing.assert_allclose(fit.covariance, pooled.estimate_covariance, rtol=1e-4, atol=1e-8)


@pytest.mark.parametrize("family", ["davidson", "rao-kupper"])
def test_at_the_mode_the_penalised_likelihood_has_no_slope(votes, family):
    pairs, tau2 = source_pairs(code_votes(votes), family), 0.25

    def loss(x):
        theta, tie, delta = x[:4], x[4], x[5:].reshape(5, 4)
        utility = theta + delta
        gap = utility[pairs.source, pairs.first] - utility[pairs.source, pairs.second]
        value = log_likelihood(family, gap, tie, pairs.for_first, pairs.for_second, pairs.tied)
        return -value + np.sum(delta**2) / (2 * tau2) + theta.sum() ** 2

    fit = fit_content(pairs, tau2)
    best = np.concatenate([fit.scores, [fit.tie], (fit.utilities - fit.scores).ravel()])
    # The loss is convex, so it is lowest where its slopes are zero.
    np.testing.assert_allclose(approx_fprime(best, loss, 1e-6), 0, atol=5e-3)


def test_the_marginal_likelihood_is_that_of_quadrature():
    wins, votes = np.array([70, 95, 55, 100]), 120
    rows = [
        ("P", f"s{s}", "a", "b", side)
        for s, won in enumerate(wins)
        for side in ["left"] * won + ["right"] * (votes - won)
    ]
    table = pd.DataFrame(rows, columns=["participant", "source", "left", "right", "choice"])
    pairs = source_pairs(code_votes(validate_votes(table)), "bradley-terry")
    nodes, weights = np.polynomial.hermite_e.hermegauss(40)

    def exact(tau):
        def likelihood(d):
            chance = expit(d + np.sqrt(2) * tau * nodes)[:, None]
            each = weights @ np.exp(wins * np.log(chance / 0.65) + (votes - wins) * np.log((1 - chance) / 0.35))
            return np.prod(each)

        return np.log(quad(likelihood, -1, 3)[0])

    taus = (0.1, 0.3, 0.8)
    laplace = np.array([fit_content(pairs, tau**2).log_marginal for tau in taus])
    np.testing.assert_allclose(np.diff(laplace), np.diff([exact(tau) for tau in taus]), atol=0.02)


def test_the_effect_is_found_and_scores_are_drawn_to_the_common_ones(effects):
    assert effects.tau_low < 0.6 < effects.tau_high and effects.heterogeneity.p_clustered < 0.001
    assert effects.tau_low <= effects.tau <= effects.tau_high
    table = effects.by_source
    common = table["condition"].map(effects.scores)
    assert ((table["score"] - common).abs().mean()) < ((table["own_score"] - common).abs().mean())
    assert (table["standard_error"] < table["own_standard_error"]).mean() > 0.7
    assert table.groupby("source")["n_votes"].sum().sum() == 2 * 60 * 20
    np.testing.assert_allclose(table.groupby("source")["score"].mean(), 0, atol=1e-6)
    assert ((table["low"] < table["score"]) & (table["score"] < table["high"])).all()
    assert effects.agreement["kendall"].between(-1, 1).all() and len(effects.agreement) == 5


def test_ranks_on_a_new_source_are_those_of_drawn_sources(effects):
    rng = np.random.default_rng(0)
    theta = effects.scores.to_numpy()
    new = theta + rng.normal(0, effects.tau, (4000, len(theta)))
    first, second = np.triu_indices(len(theta), 1)
    kendalls = np.sign((new[:, first] - new[:, second]) * (theta[first] - theta[second])).mean()
    assert effects.kendall == pytest.approx(kendalls, abs=0.03)
    assert effects.kendall_low < effects.kendall < effects.kendall_high
    row = effects.exchanges.iloc[1]
    at = [effects.conditions.index(row[side]) for side in ("first", "second")]
    assert row["probability"] == pytest.approx((new[:, at[0]] < new[:, at[1]]).mean(), abs=0.03)
    assert row["low"] < row["probability"] < row["high"]
    assert row["probability"] == pytest.approx(norm.cdf(-row["difference"] / effects.tau / np.sqrt(2)))


def test_sides_and_rows_do_not_matter(votes):
    swapped = votes.sample(frac=1, random_state=1)
    swapped = swapped.assign(left=swapped["right"], right=swapped["left"])
    swapped["choice"] = swapped["choice"].map({"left": "right", "right": "left", "tie": "tie"})
    fits = [fit_content(source_pairs(code_votes(validate_votes(t)), "davidson"), 0.25) for t in (votes, swapped)]
    np.testing.assert_allclose(fits[1].utilities, fits[0].utilities, atol=1e-8)
    assert fits[1].log_marginal == pytest.approx(fits[0].log_marginal, abs=1e-8)


def test_a_vote_given_twice_by_each_person_is_no_new_evidence(votes):
    once, twice = (heterogeneity_of(table) for table in (votes, pd.concat([votes, votes])))
    assert twice.statistic == pytest.approx(2 * once.statistic, rel=1e-6)
    assert twice.design_effect == pytest.approx(2 * once.design_effect, rel=0.05)
    assert twice.p < once.p


def test_one_source_and_sources_that_share_nothing(votes):
    with pytest.raises(ContentUnavailable, match=r"one source \(clip001\)"):
        content_effects(votes[votes["source"] == "clip001"])
    apart = (votes["source"] == "clip000") == votes["left"].isin(["a", "b"])
    apart &= votes["left"].isin(["a", "b"]) == votes["right"].isin(["a", "b"])
    with pytest.raises(DisconnectedConditions):
        content_effects(votes[apart])
    chain = pd.DataFrame(
        [(f"P{k % 7}", *row) for row in (("s", "a", "b"), ("t", "b", "c")) for k in range(20)],
        columns=["participant", "source", "left", "right"],
    )
    with pytest.raises(ContentUnavailable, match="same conditions on several sources"):
        content_effects(chain.assign(choice=["left", "right"] * 20))
    with pytest.raises(InvalidOption):
        content_effects(votes, ties="none")


def test_a_condition_that_never_loses_on_one_clip_or_is_missing_there(votes):
    on = votes["source"] == "clip002"
    table = votes[~(on & ((votes["left"] == "b") | (votes["right"] == "b")))].copy()
    for side in ("left", "right"):
        table.loc[(table["source"] == "clip002") & (table[side] == "a"), "choice"] = side
    found = content_effects(table).by_source
    found = found[found["source"] == "clip002"].set_index("condition")
    assert list(found.index) == ["a", "c", "d"]
    assert np.isfinite(found["score"]).all() and found["score"].idxmax() == "a"
    assert found["own_score"].isna().all() and "a" in found["why_not_own"].iloc[0]


def test_without_differences_between_sources_tau_is_zero():
    table = simulate_votes(SCORES, participants=40, votes_each=10, sources=1, seed=1, taste=0)
    copies = [table.assign(source=name, participant=name + table["participant"].astype(str)) for name in "xyz"]
    found = content_effects(pd.concat(copies))
    assert (found.tau, found.tau_low, found.share_of_variance, found.kendall) == (0, 0, 0, 1)
    assert 0 < found.tau_high < 1
    assert found.heterogeneity.statistic == pytest.approx(0, abs=1e-4)
    assert (found.exchanges["probability"] == 0).all()


@pytest.mark.slow
def test_size_of_the_test_and_coverage_of_the_interval():
    """Nominal 5 % and 95 %; people have tastes, which the test allows for."""
    rng = np.random.default_rng(11)
    sizes = {"people": 40, "votes_each": 20, "sources": 4, "conditions": 5, "taste": 0.4}
    refused = [heterogeneity_of(drawn(rng, tau=0, **sizes)[0]).p_clustered < 0.05 for _ in range(120)]
    assert 0.0 < np.mean(refused) < 0.11
    covered = []
    for _ in range(25):
        found = content_effects(drawn(rng, tau=0.5, **sizes)[0])
        # Tastes draw the scores of a crowd together: exp of a normal of variance 2 x 0.16 in the logit.
        covered.append(found.tau_low <= 0.5 / np.sqrt(1 + 0.346 * 0.32) <= found.tau_high)
    assert 0.85 < np.mean(covered) <= 1.0


@pytest.mark.slow
def test_people_who_see_one_source_only_do_not_make_sources_differ():
    rng = np.random.default_rng(3)
    found = []
    for _ in range(120):
        coded, _ = drawn(rng, people=60, votes_each=30, sources=4, conditions=5, tau=0, taste=0.5)
        found.append(heterogeneity_of(replace(coded, source_code=coded.participant % 4)))
    assert np.mean([test.p < 0.05 for test in found]) > 0.2
    assert np.mean([test.p_clustered < 0.05 for test in found]) < 0.12
    assert np.mean([test.design_effect for test in found]) > 1.3


@pytest.mark.slow
def test_shrinking_beats_separate_and_pooled_scores_and_its_intervals_cover():
    """RMSE at 685 people of 12 votes, 8 sources, tau 0.3: near .13 shrunk, .15 separate, .27 pooled."""
    rng = np.random.default_rng(4)
    squares, covered = [], []
    for _ in range(6):
        coded, truth = drawn(rng, people=685, votes_each=12, sources=8, conditions=10, tau=0.3, taste=0.0)
        found = content_effects(coded)
        table = found.by_source
        true = truth[table["source"].astype(int), table["condition"].astype(int)]
        pooled = table["condition"].map(found.scores)
        squares.append([((table[name] - true) ** 2).mean() for name in ("score", "own_score")])
        squares[-1].append(((pooled - true) ** 2).mean())
        covered.append(((table["low"] <= true) & (true <= table["high"])).mean())
    shrunk, separate, common = np.sqrt(np.mean(squares, axis=0))
    assert shrunk < 0.95 * separate < 0.7 * common
    assert (shrunk, separate, common) == pytest.approx((0.130, 0.147, 0.273), rel=0.15)
    assert 0.92 < np.mean(covered) < 0.99


def test_votes_beyond_number_that_are_alike_on_every_source(votes):
    """Their likelihood is below the interval's floor from the smallest spread on that is looked at."""
    one = votes[(votes["source"] == "clip000").to_numpy()].assign(source="a")
    coded = coded_votes(validate_votes(pd.concat([one, one.assign(source="b")], ignore_index=True)))
    tau, low, high, _ = _profile(source_pairs(coded, "davidson").scaled(1e5), 0.95)
    assert tau == low == 0 < high <= 0.02
