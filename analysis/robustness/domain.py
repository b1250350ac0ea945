"""Maps of a metric's scores into the domain of a reference metric, so that gains of different metrics compare.

In one dimension the optimal transport between two distributions, for any convex cost, is the monotone map
F_reference^-1(F_metric(x)); see Peyre & Cuturi, Computational Optimal Transport (2019), remark 2.30. The benchmark
(Antsiferova et al., AAAI 2024) approximates it by a network for each metric, whose published parameters apply to its
own fifteen metrics only.
"""

from dataclasses import dataclass

import numpy as np
from numpy.polynomial.hermite import hermgauss
from numpy.typing import ArrayLike

from analysis.errors import ConstantScores, InvalidScores, InvalidTransport, TooFewScores

__all__ = ["PUBLISHED_NAMES", "NeuralMap", "QuantileMap"]

# Our name of a metric -> the benchmark's in its file of maps. Another metric has no map, not even one of a like name:
# its "cnniqa" is the model of LIVE, for one.
PUBLISHED_NAMES = {
    "clipiqa": "clip-iqa",
    "cnniqa-live": "cnniqa",
    "fpr": "fpr",
    "hyperiqa": "hyper-iqa",
    "koncept512": "koncept",
    "linearity": "linearity",
    "maniqa": "maniqa",
    "mdtvsfa": "mdtvsfa",
    "meta-iqa": "meta-iqa",
    "nima": "nima",
    "paq2piq": "paq2piq",
    "rankiqa": "rank-iqa",
    "spaq": "spaq",
    "tres": "tres",
    "vsfa": "vsfa",
    "wsp": "wsp",
}

_NOISE = 0.1
_NODES = 64
_LEAST_WEIGHT = 1e-18
_BLOCK = 2048


@dataclass(frozen=True)
class QuantileMap:
    """Closed-form optimal transport from the clear scores of a metric to those of a reference metric.

    knots: (K,) distinct clear scores of the metric, ascending in quality; images: (K,) where they go, in the direction
    and units of the reference. Between knots the map is linear. Beyond them it goes on with the slope of the whole
    span (last image - first image) / (last knot - first knot), so that a score that an attack drives out of the clear
    range by a share of that range stays out by the same share.
    """

    knots: np.ndarray
    images: np.ndarray
    lower_better: bool

    @classmethod
    def fit(
        cls,
        metric_clear: ArrayLike,
        reference_clear: ArrayLike,
        *,
        lower_better: bool = False,
        reference_lower_better: bool = False,
    ) -> "QuantileMap":
        """The map between the clear scores of both, (n,) and (m,), which need not be of the same frames.

        lower_better, reference_lower_better: directions; the best score of the metric goes to the best of the
        reference. The i-th of n scores in order of quality goes to the quantile (i - 1/2) / n of the reference
        (Hazen's definition: with n = m to its i-th score exactly), equal scores to the mean of theirs.
        Raises TooFewScores, ConstantScores, InvalidScores.
        """
        ascending = np.sort(_quality(metric_clear, lower_better, "the metric"))
        reference = _quality(reference_clear, reference_lower_better, "the reference metric")
        n = len(ascending)
        quantiles = np.quantile(reference, (np.arange(n) + 0.5) / n, method="hazen")
        knots, at, counts = np.unique(ascending, return_inverse=True, return_counts=True)
        images = np.bincount(at, quantiles) / counts
        back = -1.0 if reference_lower_better else 1.0
        return cls(knots=knots, images=back * images, lower_better=lower_better)

    def __call__(self, scores: ArrayLike) -> np.ndarray:
        """`scores` of the metric, any shape, in the domain of the reference."""
        x = np.asarray(scores, dtype=np.float64) * (-1.0 if self.lower_better else 1.0)
        slope = (self.images[-1] - self.images[0]) / (self.knots[-1] - self.knots[0])
        beyond = x - np.clip(x, self.knots[0], self.knots[-1])
        return np.interp(x, self.knots, self.images) + slope * beyond


@dataclass(frozen=True)
class NeuralMap:
    """One of the benchmark's published maps: a network (score, noise) -> score that approximates the transport.

    low, high: range of the metric's scores that it was fitted on; layers: (weight (out, in), bias (out,)) of each
    linear layer, with rectifiers between them. A map keeps the metric's direction.

    Differs: the benchmark averages the network over 512 random draws of the noise N(0, 0.1^2) for each score; here the
    mean over the noise is taken by Gauss-Hermite quadrature with 64 nodes, which is the same number every time.
    """

    low: float
    high: float
    layers: tuple[tuple[np.ndarray, np.ndarray], ...]

    def require_range(self, clear: ArrayLike, metric: str) -> None:
        """Raise InvalidTransport where the clear scores cannot be of the metric that the map was made for."""
        middle = float(np.median(clear))
        if not self.low <= middle <= self.high:
            raise InvalidTransport(
                f"the published map of {metric!r} was fitted on scores from {self.low:g} to {self.high:g}, but the "
                f"middle clear score here is {middle:g}: these are other weights or another scale; use the domain "
                "quantile"
            )

    def __call__(self, scores: ArrayLike) -> np.ndarray:
        """`scores` of the metric, any shape, in the reference's domain scaled to its range (unclipped)."""
        values, at = np.unique(np.asarray(scores, dtype=np.float64), return_inverse=True)
        nodes, weights = hermgauss(_NODES)
        counts = weights > _LEAST_WEIGHT
        noise, weights = np.sqrt(2) * _NOISE * nodes[counts], weights[counts] / np.sqrt(np.pi)
        scaled = (values - self.low) / (self.high - self.low)
        mapped = [self._mean(scaled[i : i + _BLOCK], noise, weights) for i in range(0, len(scaled), _BLOCK)]
        return np.concatenate(mapped)[at].reshape(np.shape(scores)) if mapped else np.empty(np.shape(scores))

    def _mean(self, scaled: np.ndarray, noise: np.ndarray, weights: np.ndarray) -> np.ndarray:
        (first, shift), *others = self.layers
        hidden = (scaled[:, None, None] * first[:, 0] + noise[None, :, None] * first[:, 1] + shift).reshape(
            -1, len(shift)
        )
        for weight, bias in others:
            hidden = np.maximum(hidden, 0) @ weight.T + bias
        return hidden.reshape(len(scaled), len(noise)) @ weights


def _quality(scores: ArrayLike, lower_better: bool, whose: str) -> np.ndarray:
    values = np.asarray(scores, dtype=np.float64)
    if values.ndim != 1 or not np.isfinite(values).all():
        raise InvalidScores(f"the clear scores of {whose} must be one list of finite numbers")
    if len(values) < 2:
        raise TooFewScores(f"a map needs two clear scores of {whose} or more, got {len(values)}")
    if values.min() == values.max():
        raise ConstantScores(f"all clear scores of {whose} are {values[0]:g}, so there is no distribution to map")
    return -values if lower_better else values
