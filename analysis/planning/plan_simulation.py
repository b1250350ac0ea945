"""A planned study held many times with model people whose true scores are known: what its ranking gets right."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.special import ndtri, stdtr, stdtrit

from analysis.errors import (
    CovarianceUnavailable,
    DisconnectedConditions,
    InvalidOption,
    NotConverged,
    PlanOutOfReach,
    SeparatedConditions,
)
from analysis.options import check_seed
from analysis.planning.plan import StudyPlan
from analysis.planning.plan_design import DESIGN_VOTES, evenness
from analysis.ranking.counts import code_votes
from analysis.ranking.families import probabilities
from analysis.ranking.fit import fit_bradley_terry, modelled_pairs
from analysis.ranking.likelihood import maximise_likelihood
from analysis.ranking.result import holm
from analysis.simulation import simulate_votes

__all__ = ["Measured", "PlanSimulation", "crowd_scores", "simulate_plan", "taste_design_effect"]

_DIFFERENCE = 0.3
_NO_RANKING = (CovarianceUnavailable, DisconnectedConditions, NotConverged, SeparatedConditions)


@dataclass(frozen=True)
class Measured:
    """A mean over the simulated studies, and its Monte Carlo standard error."""

    value: float
    error: float


@dataclass(frozen=True, eq=False)
class PlanSimulation:
    """What the simulated studies found.

    studies: simulated; fitted: of them, those whose votes gave finite scores; the rest is about these.
    half_width: of the intervals of all differences, in logits. predicted: by formula for people of this `taste`, whose
    design effect is `design_effect`. coverage: share of intervals that hold the true difference, at the plan's level.
    right_orders: share of all pairs that are ranked the right way round. difference: between the two conditions in the
    middle, with the power to find them (before and after Holm's correction) and the share of studies that rank them
    right. pairs: one row per pair of conditions, the better first: first, second, difference (true, of the whole
    crowd), power, power_holm, right_order, each with its `_error`.
    """

    studies: int
    fitted: int
    seed: int
    taste: float
    spammers: float
    tie_strength: float
    design_effect: float
    half_width: Measured
    predicted: float
    coverage: Measured
    right_orders: Measured
    difference: float
    power: Measured
    power_holm: Measured
    right_order: Measured
    pairs: pd.DataFrame


def simulate_plan(
    plan: StudyPlan,
    *,
    seed: int,
    studies: int = 200,
    scores: Mapping[str, float] | None = None,
    taste: float = 0.4,
    spammers: float = 0.0,
    tie_strength: float = 0.0,
    progress: Callable[[int], object] | None = None,
) -> PlanSimulation:
    """Hold the planned study `studies` times with `simulate_votes`, rank each, and compare with the truth.

    scores: the crowd's, in logits; without them normal quantiles with the plan's spread, the middle two set apart by
    the difference that the plan is to detect (0.3 where it names none). taste: standard deviation of what a person adds
    to each; the scores of single people on single clips are drawn wider, so that the crowd's are those given.
    spammers: share of the people whose votes count although they do not watch; coverage and orders are against the
    truth of the honest ones. tie_strength: Davidson's nu. progress: called with 1 after each study.
    Where the plan is about new clips each study has other clips, and the intervals are clustered two-way; otherwise the
    clips add nothing, and they are clustered by participant. The same seed gives the same result.
    Raises InvalidOption, PlanOutOfReach where no study could be ranked.
    """
    check_seed(seed)
    _check(studies, taste, scores, plan)
    design, goal = plan.design, plan.goal
    clip_effect = design.clip_effect if goal.new_clips else 0.0
    wanted = dict(scores) if scores is not None else _default_scores(plan)
    single = _of_single_people(wanted, taste, clip_effect)
    truth = crowd_scores(single, taste=taste, clip_effect=clip_effect, tie_strength=tie_strength)
    truth = truth.sort_values(ascending=False, kind="stable")
    pairs = np.array(list(combinations(range(len(truth)), 2)))
    found = []
    for number in range(studies):
        votes = simulate_votes(
            single,
            participants=max(2, round(design.counted_participants)),
            votes_each=design.votes_each,
            sources=design.clips,
            seed=np.random.default_rng([seed, number]),
            taste=taste,
            source_effect=clip_effect,
            tie_strength=tie_strength,
            spammers=spammers,
        )
        found.append(_compared(votes, truth, pairs, new_clips=goal.new_clips, level=design.level))
        if progress:
            progress(1)
    fitted = [study for study in found if study is not None]
    if not fitted:
        raise PlanOutOfReach(
            f"none of {studies} simulated studies gave a ranking: with {plan.votes} votes some condition wins or loses "
            "every time; plan more votes, or fewer conditions"
        )
    shares = {name: np.array([study[name] for study in fitted], dtype=float) for name in fitted[0]}
    upper = (len(truth) - 1) // 2
    named = int(np.flatnonzero((pairs == [upper, upper + 1]).all(axis=1))[0])
    effect = taste_design_effect(taste, conditions=design.conditions, votes_each=DESIGN_VOTES, spread=design.spread)
    alike = replace(design, design_effect=effect)
    return PlanSimulation(
        studies=studies,
        fitted=len(fitted),
        seed=seed,
        taste=taste,
        spammers=spammers,
        tie_strength=tie_strength,
        design_effect=alike.participant_effect,
        half_width=_measured(shares["half_width"].mean(axis=1)),
        predicted=alike.half_width(new_clips=goal.new_clips),
        coverage=_measured(shares["covered"].mean(axis=1)),
        right_orders=_measured(shares["right_order"].mean(axis=1)),
        difference=float(truth.iloc[upper] - truth.iloc[upper + 1]),
        power=_measured(shares["power"][:, named]),
        power_holm=_measured(shares["power_holm"][:, named]),
        right_order=_measured(shares["right_order"][:, named]),
        pairs=_pair_table(pairs, truth, shares),
    )


def crowd_scores(
    scores: Mapping[str, float], *, taste: float, clip_effect: float, tie_strength: float = 0.0
) -> pd.Series:
    """The scores that endlessly many such people on endlessly many clips would give: fitted to the mean preferences."""
    values = np.fromiter(scores.values(), float)
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    gap = values[:, None, None] - values[None, :, None] + math.sqrt(2 * (taste**2 + clip_effect**2)) * nodes
    family, tie = ("davidson", math.log(tie_strength)) if tie_strength > 0 else ("bradley-terry", None)
    answers = np.stack([part @ (weights / weights.sum()) for part in probabilities(family, gap, tie)], axis=-1)
    answers *= ~np.eye(len(values), dtype=bool)[..., None]
    pairs, family = modelled_pairs(answers.ravel(), ties="davidson", model="bradley-terry", position=False)
    return pd.Series(maximise_likelihood(pairs, family=family).scores, index=list(scores))


def taste_design_effect(taste: float, *, conditions: int, votes_each: int, spread: float) -> float:
    """Design effect 1 + tau^2 v (n - 1) / (2 (K - 1)) of n votes of people whose tastes spread by tau.

    The part of the variance that people keep however often they vote is 2 tau^2 / P (n - 1) / n, that of independent
    votes 4 (K - 1) / (P n v). To first order in tau.
    """
    return 1 + taste**2 * evenness(spread) * (votes_each - 1) / (2 * (conditions - 1))


def _check(studies: int, taste: float, scores: Mapping[str, float] | None, plan: StudyPlan) -> None:
    if studies < 2:
        raise InvalidOption(f"studies is {studies}; expected at least 2")
    if not 0 <= taste < math.inf:
        raise InvalidOption(f"taste is {taste!r}; expected a finite number of at least 0")
    if scores is not None and len(scores) != plan.design.conditions:
        raise InvalidOption(f"there are {len(scores)} scores for the plan's {plan.design.conditions} conditions")
    if (plan.new_clips if plan.goal.new_clips else plan.these_clips) is None:
        raise InvalidOption("a study with one clip (or one person) has no interval for others; plan more of them")


def _default_scores(plan: StudyPlan) -> dict[str, float]:
    count = plan.design.conditions
    quantiles = ndtri((np.arange(count) + 0.5) / count)[::-1]
    scores = plan.design.spread * quantiles / max(quantiles.std(), 1e-9)
    upper = (count - 1) // 2
    middle = scores[upper : upper + 2].mean()
    half = (plan.goal.difference or _DIFFERENCE) / 2
    scores[upper : upper + 2] = middle + half, middle - half
    return {f"C{k + 1:02d}": float(score) for k, score in enumerate(scores)}


def _of_single_people(scores: Mapping[str, float], taste: float, clip_effect: float) -> dict[str, float]:
    """Averaging over tastes and clips draws logits together, nearly as for probits: by 1 / sqrt(1 + 0.346 variance)."""
    wider = math.sqrt(1 + 0.346 * 2 * (taste**2 + clip_effect**2))
    return {name: wider * score for name, score in scores.items()}


def _compared(
    votes: pd.DataFrame, truth: pd.Series, pairs: np.ndarray, *, new_clips: bool, level: float
) -> dict[str, np.ndarray] | None:
    """What one study says of every pair (K, 2) of places in `truth`, the truly better first; None without a ranking."""
    try:
        result = fit_bradley_terry(code_votes(votes), cluster="two-way" if new_clips else "participant")
    except _NO_RANKING:
        return None
    if len(result.conditions) < len(truth):
        return None
    order = [result.conditions.index(label) for label in truth.index]
    scores, covariance = result.estimates[order], result.estimate_covariance[np.ix_(order, order)]
    variance = np.diag(covariance)
    first, second = pairs.T
    found = scores[first] - scores[second]
    real = truth.to_numpy()[first] - truth.to_numpy()[second]
    error = np.sqrt(variance[first] + variance[second] - 2 * covariance[first, second])
    half_width = stdtrit(result.degrees_of_freedom, (1 + level) / 2) * error
    p = 2 * stdtr(result.degrees_of_freedom, -np.abs(found / error))
    return {
        "half_width": half_width,
        "covered": np.abs(found - real) <= half_width,
        "right_order": found > 0,
        # A pair found the wrong way round is no success.
        "power": (found > 0) & (p < 1 - level),
        "power_holm": (found > 0) & (holm(p) < 1 - level),
    }


def _pair_table(pairs: np.ndarray, truth: pd.Series, shares: Mapping[str, np.ndarray]) -> pd.DataFrame:
    first, second = pairs.T
    difference = truth.to_numpy()[first] - truth.to_numpy()[second]
    table = pd.DataFrame({"first": truth.index[first], "second": truth.index[second], "difference": difference})
    for name in ("power", "power_holm", "right_order"):
        table[name] = shares[name].mean(axis=0)
        table[f"{name}_error"] = np.sqrt(table[name] * (1 - table[name]) / len(shares[name]))
    return table


def _measured(values: np.ndarray) -> Measured:
    spread = float(values.std(ddof=1)) if len(values) > 1 else math.nan
    return Measured(float(values.mean()), spread / math.sqrt(len(values)))
