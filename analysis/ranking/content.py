"""How much the scores depend on the source: a random effect of the content."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import brentq, minimize_scalar
from scipy.special import ndtr
from scipy.stats import chi2
from scipy.stats import t as student_t

from analysis.errors import ContentUnavailable
from analysis.objective.correlations import correlations
from analysis.options import check_level
from analysis.ranking.content_model import NO_EFFECT, ContentFit, SourcePairs, fit_content, source_pairs
from analysis.ranking.counts import CodedVotes
from analysis.ranking.fit import coded_votes, fit_bradley_terry
from analysis.ranking.groups import rank_sources
from analysis.ranking.heterogeneity import Heterogeneity, compare_sources, participant_gradients

__all__ = ["ContentEffects", "content_effects"]

# Standard deviations of the effects, in logits, between which the likelihood is searched.
_SMALLEST, _LARGEST, _STEPS = 0.02, 10.0, 9
# Of tau and the ends of its interval, as a share of them.
_PRECISION = 2e-3


@dataclass(frozen=True, eq=False)
class ContentEffects:
    """What a source adds to each condition's score, as a normal random effect.

    tau: its standard deviation, in logits, with the ends of its interval (`tau_high` may be infinite).
    share_of_variance: tau^2 / (tau^2 + variance of the conditions' scores). kendall: Kendall's tau to expect between
    the ranks on a new source and those of the scores, with the ends that the interval of tau gives.
    scores: of the conditions over sources, sum zero. by_source: one row per stimulus with votes: source, condition,
    n_votes, score (drawn towards the condition's over all sources), standard_error, low, high, and own_score with
    own_standard_error from the votes on that source alone, NaN where they determine none (why_not_own). On each source
    both kinds have the same mean, and the standard errors are those of a deviation from it.
    agreement: by source, kendall and spearman between its scores and `scores`. exchanges: neighbours in the ranking
    (first, second, difference) with the probability that a new source has them the other way round, low, high.
    """

    sources: tuple[str, ...]
    conditions: tuple[str, ...]
    scores: pd.Series
    tau: float
    tau_low: float
    tau_high: float
    share_of_variance: float
    kendall: float
    kendall_low: float
    kendall_high: float
    heterogeneity: Heterogeneity
    by_source: pd.DataFrame
    agreement: pd.DataFrame
    exchanges: pd.DataFrame
    level: float
    ties: str


def content_effects(
    votes: pd.DataFrame | CodedVotes,
    *,
    ties: str = "davidson",
    weights: Mapping[str, float] | None = None,
    level: float = 0.95,
) -> ContentEffects:
    """Fit theta_k + delta_sk, delta ~ N(0, tau^2), to the votes; votes, ties and weights as `fit_bradley_terry`.

    tau is where the likelihood with scores, effects and the tie parameter integrated out (Laplace) is highest, and its
    interval where it is at most chi2_1(level) / 2 lower (profile). Ties are answers of the family, with one parameter
    for all sources, or halves. Scores of single sources are posterior means at that tau (empirical Bayes), whose own
    uncertainty their standard errors leave out: they are too small where tau is hardly known.
    A participant's votes hang together, which can make sources look more different than they are: the log-likelihood
    is divided by the design effect of `heterogeneity`, where that is above 1.
    Raises as `fit_bradley_terry` does, and ContentUnavailable where there is one source or sources share too little.
    """
    check_level(level)
    coded = coded_votes(votes, weights)
    names = coded.sources or tuple(map(str, range(coded.n_sources)))
    if coded.n_sources < 2:
        raise ContentUnavailable(
            f"all votes are on one source ({names[0]}), so nothing says how scores change from source to source; "
            "collect votes on at least one more"
        )
    common = fit_bradley_terry(coded, ties=ties, cluster=None)
    pairs = source_pairs(coded, ties if common.n_ties and ties != "half" else "bradley-terry")
    heterogeneity = compare_sources(coded, pairs, common=common.log_likelihood)
    factor = 1 / max(1.0, heterogeneity.design_effect or 1.0)
    tau, low, high, fit = _profile(pairs.scaled(factor), level)
    shown = pairs.shown()
    errors = _standard_errors(fit, factor * participant_gradients(coded, pairs, fit), shown > 0)
    scores = pd.Series(fit.scores, index=pd.Index(coded.conditions, name="condition"), name="score")
    order = np.argsort(-fit.scores, kind="stable")
    spread = max(0.0, float(np.var(fit.scores, ddof=1) - np.trace(fit.covariance) / (len(order) - 1)))
    quantile = float(student_t.ppf((1 + level) / 2, max(1, coded.n_participants - 1)))
    table = _by_source(coded, names, fit, shown, ties)
    table.insert(4, "standard_error", errors[shown > 0])
    table.insert(5, "low", table["score"] - quantile * table["standard_error"])
    table.insert(6, "high", table["score"] + quantile * table["standard_error"])
    return ContentEffects(
        sources=names,
        conditions=coded.conditions,
        scores=scores,
        tau=tau,
        tau_low=low,
        tau_high=high,
        share_of_variance=tau**2 / (tau**2 + spread) if tau > 0 else 0.0,
        kendall=_expected_kendall(fit.scores, tau),
        kendall_low=_expected_kendall(fit.scores, high),
        kendall_high=_expected_kendall(fit.scores, low),
        heterogeneity=heterogeneity,
        by_source=table,
        agreement=_agreement(names, fit, shown),
        exchanges=_exchanges(coded.conditions, fit.scores, order, (tau, low, high)),
        level=level,
        ties=ties,
    )


def _profile(pairs: SourcePairs, level: float) -> tuple[float, float, float, ContentFit]:
    """tau, the ends of its interval, and the fit at tau."""
    none = last = fit_content(pairs, NO_EFFECT)

    def marginal(log_tau: float) -> float:
        nonlocal last
        last = fit_content(pairs, float(np.exp(2 * log_tau)), start=last)
        return last.log_marginal

    grid = np.linspace(np.log(_SMALLEST), np.log(_LARGEST), _STEPS)
    values = np.array([marginal(at) for at in grid])
    top = int(values.argmax())
    between = grid[max(0, top - 1)], grid[min(_STEPS - 1, top + 1)]
    found = minimize_scalar(lambda at: -marginal(at), bounds=between, method="bounded", options={"xatol": _PRECISION})
    best, height = float(found.x), -float(found.fun)
    if none.log_marginal >= height:
        best, height = float(grid[0]), none.log_marginal
    floor = height - chi2.ppf(level, 1) / 2
    above = [(at, value) for at, value in zip(grid, values, strict=True) if at > best and value < floor]
    below = [(at, value) for at, value in zip(grid, values, strict=True) if at < best and value < floor]
    high = np.inf
    if best == grid[0] and values[0] < floor:
        # So many votes that even the smallest spread that is looked at is too large.
        high = best
    elif above:
        high = brentq(lambda at: marginal(at) - floor, best, above[0][0], xtol=_PRECISION)
    low = -np.inf
    if none.log_marginal < floor:
        low = brentq(lambda at: marginal(at) - floor, below[-1][0], best, xtol=_PRECISION) if below else grid[0]
    if height == none.log_marginal:
        return 0.0, 0.0, float(np.exp(high)), none
    return float(np.exp(best)), float(np.exp(low)), float(np.exp(high)), fit_content(pairs, float(np.exp(2 * best)))


def _exchange(difference: np.ndarray, tau: float) -> np.ndarray:
    """Probability that two conditions of this difference (>= 0) change places on a new source."""
    if tau == 0:
        return np.where(difference > 0, 0.0, 0.5)
    return ndtr(-difference / (tau * np.sqrt(2)))


def _expected_kendall(scores: np.ndarray, tau: float) -> float:
    first, second = np.triu_indices(len(scores), 1)
    return float(np.mean(1 - 2 * _exchange(np.abs(scores[first] - scores[second]), tau)))


def _exchanges(conditions: tuple[str, ...], scores: np.ndarray, order: np.ndarray, taus: tuple) -> pd.DataFrame:
    difference = scores[order[:-1]] - scores[order[1:]]
    probability, low, high = (_exchange(difference, tau) for tau in taus)
    labels = [conditions[k] for k in order]
    return pd.DataFrame(
        {
            "first": labels[:-1],
            "second": labels[1:],
            "difference": difference,
            "probability": probability,
            "low": low,
            "high": high,
        }
    )


def _agreement(names: tuple[str, ...], fit: ContentFit, shown: np.ndarray) -> pd.DataFrame:
    found = correlations(fit.utilities, fit.scores, (shown > 0).astype(float))
    return pd.DataFrame({"kendall": found.krocc, "spearman": found.srocc}, index=pd.Index(names, name="source"))


def _standard_errors(fit: ContentFit, gradient: np.ndarray, there: np.ndarray) -> np.ndarray:
    """Of each source's utilities less their mean over the conditions `there` (S, n) on it: (S, n).

    The covariance about the mode, plus what participants (P, S, n) shift the mode by beyond independent votes, where
    that is more: a person has the same taste on all sources.
    """
    people, n = len(gradient), len(fit.scores)
    share = fit.within / fit.tau2
    centre = there[:, :, None] * (np.eye(n) - there[:, None, :] / there.sum(axis=1)[:, None, None])
    reach, within = centre @ share @ fit.covariance, centre @ fit.within
    variance = np.diagonal(centre @ fit.utility_covariance @ centre.swapaxes(1, 2), axis1=1, axis2=2)
    if people > 1:
        by_theta = np.einsum("sij,psj->pi", share, gradient)
        moved = np.einsum("sij,pj->psi", reach, by_theta) + np.einsum("sij,psj->psi", within, gradient)
        clustered = np.sum(moved**2, axis=0) * people / (people - 1)
        weighted = share @ fit.information
        expected = reach @ (weighted @ share).sum(axis=0) @ reach.swapaxes(1, 2)
        expected += within @ fit.information @ within.swapaxes(1, 2) + 2 * reach @ weighted @ within.swapaxes(1, 2)
        variance = variance + np.maximum(0, clustered - np.diagonal(expected, axis1=1, axis2=2))
    return np.sqrt(np.maximum(variance, 0))


def _by_source(
    coded: CodedVotes, names: tuple[str, ...], fit: ContentFit, shown: np.ndarray, ties: str
) -> pd.DataFrame:
    cluster = "participant" if coded.n_participants > 1 else None
    frames = []
    for code, alone in enumerate(rank_sources(coded, ties=ties, cluster=cluster)):
        there = np.flatnonzero(shown[code])
        score = fit.utilities[code, there]
        own, own_error = np.full((2, len(there)), np.nan)
        if alone.result is not None:
            own, own_error = alone.result.estimates + score.mean(), alone.result.standard_errors.to_numpy()
        frames.append(
            pd.DataFrame(
                {
                    "source": names[code],
                    "condition": [coded.conditions[k] for k in there],
                    "n_votes": np.rint(shown[code, there]).astype(int),
                    "score": score,
                    "own_score": own,
                    "own_standard_error": own_error,
                    "why_not_own": alone.why_not,
                }
            )
        )
    return pd.concat(frames, ignore_index=True)
