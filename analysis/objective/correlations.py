"""Rank and product-moment correlations of weighted values, many at a time."""

from dataclasses import dataclass

import numpy as np

__all__ = ["Correlations", "correlations"]

# Two values correlate by 1 or -1 whatever they are.
_FEWEST = 3


@dataclass(frozen=True, eq=False)
class Correlations:
    """Each of the shape that was asked for; NaN where one side is constant or fewer than three values are left."""

    srocc: np.ndarray
    plcc: np.ndarray
    krocc: np.ndarray


def correlations(x: np.ndarray, y: np.ndarray, weight: np.ndarray) -> Correlations:
    """Spearman's, Pearson's and Kendall's (tau-b) of x and y over the last axis, each pair counted `weight` times.

    x, y, weight: (..., n), broadcast against each other; a value that is NaN has the weight 0. Whole weights give what
    the coefficients of repeated pairs are, ties sharing their mean rank.
    """
    weight = np.where(np.isfinite(x) & np.isfinite(y), weight, 0.0)
    few = np.count_nonzero(weight, axis=-1) < _FEWEST
    x, y = np.nan_to_num(x), np.nan_to_num(y)
    above_x, above_y = (np.sign(side[..., :, None] - side[..., None, :]) for side in (x, y))
    ranks = [np.einsum("...ij,...j->...i", above, weight) for above in (above_x, above_y)]
    agreeing = np.einsum("...ij,...ij,...i,...j->...", above_x, above_y, weight, weight, optimize=False)
    untied = [np.einsum("...ij,...i,...j->...", np.abs(above), weight, weight) for above in (above_x, above_y)]
    with np.errstate(invalid="ignore", divide="ignore"):
        found = (
            _pearson(*ranks, weight),
            _pearson(x, y, weight),
            np.clip(agreeing / np.sqrt(untied[0] * untied[1]), -1, 1),
        )
        return Correlations(*(np.where(few, np.nan, each) for each in found))


def _pearson(x: np.ndarray, y: np.ndarray, weight: np.ndarray) -> np.ndarray:
    total = weight.sum(axis=-1, keepdims=True)
    # Of equal values rounding leaves a spread, so what is constant is told by its range.
    constant = np.logical_or(*(_range(side, weight) <= 1e-12 * np.abs(side).max(axis=-1) for side in (x, y)))
    x, y = (side - np.sum(weight * side, axis=-1, keepdims=True) / total for side in (x, y))
    spread = np.sum(weight * x**2, axis=-1) * np.sum(weight * y**2, axis=-1)
    return np.where(constant, np.nan, np.clip(np.sum(weight * x * y, axis=-1) / np.sqrt(spread), -1, 1))


def _range(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    there = weight > 0
    return np.where(there, values, -np.inf).max(axis=-1) - np.where(there, values, np.inf).min(axis=-1)
