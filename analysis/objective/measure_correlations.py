"""Objective measures beside scores: laid out by source and condition, and correlated over either."""

import numpy as np
import pandas as pd

from analysis.objective.correlations import Correlations, correlations
from analysis.objective.objective_table import measures_of, validate_objective
from analysis.objective.quality_table import MEASURES
from analysis.ranking.counts import CodedVotes
from analysis.ranking.resampled_scores import ResampledScores

__all__ = ["COEFFICIENTS", "condition_means", "lay_out", "over_conditions", "over_stimuli"]

COEFFICIENTS = ("srocc", "plcc", "krocc")
_BETTER = {measure.key: measure.better for measure in MEASURES}


def lay_out(objective: pd.DataFrame, coded: CodedVotes, there: np.ndarray, metric: str | None) -> dict[str, np.ndarray]:
    """Each measure as (S, n), its sign turned where lower is better; NaN where there is none, or not `there` (S, n).

    metric: the target metric of the votes, of which the table's rows are taken; None where they do not say.
    """
    table = validate_objective(objective)
    if "target_metric" in table and metric is not None:
        table = table[table["target_metric"] == metric]
    source = pd.Index(coded.sources).get_indexer(table["source"])
    condition = pd.Index(coded.conditions).get_indexer(table["condition"])
    inside = (source >= 0) & (condition >= 0)
    values = {}
    for measure in measures_of(table):
        grid = np.full(there.shape, np.nan)
        grid[source[inside], condition[inside]] = table[measure].to_numpy()[inside]
        grid[~there] = np.nan
        if np.isfinite(grid).any():
            values[measure] = -grid if _BETTER.get(measure) == -1 else grid
    return values


def over_conditions(x: np.ndarray, drawn: ResampledScores, conditions: np.ndarray) -> Correlations:
    """x: (S, n) of one measure; conditions: (R, n), how often each was drawn. Each (R,)."""
    there = np.isfinite(x)
    deviation = np.where(there, x - _mean(x), 0.0)
    count = drawn.sources @ there
    with np.errstate(invalid="ignore", divide="ignore"):
        average = (drawn.sources @ deviation) / count
    return correlations(average, drawn.scores, conditions)


def over_stimuli(x: np.ndarray, drawn: ResampledScores, conditions: np.ndarray) -> Correlations:
    """Mean over the drawn sources of the correlation within each; (R,)."""
    within = [correlations(x[s], drawn.utilities[:, s], conditions) for s in range(len(x))]
    averages = []
    for name in COEFFICIENTS:
        each = np.stack([getattr(found, name) for found in within], axis=1)
        weight = np.where(np.isnan(each), 0.0, drawn.sources)
        with np.errstate(invalid="ignore", divide="ignore"):
            averages.append(np.sum(weight * np.nan_to_num(each), axis=1) / weight.sum(axis=1))
    return Correlations(*averages)


def condition_means(values: dict[str, np.ndarray], conditions: tuple[str, ...], scores: np.ndarray) -> pd.DataFrame:
    """Mean over sources of each measure in its own sign, with the score: measure, condition, value, score."""
    rows = []
    for measure, x in values.items():
        average = _mean(x.T)[:, 0] * (-1 if _BETTER.get(measure) == -1 else 1)
        there = np.isfinite(x).any(axis=0)
        rows += [(measure, conditions[k], float(average[k]), float(scores[k])) for k in np.flatnonzero(there)]
    return pd.DataFrame(rows, columns=["measure", "condition", "value", "score"])


def _mean(x: np.ndarray) -> np.ndarray:
    """Of each row, over the values that exist; (S, 1)."""
    there = np.isfinite(x)
    return np.where(there, x, 0.0).sum(axis=1, keepdims=True) / np.maximum(1, there.sum(axis=1, keepdims=True))
