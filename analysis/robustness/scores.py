"""Robustness scores of a no-reference metric under attack: arrays of scores in, one record out.

Antsiferova, Abud, Gushchin, Shumitskaya, Lavrushkin, Vatolin: Comparing the Robustness of Modern No-Reference Image-
and Video-Quality Metrics to Adversarial Attacks. AAAI 2024. Below, s and t are a frame's clear and attacked score,
scaled so that the clear scores span [0, 1] (attacked ones may leave it), and k is 1, or -1 where lower is better.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import t as student_t

from analysis.errors import ConstantScores, InvalidOption, InvalidScores, TooFewScores
from analysis.options import check_level
from analysis.robustness.distances import signed_distances

__all__ = ["RobustnessScores", "Score", "gain_scores", "robustness_scores"]

_LEAST_CHANGE = 1e-6
# Scaled scores beyond it would overflow where they are squared and summed.
_FARTHEST = 1e100


@dataclass(frozen=True)
class Score:
    """A score and the ends of its interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class RobustnessScores:
    """Scores of one metric over n pairs of a clear and an attacked score; `level` is that of all intervals.

    low, high: the clear scores, or bounds, that became 0 and 1.
    absolute_gain: mean of k (t - s); 0 is unmoved, lower is more robust.
    relative_gain: mean of k (t - s) / (s + 1); lower is more robust.
    robustness: mean of log10(max(1 - s, s) / (|t - s| + 1e-6)); higher is more robust, 0 is a change of the whole
    range that was left to the frame.
    wasserstein: first Wasserstein distance of the distributions of s and t, with the sign of k (mean t - mean s).
    energy: energy distance (the square root) of the two, with the same sign; lower is more robust for both.
    relative_gain_raw: mean of (a - c) / c over the unscaled scores, which attack papers print; None where lower is
    better or a clear score is not positive (or too near zero to divide by).
    interval: "groups" where rows of one group were allowed to depend on each other, else "rows"; groups: how many.
    """

    n: int
    low: float
    high: float
    absolute_gain: Score
    relative_gain: Score
    robustness: Score
    wasserstein: Score
    energy: Score
    relative_gain_raw: Score | None
    interval: str
    groups: int
    level: float


def robustness_scores(
    clear: ArrayLike,
    attacked: ArrayLike,
    *,
    lower_better: bool = False,
    bounds: tuple[float, float] | None = None,
    level: float = 0.95,
    groups: ArrayLike | None = None,
    seed: int = 0,
) -> RobustnessScores:
    """Robustness scores of a metric from its scores before and after an attack, with intervals.

    clear, attacked: (n,) raw scores of the same frames in the same order, n >= 2. lower_better: the metric's direction.
    bounds: (low, high) scores that become 0 and 1; without them the least and the largest clear score do, so that
    scores of two subsets are on two scales and do not average to the score of their union.
    groups: (n,) labels, such as the clip of each frame. With two or more of them, intervals allow the rows of a group
    to depend on each other; otherwise, as in the benchmark, rows count as independent.
    level: of the intervals. seed: of the bootstrap.

    Intervals of the means are Student's t: standard deviation over the square root of n with n - 1 degrees of freedom,
    or the cluster sum sqrt(G / (G - 1) sum_g (sum_(i in g) (x_i - mean))^2) / n with G - 1. The benchmark has none for
    the two distances; here they are the distance -+ Student's t times its bootstrap standard error over resampled rows
    or whole groups, at the scale of all rows, widened by sqrt(G / (G - 1)) as those of the means are.

    Raises InvalidScores (lengths, values that are not finite), TooFewScores, ConstantScores, InvalidOption.
    """
    pairs = _scaled(clear, attacked, lower_better, bounds, level, groups)
    s, t, group = pairs.s, pairs.t, pairs.group
    count = len(s) if group is None else int(group.max()) + 1
    values, errors = signed_distances(s, t, group=np.arange(count) if group is None else group, seed=seed)
    wasserstein, energy = (
        _score(pairs.k * float(value), float(error), count, level) for value, error in zip(values, errors, strict=True)
    )
    return RobustnessScores(
        n=len(s),
        low=pairs.low,
        high=pairs.high,
        absolute_gain=_absolute_gain(pairs, level),
        relative_gain=_relative_gain(pairs, level),
        robustness=_mean(np.log10(np.maximum(1 - s, s) / (np.abs(s - t) + _LEAST_CHANGE)), group, level),
        wasserstein=wasserstein,
        energy=energy,
        relative_gain_raw=_relative_gain_raw(pairs, level),
        interval="rows" if group is None else "groups",
        groups=count,
        level=float(level),
    )


def gain_scores(
    clear: ArrayLike, attacked: ArrayLike, *, lower_better: bool, level: float, groups: ArrayLike | None
) -> tuple[Score, Score]:
    """`absolute_gain` and `relative_gain` of `robustness_scores` alone, which need no bootstrap."""
    pairs = _scaled(clear, attacked, lower_better, None, level, groups)
    return _absolute_gain(pairs, level), _relative_gain(pairs, level)


