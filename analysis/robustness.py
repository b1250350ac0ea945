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

__all__ = ["RobustnessScores", "Score", "gain_scores", "robustness_scores"]

_LEAST_CHANGE = 1e-6
_RESAMPLES = 999
# Resamples, and steps of the distributions, that are worked on at a time.
_BLOCK, _STRETCH = 64, 1024


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
    better or a clear score is not positive.
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
    the two distances; here they are percentiles of 999 bootstrap resamples of rows or of whole groups, at the scale of
    all rows.

    Raises InvalidScores (lengths, values that are not finite), TooFewScores, ConstantScores, InvalidOption.
    """
    pairs = _scaled(clear, attacked, lower_better, bounds, level, groups)
    c, a, s, t = pairs.clear, pairs.attacked, pairs.s, pairs.t
    wasserstein, energy = _distances(pairs, level, seed)
    return RobustnessScores(
        n=len(c),
        low=pairs.low,
        high=pairs.high,
        absolute_gain=_absolute_gain(pairs, level),
        relative_gain=_relative_gain(pairs, level),
        robustness=_mean(np.log10(np.maximum(1 - s, s) / (np.abs(s - t) + _LEAST_CHANGE)), pairs.group, level),
        wasserstein=wasserstein,
        energy=energy,
        relative_gain_raw=None if lower_better or (c <= 0).any() else _mean((a - c) / c, pairs.group, level),
        interval="rows" if pairs.group is None else "groups",
        groups=len(c) if pairs.group is None else int(pairs.group.max()) + 1,
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
    if not 0 < level < 1:
        raise InvalidOption(f"level must lie between 0 and 1, got {level:g}; 0.95 gives 95 % intervals")
    c, a = _pairs(clear, attacked)
    low, high = _range(c, bounds)
    # In the benchmark's own order of operations, so that not even rounding differs from its scores.
    scale = 1 / (high - low)
    s, t = c * scale + -low * scale, a * scale + -low * scale
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
    reach = float(student_t.ppf((1 + level) / 2, count - 1)) * error
    return Score(mean, mean - reach, mean + reach)


def _distances(pairs: _Pairs, level: float, seed: int) -> tuple[Score, Score]:
    """Wasserstein and energy score; both are integrals over the gap between the two step functions of s and t."""
    s, t, n = pairs.s, pairs.t, len(pairs.s)
    group = np.arange(n) if pairs.group is None else pairs.group
    count = int(group.max()) + 1
    pooled = np.concatenate((s, t))
    order = np.argsort(pooled, kind="stable")
    member, side = group[order[:-1] % n], np.where(order[:-1] < n, 1.0, -1.0)
    width = np.diff(pooled[order])

    def scores(weights: np.ndarray, shift: np.ndarray) -> np.ndarray:
        """(2, B) of the (G, B) weights of the groups and the (B,) mean shifts, of which the sign counts."""
        wasserstein, energy = _integrals(weights / np.bincount(group).dot(weights), member, side, width)
        return pairs.k * np.sign(shift) * np.stack((wasserstein, np.sqrt(2 * energy)))

    found = scores(np.ones((count, 1)), t.mean() - s.mean())[:, 0]
    shifts = np.bincount(group, t - s)
    rng = np.random.default_rng(seed)
    resampled = []
    for first in range(0, _RESAMPLES, _BLOCK):
        size = min(_BLOCK, _RESAMPLES - first)
        drawn = rng.integers(count, size=(size, count)) + count * np.arange(size)[:, None]
        weights = np.bincount(drawn.ravel(), minlength=size * count).reshape(size, count).T.astype(float, order="C")
        resampled.append(scores(weights, shifts @ weights))
    tail = (1 - level) / 2
    ends = np.quantile(np.concatenate(resampled, axis=1), [tail, 1 - tail], axis=1)
    return tuple(Score(float(mean), float(low), float(high)) for mean, low, high in zip(found, *ends, strict=True))


def _integrals(
    weights: np.ndarray, member: np.ndarray, side: np.ndarray, width: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Integrals (B,) of the gap's size and of its square; in stretches that stay in the processor's cache.

    weights: (G, B); at the i-th step the gap rises by side[i] times the weight of member[i] and stays for width[i].
    """
    gap_before = np.zeros(weights.shape[1])
    size, square = np.zeros_like(gap_before), np.zeros_like(gap_before)
    for first in range(0, len(member), _STRETCH):
        part = slice(first, first + _STRETCH)
        gap = weights[member[part]]
        gap *= side[part, None]
        gap[0] += gap_before
        np.cumsum(gap, axis=0, out=gap)
        gap_before = gap[-1].copy()
        size += width[part] @ np.abs(gap)
        gap *= gap
        square += width[part] @ gap
    return size, square
