"""How far scores truly differ, estimated from the votes themselves: the ridge of an empirical-Bayes fit."""

import numpy as np
from scipy.optimize import brentq

from analysis.ranking.counts import PairCounts
from analysis.ranking.likelihood import inverse_information, maximise_likelihood

__all__ = ["estimate_ridge"]

# Standard deviations of 0.1 and 5 logits: hardly a difference, and more than a study can show. Where few votes show no
# difference at all, a variance of 0 would pretend to know all scores exactly.
_LEAST, _MOST = 0.01, 25.0


def estimate_ridge(pairs: PairCounts, *, family: str) -> float:
    """1 / variance of the normal prior of the scores under which the votes are most likely.

    The fixed point of EM with the posterior as normal about its mode (Laplace): variance = (sum of squared scores +
    trace of their covariance) / (n - 1), in the n - 1 directions in which scores can differ. Dempster, Laird & Rubin
    (1977), JRSS B 39, 1-38; Morris (1983), JASA 78, 47-65. The variance is kept between 0.01 and 25. pairs:
    connected, see `existence`. Raises NotConverged.
    """
    n = pairs.n_conditions

    def growth(log_variance: float) -> float:
        ridge = np.exp(-log_variance)
        estimate = maximise_likelihood(pairs, family=family, ridge=ridge)
        doubt = np.trace(inverse_information(estimate, pairs)[:n, :n])
        return float(np.log((estimate.scores @ estimate.scores + doubt) / (n - 1)) - log_variance)

    low, high = np.log(_LEAST), np.log(_MOST)
    if growth(high) >= 0:
        return 1 / _MOST
    if growth(low) <= 0:
        return 1 / _LEAST
    return float(np.exp(-brentq(growth, low, high, xtol=1e-9)))
