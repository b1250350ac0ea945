"""A planned study held many times with model people whose true scores are known: what its ranking gets right."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.special import ndtri, stdtr, stdtrit

from analysis.crowd_scores import crowd_scores
from analysis.errors import (
    CovarianceUnavailable,
    DisconnectedConditions,
    EverybodyRemoved,
    InvalidOption,
    NotConverged,
    PlanOutOfReach,
    SeparatedConditions,
)
from analysis.options import check_seed
from analysis.participants.screening import screen_participants
from analysis.planning.plan import StudyPlan
from analysis.planning.plan_design import DESIGN_VOTES, taste_design_effect
from analysis.ranking.counts import code_votes
from analysis.ranking.fit import fit_bradley_terry
from analysis.ranking.result import BradleyTerryResult, holm
from analysis.simulation import simulate_votes

__all__ = ["Measured", "PlanSimulation", "simulate_plan"]

_DIFFERENCE = 0.3
_NO_RANKING = (CovarianceUnavailable, DisconnectedConditions, EverybodyRemoved, NotConverged, SeparatedConditions)
# The rule that takes the votes as they are, so that no verification pair needs to be shown.
_UNSCREENED = "as-given"
# Hidden verification pairs of a session, where somebody looks at them.
_VERIFICATIONS = 2
# Beyond them a simulation takes more memory than a computer has to spare.
_MOST_VOTES, _MOST_TESTS = 5_000_000, 20_000_000


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
    screening: str
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
    screening: str = _UNSCREENED,
    tie_strength: float = 0.0,
    progress: Callable[[int], object] | None = None,
) -> PlanSimulation:
    """Hold the planned study `studies` times with `simulate_votes`, rank each, and compare with the truth.

    scores: the crowd's, in logits; without them normal quantiles with the plan's spread, the middle two set apart by
    the difference that the plan is to detect (0.3 where it names none). taste: standard deviation of what a person adds
    to each; the scores of single people on single clips are drawn wider, so that the crowd's are those given.
    spammers: share of the people (beyond the lost ones) who do not watch; coverage and orders are against the truth of
    the honest ones. screening: one of SCREENING_RULES, applied to each study, in which everybody then answers two
    verification pairs beside the planned votes; "as-given" counts all. tie_strength: Davidson's nu. progress: called
    with 1 after each study.
    Where the plan is about new clips each study has other clips, and the intervals are clustered two-way; otherwise the
    clips add nothing, and they are clustered by participant. The same seed gives the same result.
    Raises InvalidOption, PlanOutOfReach where no study could be ranked.
    """
    check_seed(seed)
    _check(studies, {"taste": taste, "tie_strength": tie_strength}, scores, plan)
    design, goal = plan.design, plan.goal
    clip_effect = design.clip_effect if goal.new_clips else 0.0
    wanted = dict(scores) if scores is not None else _default_scores(plan)
    single = _of_single_people(wanted, taste, clip_effect)
    truth = crowd_scores(single, taste=taste, source_effect=clip_effect, tie_strength=tie_strength)
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
            verifications=0 if screening == _UNSCREENED else _VERIFICATIONS,
        )
        found.append(_compared(_ranked(votes, screening, goal.new_clips), truth, pairs, level=design.level))
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
        screening=screening,
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


def _check(studies: int, sizes: Mapping[str, float], scores: Mapping[str, float] | None, plan: StudyPlan) -> None:
    if studies < 2:
        raise InvalidOption(f"studies is {studies}; expected at least 2")
    for name, value in sizes.items():
        if not 0 <= value < math.inf:
            raise InvalidOption(f"{name} is {value!r}; expected a finite number of at least 0")
    if scores is not None and len(scores) != plan.design.conditions:
        raise InvalidOption(f"there are {len(scores)} scores for the plan's {plan.design.conditions} conditions")
    if plan.votes > _MOST_VOTES or plan.design.pairs * studies > _MOST_TESTS:
        raise InvalidOption(
            f"{studies} studies of {plan.votes:,} votes on {plan.design.pairs:,} pairs are too many to simulate; "
            f"expected at most {_MOST_VOTES:,} votes in a study, and {_MOST_TESTS:,} pairs in all studies together"
        )
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


def _ranked(votes: pd.DataFrame, screening: str, new_clips: bool) -> BradleyTerryResult | None:
    """The ranking of one study; None where there is none."""
    cluster = "two-way" if new_clips else "participant"
    try:
        if screening == _UNSCREENED:
            return fit_bradley_terry(code_votes(votes), cluster=cluster)
        screened = screen_participants(votes, screening)
        return fit_bradley_terry(screened.counted(votes), weights=screened.weights, cluster=cluster)
    except _NO_RANKING:
        return None


def _compared(
    result: BradleyTerryResult | None, truth: pd.Series, pairs: np.ndarray, *, level: float
) -> dict[str, np.ndarray] | None:
    """What one study says of every pair (K, 2) of places in `truth`, the truly better first; None without a ranking."""
    if result is None or len(result.conditions) < len(truth):
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
