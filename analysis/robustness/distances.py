"""Distances between the distributions of two paired samples, with bootstrap standard errors."""

import numpy as np
from scipy.sparse import csr_array

__all__ = ["signed_distances"]

_RESAMPLES = 400
# Resamples that are worked on at a time, and steps of the distributions that a resample keeps apart.
_BLOCK, _STEPS = 64, 2048


def signed_distances(s: np.ndarray, t: np.ndarray, *, group: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """First Wasserstein distance and energy distance (the square root), each with the sign of mean t - mean s.

    s, t: (n,), in pairs; group: (n,) numbers 0..G-1 of what is resampled as a whole, G >= 2. Returns the two values and
    their standard errors: the standard deviation over bootstrap resamples times sqrt(G / (G - 1)). With few groups, a
    distance is larger than that of the populations and its resamples are larger still, which percentiles of them would
    take for the truth; mean -+ Student's t times this error covers it. Values are exact; of resamples of many rows,
    neighbouring steps of the distributions are taken together.
    """
    n, count = len(s), int(group.max()) + 1
    pooled = np.concatenate((s, t))
    order = np.argsort(pooled, kind="stable")
    # The gap between the step functions of s and t rises by 1 at each of s, falls by 1 at each of t.
    rise, member, width = np.where(order < n, 1.0, -1.0)[:-1], group[order[:-1] % n], np.diff(pooled[order])
    values = np.sign(t.mean() - s.mean()) * _distances(np.cumsum(rise)[:, None] / n, width)[:, 0]

    kept = min(len(rise), _STEPS)
    step = np.arange(len(rise)) * kept // len(rise)
    rises, widths = csr_array((rise, (step, member)), shape=(kept, count)), np.bincount(step, width)
    sizes, shifts = np.bincount(group), np.bincount(group, t - s)
    rng = np.random.default_rng(seed)
    resampled = []
    for first in range(0, _RESAMPLES, _BLOCK):
        size = min(_BLOCK, _RESAMPLES - first)
        drawn = rng.integers(count, size=(size, count)) + count * np.arange(size)[:, None]
        weights = np.bincount(drawn.ravel(), minlength=size * count).reshape(size, count).T.astype(float, order="C")
        gap = np.cumsum(rises @ (weights / (sizes @ weights)), axis=0)
        resampled.append(np.sign(shifts @ weights) * _distances(gap, widths))
    return values, np.concatenate(resampled, axis=1).std(axis=1, ddof=1) * np.sqrt(count / (count - 1))


def _distances(gap: np.ndarray, width: np.ndarray) -> np.ndarray:
    """(2, B) Wasserstein and energy distances of B gaps (steps, B) that stay for `width` (steps,) each."""
    return np.stack((width @ np.abs(gap), np.sqrt(2 * (width @ gap**2))))