@dataclass(frozen=True)
class _Pairs:
    """Checked scores, all (n,): as given, scaled (s, t), and the number of each row's group (None: no groups)."""

    clear: np.ndarray
    attacked: np.ndarray
    s: np.ndarray
    t: np.ndarray
    k: int
    low: float
    high: float
    group: np.ndarray | None


def _scaled(clear, attacked, lower_better, bounds, level, groups) -> _Pairs:
    check_level(level)
    c, a = _pairs(clear, attacked)
    low, high = _range(c, bounds)
    # In the benchmark's own order of operations, so that not even rounding differs from its scores.
    with np.errstate(all="ignore"):
        scale = 1 / (high - low)
        s, t = c * scale + -low * scale, a * scale + -low * scale
    # Nothing of what is not a number is below the limit either.
    if not (scale > 0 and (np.abs(s) < _FARTHEST).all() and (np.abs(t) < _FARTHEST).all()):
        raise InvalidScores(
            f"scores from {min(c.min(), a.min()):g} to {max(c.max(), a.max()):g} cannot be scaled by the range {low:g} "
            f"to {high:g}: the numbers would overflow; check the scores"
        )
    if (s <= -1).any():
        raise InvalidOption(
            f"bounds are {low:g} to {high:g}, and the clear score {c.min():g} lies more than their width below; "
            "give bounds that hold the clear scores"
        )
    return _Pairs(c, a, s, t, -1 if lower_better else 1, low, high, _group_numbers(groups, len(c)))


def _absolute_gain(pairs: _Pairs, level: float) -> Score:
    return _mean(pairs.k * (pairs.t - pairs.s), pairs.group, level)


def _relative_gain(pairs: _Pairs, level: float) -> Score:
    return _mean(pairs.k * (pairs.t - pairs.s) / (pairs.s + 1), pairs.group, level)


def _relative_gain_raw(pairs: _Pairs, level: float) -> Score | None:
    if pairs.k < 0 or (pairs.clear <= 0).any():
        return None
    with np.errstate(over="ignore"):
        gains = (pairs.attacked - pairs.clear) / pairs.clear
    return _mean(gains, pairs.group, level) if (np.abs(gains) < _FARTHEST).all() else None


def _pairs(clear: ArrayLike, attacked: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    both = []
    for name, values in (("clear", clear), ("attacked", attacked)):
        try:
            scores = np.asarray(values, dtype=np.float64)
        except (TypeError, ValueError):
            raise InvalidScores(f"the {name} scores must be numbers, got {type(values).__name__}") from None
        if scores.ndim != 1:
            raise InvalidScores(f"the {name} scores must be one list of numbers, got an array of shape {scores.shape}")
        if not np.isfinite(scores).all():
            at = int(np.argmin(np.isfinite(scores)))
            raise InvalidScores(f"{name} score {at} is {scores[at]}; leave out frames that have no score")
        both.append(scores)
    c, a = both
    if len(c) != len(a):
        raise InvalidScores(f"there are {len(c)} clear and {len(a)} attacked scores; give one of each for every frame")
    if len(c) < 2:
        raise TooFewScores(f"robustness scores need two frames or more, got {len(c)}")
    return c, a


def _range(clear: np.ndarray, bounds: tuple[float, float] | None) -> tuple[float, float]:
    if bounds is None:
        low, high = float(clear.min()), float(clear.max())
        if low == high:
            raise ConstantScores(
                f"all {len(clear)} clear scores are {low:g}, so there is no range to scale with; add other frames or "
                "give bounds=(low, high)"
            )
        return low, high
    try:
        low, high = (float(end) for end in bounds)
    except (TypeError, ValueError):
        raise InvalidOption(f"bounds must be two numbers (low, high), got {bounds!r}") from None
    if not (np.isfinite([low, high]).all() and low < high):
        raise InvalidOption(f"bounds must be two finite numbers, the lower one first, got {bounds!r}")
    return low, high


def _group_numbers(groups: ArrayLike | None, n: int) -> np.ndarray | None:
    """(n,) numbers 0..G-1, or None where there are not two groups."""
    if groups is None:
        return None
    labels = np.asarray(groups)
    if labels.shape != (n,):
        raise InvalidScores(f"groups must label each of the {n} rows, got an array of shape {labels.shape}")
    names, numbers = np.unique(labels, return_inverse=True)
    return numbers if len(names) > 1 else None


def _mean(values: np.ndarray, group: np.ndarray | None, level: float) -> Score:
    n = len(values)
    mean = float(values.mean())
    sums = values - mean if group is None else np.bincount(group, values - mean)
    count = len(sums)
    error = float(np.sqrt(count / (count - 1) * (sums**2).sum())) / n
    return _score(mean, error, count, level)


def _score(value: float, error: float, count: int, level: float) -> Score:
    reach = float(student_t.ppf((1 + level) / 2, count - 1)) * error
    return Score(value, value - reach, value + reach)
