"""Correlations of measures with scores: against scipy, and with a truth that is known."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kendalltau, pearsonr, spearmanr

from analysis import content_effects, fit_bradley_terry, objective_agreement
from analysis.errors import InvalidObjective
from analysis.objective.correlations import correlations
from analysis.ranking.content_model import NO_EFFECT, fit_content, source_pairs
from analysis.ranking.counts import code_votes
from analysis.ranking.resampled_scores import resample_scores
from analysis.simulation import simulate_votes
from analysis.votes import validate_votes

SCORES = {"reference": 1.5, "a": 0.9, "b": 0.5, "c": 0.1, "d": -0.2, "e": -0.7, "f": -1.2}
SCIPY = {"srocc": spearmanr, "plcc": pearsonr, "krocc": kendalltau}


@pytest.fixture(scope="module")
def votes():
    return simulate_votes(
        SCORES, participants=60, votes_each=30, sources=4, seed=8, source_effect=0.3, tie_strength=0.2
    )


@pytest.fixture(scope="module")
def objective():
    """ssim follows the scores, psnr hardly, lpips against them as it should; the reference is best by all."""
    rng = np.random.default_rng(1)
    rows = []
    for source in range(4):
        level = rng.normal(0, 3)
        for condition, score in SCORES.items():
            noise = rng.normal(size=3)
            ssim, psnr, lpips = level + score + 0.3 * noise[0], level + 1.5 * noise[1], 0.4 * noise[2] - score
            rows.append(("maniqa", f"clip{source:03d}", condition, ssim, psnr, lpips, 0.1, 3.0 * score))
    names = ["target_metric", "source", "condition", "ssim", "psnr", "lpips", "gain_delivered", "niqe"]
    table = pd.DataFrame(rows, columns=names)
    table.loc[table["condition"] == "reference", ["ssim", "psnr", "lpips"]] = [99.0, 99.0, -99.0]
    return table


@pytest.fixture(scope="module")
def found(votes, objective):
    return objective_agreement(votes, objective, seed=3, resamples=100)


def cell(found, over, measure):
    table = found.table
    return table[(table["over"] == over) & (table["measure"] == measure)].iloc[0]


def test_weighted_correlations_are_those_of_repeated_values():
    rng = np.random.default_rng(0)
    x, y = rng.integers(6, size=(2, 3, 9)).astype(float)
    weight = rng.integers(0, 4, size=(3, 9))
    x[0, 0], x[2] = np.nan, 5.0
    found = correlations(x, y, weight)
    for row in (0, 1):
        kept = np.repeat(np.arange(9), np.where(np.isnan(x[row]), 0, weight[row]))
        for name, of in SCIPY.items():
            assert getattr(found, name)[row] == pytest.approx(of(x[row, kept], y[row, kept])[0], abs=1e-12)
    assert all(np.isnan(getattr(found, name)[2]) for name in SCIPY)


def test_over_conditions_the_mean_measure_is_set_against_the_pooled_score(found, votes, objective):
    scores = fit_bradley_terry(votes).scores.drop("reference")
    means = objective.groupby("condition")[["ssim", "psnr", "lpips"]].mean().loc[scores.index]
    for measure, sign in (("ssim", 1), ("psnr", 1), ("lpips", -1)):
        row = cell(found, "conditions", measure)
        for name, of in SCIPY.items():
            assert row[name] == pytest.approx(sign * of(means[measure], scores)[0], abs=1e-6)
        assert row["n"] == 6
    assert cell(found, "conditions", "lpips")["direction"] == "lower is better, sign turned"
    points = found.points[found.points["measure"] == "lpips"].set_index("condition")
    np.testing.assert_allclose(points["value"], means["lpips"].loc[points.index])
    np.testing.assert_allclose(points["score"], scores.loc[points.index])


def test_over_stimuli_each_source_is_taken_alone(found, votes, objective):
    scores = content_effects(votes).by_source.merge(objective, on=["source", "condition"])
    scores = scores[scores["condition"] != "reference"]
    for name, of in SCIPY.items():
        each = [of(part["ssim"], part["score"])[0] for _, part in scores.groupby("source")]
        assert cell(found, "stimuli", "ssim")[name] == pytest.approx(np.mean(each), abs=1e-6)
    assert cell(found, "stimuli", "ssim")["n"] == 24


def test_the_measure_that_follows_the_scores_leads(found):
    assert found.lead.best in ("ssim", "lpips") and cell(found, "conditions", "psnr")["srocc"] < 0.9
    assert found.lead.low <= found.lead.difference <= found.lead.high
    assert found.lead.told_apart == (found.lead.low > 0)
    table = found.table
    shares = table[table["over"] == "conditions"].set_index("measure")["leads"]
    assert shares[["ssim", "psnr", "lpips"]].sum() == pytest.approx(1)
    assert shares[["gain_delivered", "niqe"]].isna().all()
    for name in SCIPY:
        there = table[name].notna()
        assert (table[f"{name}_low"][there] <= table[name][there] + 1e-9).all()
        assert (table[name][there] <= table[f"{name}_high"][there] + 1e-9).all()
    assert "gain_delivered, niqe" in found.limits[-1] and any("reference is left out" in text for text in found.limits)


def test_resampled_scores_spread_as_the_clustered_standard_errors_say(votes):
    table = votes[votes["choice"] != "tie"]
    coded = code_votes(table)
    pairs = source_pairs(coded, "bradley-terry")
    single = code_votes(validate_votes(table.assign(source="clip")))
    drawn = resample_scores(
        single, source_pairs(single, "bradley-terry"), tau2=None, resamples=1500, rng=np.random.default_rng(0)
    )
    expected = fit_bradley_terry(table, ties="half").standard_errors
    np.testing.assert_allclose(drawn.scores.std(axis=0), expected, rtol=0.08)
    assert drawn.utilities is None and (drawn.participants.sum(axis=1) == 60).all()
    both = resample_scores(coded, pairs, tau2=0.09, resamples=300, rng=np.random.default_rng(0))
    fit = fit_content(pairs, 0.09)
    np.testing.assert_allclose(both.utilities.mean(axis=0), fit.utilities, atol=0.05)
    np.testing.assert_allclose(both.scores.mean(axis=0), fit_content(pairs, NO_EFFECT).scores, atol=0.05)


def test_one_step_is_close_to_a_refit(votes):
    coded = code_votes(votes)
    drawn = resample_scores(
        coded, source_pairs(coded, "davidson"), tau2=None, resamples=2, rng=np.random.default_rng(1)
    )
    for scores, people, sources in zip(drawn.scores, drawn.participants, drawn.sources, strict=True):
        refit = fit_bradley_terry(coded.weighted(people[coded.participant] * sources[coded.source]), cluster=None)
        np.testing.assert_allclose(scores, refit.estimates, atol=0.04)


def test_few_conditions_on_one_source(votes, objective):
    few = votes[votes["left"].isin(list("abcd")) & votes["right"].isin(list("abcd")) & (votes["source"] == "clip000")]
    found = objective_agreement(few, objective, resamples=20, seed=4)
    # The same seed, and the rows in another order.
    again = objective_agreement(few, objective.sample(frac=1, random_state=0), resamples=20, seed=4)
    pd.testing.assert_frame_equal(again.table, found.table)
    assert again.limits == found.limits
    assert set(found.table["over"]) == {"conditions"} and found.table["srocc_low"].isna().all()
    assert not found.lead.told_apart and "too few for intervals" in found.limits[0]
    assert any("one source" in text for text in found.limits) and any("24 stimuli" in text for text in found.limits)
    two = few[few["left"].isin(["a", "b"]) & few["right"].isin(["a", "b"])]
    with pytest.raises(InvalidObjective, match="2 conditions besides the reference"):
        objective_agreement(two, objective)
    everything = objective_agreement(few, objective, resamples=20, with_reference=True)
    assert not any("left out" in text for text in everything.limits)


def test_votes_on_stimuli_without_measures_are_refused(votes, objective):
    with pytest.raises(InvalidObjective, match="no manifest has 'f' on"):
        objective_agreement(votes, objective[objective["condition"] != "f"])
    with pytest.raises(InvalidObjective, match="for 'vsfa'"):
        objective_agreement(votes.assign(target_metric="vsfa"), objective)


@pytest.mark.slow
def test_intervals_cover_the_correlation_of_the_attacks_that_the_conditions_are_drawn_from():
    """Seven attacks, scores correlated 0.7 with a measure; nominal 95 %, the bootstrap being on the safe side."""
    rng = np.random.default_rng(2)
    covered = []
    for seed in range(40):
        measure = rng.normal(size=7)
        scores = dict(zip("abcdefg", 0.8 * (0.7 * measure + np.sqrt(0.51) * rng.normal(size=7)), strict=True))
        table = simulate_votes(scores, participants=120, votes_each=20, sources=6, seed=seed, source_effect=0.2)
        rows = [(f"clip{s:03d}", name, value) for s in range(6) for name, value in zip(scores, measure, strict=True)]
        found = objective_agreement(table, pd.DataFrame(rows, columns=["source", "condition", "ssim"]), resamples=150)
        row = cell(found, "conditions", "ssim")
        true = {"srocc": 6 / np.pi * np.arcsin(0.35), "plcc": 0.7, "krocc": 2 / np.pi * np.arcsin(0.7)}
        covered.append([row[f"{name}_low"] <= value <= row[f"{name}_high"] for name, value in true.items()])
    assert (np.mean(covered, axis=0) >= 0.88).all()
