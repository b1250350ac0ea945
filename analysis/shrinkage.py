"""How far scores truly differ, estimated from the votes themselves: the ridge of an empirical-Bayes fit."""

import numpy as np

from analysis.counts import PairCounts
from analysis.likelihood import inverse_information, maximise_likelihood

__all__ = ["estimate_ridge"]

_START = 1.0
_MAX_ITERATIONS = 500
# Where the votes show no difference at all the variance would shrink to 0; a standard deviation of 0.01 logits is none.
_LEAST_VARIANCE = 1e-4
_MOST_VARIANCE = 1e4


def estimate_ridge(pairs: PairCounts, *, family: str) -> float:
    """1 / variance of the normal prior of the scores under which the votes are most likely.

    By EM with the posterior as normal about its mode (Laplace): variance = (sum of squared scores + trace of their
    covariance) / (n - 1), in the n - 1 directions in which scores can differ. Dempster, Laird & Rubin (1977), JRSS B
    39, 1-38; Morris (1983), JASA 78, 47-65. pairs: connected, see `existence`. Raises NotConverged.
    """
    n = pairs.n_conditions
    variance = _START
    for _ in range(_MAX_ITERATIONS):
        estimate = maximise_likelihood(pairs, family=family, ridge=1 / variance)
        doubt = np.trace(inverse_information(estimate, pairs, ridge=1 / variance)[:n, :n])
        before = variance
        variance = float(
            np.clip((estimate.scores @ estimate.scores + doubt) / (n - 1), _LEAST_VARIANCE, _MOST_VARIANCE)
        )
        if abs(variance - before) < 1e-8 * before:
            break
    return 1 / variance
