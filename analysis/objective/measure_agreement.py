"""Which objective measure predicts what people see: correlations of measures with the scores of attacks."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.errors import AnalysisError, InvalidObjective
from analysis.objective.measure_correlations import (
    COEFFICIENTS,
    condition_means,
    lay_out,
    over_conditions,
    over_stimuli,
)
from analysis.objective.objective_table import check_objective
from analysis.objective.quality_table import MEASURES
from analysis.options import check_level, check_seed
from analysis.ranking.content import content_effects
from analysis.ranking.content_model import source_pairs
from analysis.ranking.counts import CodedVotes
from analysis.ranking.fit import coded_votes, fit_bradley_terry
from analysis.ranking.resampled_scores import ResampledScores, resample_scores
from analysis.votes import counted_votes, validate_votes

__all__ = ["Lead", "ObjectiveAgreement", "objective_agreement"]

REFERENCE = "reference"
# A correlation of fewer conditions says nothing, and an interval of fewer is none.
_FEWEST, _FEWEST_FOR_INTERVALS = 3, 5
_DIRECTION = {1: "higher is better", -1: "lower is better, sign turned", 0: "none: it was matched"}
_UNKNOWN = "not known, taken as it is"


@dataclass(frozen=True)
class Lead:
    """The measure with the highest SROCC over conditions, beside the second. difference: of the two, with its interval
    (NaN where there is none); told_apart: whether that leaves out 0.
    """

    best: str
    second: str
    difference: float
    low: float
    high: float
    told_apart: bool


@dataclass(frozen=True, eq=False)
class ObjectiveAgreement:
    """Correlations of measures with scores; positive where what the measure calls better was preferred.

    table: one row per measure and `over`: measure, heading, direction, over, n, srocc, plcc, krocc, each with `_low`
    and `_high`, and leads. Over "conditions": mean of the measure over the sources, taken less the source's own mean,
    with the score of the condition. Over "stimuli": correlation within a source of the measure with the source's
    (shrunk) scores, mean over sources; n is then the number of stimuli. leads: share of resamples in which the measure
    has the highest SROCC of all whose direction is known (equal ones share it).
    points: measure, condition, value (mean over sources), score: what a scatter plot over conditions shows.
    lead: None with fewer than two measures of known direction. limits: sentences that belong to the table.
    """

    table: pd.DataFrame
    points: pd.DataFrame
    lead: Lead | None
    level: float
    seed: int
    resamples: int
    with_reference: bool
    limits: tuple[str, ...]


def objective_agreement(
    votes: pd.DataFrame,
    objective: pd.DataFrame,
    *,
    ties: str = "davidson",
    weights: Mapping[str, float] | None = None,
    level: float = 0.95,
    seed: int = 0,
    resamples: int = 1000,
    with_reference: bool = False,
) -> ObjectiveAgreement:
    """Correlate each measure with the scores; votes, ties and weights as `fit_bradley_terry`.

    objective: as `read_objective` returns it, or any table of that kind; what it has beyond the votes is left out.
    Intervals are percentiles of resamples of participants, sources and conditions together: they hold for other
    people, clips and attacks like these (conditions are taken as a sample of attacks). Measures of known direction
    are those of `quality_table.MEASURES`; PLCC is that of the values as they are, without a fitted curve.
    The reference takes part in the fit and is left out of the correlations unless with_reference: that it is the best
    by every measure that compares with it says nothing about attacks.
    Raises InvalidObjective, and as `fit_bradley_terry` does.
    """
    check_level(level)
    check_seed(seed)
    check = check_objective(objective, votes)
    coded = coded_votes(votes, weights)
    scores = fit_bradley_terry(coded, ties=ties, cluster=None)
    pairs = source_pairs(coded, ties if scores.n_ties and ties != "half" else "bradley-terry")
    kept = np.array([with_reference or condition != REFERENCE for condition in coded.conditions])
    values = lay_out(objective, coded, (pairs.shown() > 0) & kept, _metric_of(votes))
    measures = tuple(values)
    in_all = int(np.any([np.isfinite(x).any(axis=0) for x in values.values()], axis=0).sum())
    if in_all < _FEWEST:
        beside = "" if with_reference else " besides the reference"
        raise InvalidObjective(
            f"{in_all} conditions{beside} have both votes and measures; a correlation needs at least {_FEWEST}"
        )
    try:
        content = content_effects(coded, ties=ties, level=level)
        tau2, why_not = content.tau**2, None
    except AnalysisError as problem:
        tau2, why_not = None, str(problem)
    rng = np.random.default_rng(seed)
    drawn = resample_scores(coded, pairs, tau2=tau2, resamples=resamples, rng=rng)
    given = _as_given(coded, scores.estimates, content if tau2 is not None else None)
    chosen = rng.multinomial(kept.sum(), kept / kept.sum(), size=resamples).astype(float)
    everything = ResampledScores(*given, np.ones((1, coded.n_participants)), np.ones((1, coded.n_sources)))
    once = kept[None, :].astype(float)
    found = {
        "conditions": [
            (over_conditions(x, everything, once), over_conditions(x, drawn, chosen)) for x in values.values()
        ]
    }
    if tau2 is not None:
        found["stimuli"] = [
            (over_stimuli(x, everything, once), over_stimuli(x, drawn, chosen)) for x in values.values()
        ]
    with_intervals = in_all >= _FEWEST_FOR_INTERVALS
    rows = [
        row
        for over, results in found.items()
        for row in _rows(over, measures, list(values.values()), results, level, with_intervals)
    ]
    return ObjectiveAgreement(
        table=pd.DataFrame(rows),
        points=condition_means(values, coded.conditions, scores.estimates),
        lead=_lead(measures, found["conditions"], level, with_intervals),
        level=level,
        seed=seed,
        resamples=resamples,
        with_reference=with_reference,
        limits=_limits(in_all, coded.n_sources, with_reference, check.without_votes, measures, why_not),
    )


def _metric_of(votes: pd.DataFrame) -> str | None:
    """The one target metric of the counted votes, where they say."""
    return str(counted_votes(validate_votes(votes))["target_metric"].iloc[0]) if "target_metric" in votes else None


def _as_given(coded: CodedVotes, scores: np.ndarray, content) -> tuple[np.ndarray, np.ndarray | None]:
    """Scores (1, n), and those of single sources (1, S, n)."""
    if content is None:
        return scores[None], None
    utilities = np.zeros((coded.n_sources, len(coded.conditions)))
    source = pd.Index(coded.sources).get_indexer(content.by_source["source"])
    condition = pd.Index(coded.conditions).get_indexer(content.by_source["condition"])
    utilities[source, condition] = content.by_source["score"]
    return scores[None], utilities[None]


def _rows(over: str, measures: tuple, values: list, results: list, level: float, with_intervals: bool) -> list[dict]:
    known = {measure.key: measure for measure in MEASURES}
    leads = _shares(measures, [drawn.srocc for _, drawn in results])
    rows = []
    for measure, x, (given, drawn) in zip(measures, values, results, strict=True):
        about = known.get(measure)
        sizes = np.isfinite(x)
        row = {
            "measure": measure,
            "heading": about.heading if about else measure,
            "direction": _DIRECTION[about.better] if about else _UNKNOWN,
            "over": over,
            "n": int(sizes.any(axis=0).sum() if over == "conditions" else sizes.sum()),
        }
        for name in COEFFICIENTS:
            low, high = _ends(getattr(drawn, name), level) if with_intervals else (np.nan, np.nan)
            row |= {name: float(getattr(given, name)[0]), f"{name}_low": low, f"{name}_high": high}
        rows.append(row | {"leads": leads[measure]})
    return rows


def _competing(measures: tuple) -> list[str]:
    directed = {measure.key for measure in MEASURES if measure.better}
    return [measure for measure in measures if measure in directed]


def _shares(measures: tuple, drawn: list) -> dict[str, float]:
    """How often each measure leads; NaN for one whose direction is not known."""
    competing = _competing(measures)
    shares = dict.fromkeys(measures, np.nan)
    if not competing:
        return shares
    values = np.stack([drawn[measures.index(measure)] for measure in competing])
    values = np.where(np.isnan(values), -np.inf, values)[:, np.isfinite(values).any(axis=0)]
    if values.shape[1]:
        # Rounded, since measures that order the conditions alike differ in the last digit.
        top = np.round(values, 9) == np.round(values.max(axis=0), 9)
        shares |= dict(zip(competing, (top / top.sum(axis=0)).mean(axis=1).tolist(), strict=True))
    return shares


def _ends(values: np.ndarray, level: float) -> tuple[float, float]:
    values = values[np.isfinite(values)]
    if not len(values):
        return np.nan, np.nan
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _lead(measures: tuple, results: list, level: float, with_intervals: bool) -> Lead | None:
    competing = [m for m in _competing(measures) if np.isfinite(results[measures.index(m)][0].srocc[0])]
    if len(competing) < 2:
        return None
    ranked = sorted(competing, key=lambda measure: -results[measures.index(measure)][0].srocc[0])
    (best, best_drawn), (second, second_drawn) = (results[measures.index(measure)] for measure in ranked[:2])
    low, high = _ends(best_drawn.srocc - second_drawn.srocc, level) if with_intervals else (np.nan, np.nan)
    return Lead(
        best=ranked[0],
        second=ranked[1],
        difference=float(best.srocc[0] - second.srocc[0]),
        low=low,
        high=high,
        told_apart=bool(low > 0),
    )


def _limits(
    conditions: int, sources: int, with_reference: bool, without: pd.DataFrame, measures: tuple, why_not: str | None
) -> tuple[str, ...]:
    found = [
        f"{conditions} conditions on {sources} sources; intervals are for other people, sources and attacks like these"
        + (", and wide with so few." if conditions < 20 else ".")
        if conditions >= _FEWEST_FOR_INTERVALS
        else f"{conditions} conditions are too few for intervals (at least {_FEWEST_FOR_INTERVALS})."
    ]
    if not with_reference:
        found.append("The reference is left out: measures that compare with it find it the best by construction.")
    found.append("PLCC is that of the values as they are; no curve was fitted to the measures.")
    if why_not is not None:
        found.append(f"There are no correlations over stimuli: {why_not}.")
    if len(without):
        found.append(f"{len(without)} stimuli of the manifests have no votes and take no part.")
    others = [measure for measure in measures if measure not in _competing(measures)]
    if others:
        found.append(f"Cannot lead, since matched or of no known direction: {', '.join(others)}.")
    return tuple(found)
