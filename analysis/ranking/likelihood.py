"""The maximum of the likelihood of counted pairs, by damped Newton."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.linalg.lapack import dpotrf, dpotri, dpotrs

from analysis.errors import NotConverged
from analysis.ranking.counts import PairCounts
from analysis.ranking.families import TIED_FAMILIES, derivatives, log_likelihood

__all__ = ["Estimate", "gaps", "inverse_information", "maximise_likelihood"]

# Newton's error after a step of d logits is about d^2 / 2. Scoring, as thurstone has it, gains less in its last step.
_LAST_STEP = 1e-5
_LAST_SCORING_STEP = 1e-11
# A step of d logits changes the information by a share of d at most: after a shorter one that before it will do.
_NO_STEP = 1e-8
_MAX_ITERATIONS = 200


@dataclass(frozen=True, eq=False)
class Estimate:
    """Where the likelihood is highest.

    scores: (n,) with sum zero. tie: the family's t, or None. left_bias: added to the score of the condition on the
    left, or None where it is not modelled. ridge: what the scores were held by; log_likelihood: without it. factor:
    (p, p), the Cholesky factor of the information in its gauge, or None where the last step was too long for it.
    """

    family: str
    scores: np.ndarray
    tie: float | None
    left_bias: float | None
    ridge: float
    log_likelihood: float
    iterations: int
    factor: np.ndarray | None

    @property
    def parameters(self) -> np.ndarray:
        """Scores, then t, then the left bias, as far as modelled."""
        return np.array([*self.scores, *(extra for extra in (self.tie, self.left_bias) if extra is not None)])


def maximise_likelihood(pairs: PairCounts, *, family: str = "bradley-terry", ridge: float = 0.0) -> Estimate:
    """The scores that make the votes most likely, less ridge / 2 times the sum of the squared scores.

    pairs: with a finite maximum (see `existence`); the left bias is modelled where they are ordered. Ties are modelled
    by the family, or halved before. ridge: 1 / variance of a normal prior of the scores. Raises NotConverged.
    """
    n = pairs.n_conditions
    slopes = _Slopes(pairs, family, ridge)
    parameters = _start(pairs, family)
    gradient, hessian = slopes(parameters)
    last = _LAST_SCORING_STEP if family == "thurstone" else _LAST_STEP
    for iteration in range(1, _MAX_ITERATIONS + 1):
        hessian[:n, :n] += slopes.gauge
        # Transposed it is in the order of LAPACK, which then need not copy it.
        factor, singular = dpotrf(hessian.T, lower=1, overwrite_a=1)
        if singular:
            break
        step = dpotrs(factor, gradient, lower=1)[0]
        # Rao and Kupper's t is as small as the share of ties, and never below 0.
        scale = min(parameters[n], 1.0) if family == "rao-kupper" else 1.0
        length = float(np.abs(step).max()) / scale
        if length < last:
            return _estimate(parameters + step, slopes, iteration, factor if length < _NO_STEP else None)
        if family == "rao-kupper" and step[n] <= -parameters[n]:
            step *= -0.9 * parameters[n] / step[n]
        rise = gradient @ step
        for _ in range(60):
            moved = parameters + step
            gradient, hessian = slopes(moved)
            # The likelihood is concave, so that a slope that has not turned proves a gain, and one that has hardly
            # turned leaves one.
            if gradient @ step >= -0.1 * rise:
                break
            step, rise = step / 2, rise / 2
        parameters = moved
    raise NotConverged(
        f"the fit did not converge in {iteration} iterations; "
        "some pairs are almost always answered in the same way: collect more votes on close pairs"
    )


def inverse_information(estimate: Estimate, pairs: PairCounts) -> np.ndarray:
    """Inverse of the information in the gauge of sum zero: the Moore-Penrose inverse over the scores; (p, p).

    pairs: those that the estimate was fitted to. The information is that of the penalised likelihood. Raises
    NotConverged where the votes leave it singular to the machine's precision.
    """
    n, factor = pairs.n_conditions, estimate.factor
    if factor is None:
        slopes = _Slopes(pairs, estimate.family, estimate.ridge)
        found = slopes(estimate.parameters)[1]
        found[:n, :n] += slopes.gauge
        factor, singular = dpotrf(found.T, lower=1, overwrite_a=1)
        if singular:
            raise NotConverged(
                "the votes hardly determine some score: almost all pairs are answered in the same way; "
                "collect more votes on close pairs"
            )
    half = dpotri(factor, lower=1)[0]
    inverse = half + half.T
    inverse.ravel()[:: len(inverse) + 1] /= 2
    # The part along a shift of all scores, which the gauge (and the ridge) put there.
    inverse[:n, :n] -= 1 / (n * (n * _gauge(pairs) + estimate.ridge))
    return inverse


def gaps(parameters: np.ndarray, pairs: PairCounts) -> np.ndarray:
    """Score of first less that of second, plus the left bias where modelled; parameters (..., p) -> (..., K)."""
    found = parameters.take(pairs.first, axis=-1) - parameters.take(pairs.second, axis=-1)
    return found + parameters[..., -1:] if pairs.ordered else found


class _Slopes:
    """Gradient (p,) and information (p, p) of the penalised log-likelihood, as a function of the parameters (p,).

    gauge: what to add to all entries of the scores' block, which makes the information invertible and leaves every
    solution of sum zero alone.
    """

    def __init__(self, pairs: PairCounts, family: str, ridge: float):
        self.pairs, self.family, self.ridge = pairs, family, ridge
        self.with_tie = family in TIED_FAMILIES
        self.size = pairs.n_conditions + self.with_tie + pairs.ordered
        self.above = pairs.first * self.size + pairs.second
        self.below = pairs.second * self.size + pairs.first
        self.gauge = _gauge(pairs)

    def __call__(self, parameters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        pairs, n, size = self.pairs, self.pairs.n_conditions, self.size
        tie = parameters[n] if self.with_tie else None
        found = derivatives(self.family, gaps(parameters, pairs), tie, pairs.for_first, pairs.for_second, pairs.tied)
        gradient, flat = np.empty(size), np.zeros(size * size)
        hessian, curvature = flat.reshape(size, size), -found.gap_gap
        flat[self.above] = curvature
        if pairs.ordered:
            # A pair shown both ways round is there twice.
            hessian += hessian.T
        else:
            flat[self.below] = curvature
        flat[: n * (size + 1) : size + 1] = self.ridge - np.add.reduce(hessian, axis=1)[:n]
        gradient[:n] = self._spread(found.gap)
        if self.ridge:
            gradient[:n] -= self.ridge * parameters[:n]
        if tie is not None:
            gradient[n], hessian[n, n] = found.tie.sum(), found.tie_tie.sum()
            hessian[n, :n] = hessian[:n, n] = self._spread(found.gap_tie)
        if pairs.ordered:
            gradient[-1], hessian[-1, -1] = found.gap.sum(), found.gap_gap.sum()
            hessian[-1, :n] = hessian[:n, -1] = self._spread(found.gap_gap)
            if tie is not None:
                hessian[-1, n] = hessian[n, -1] = found.gap_tie.sum()
        return gradient, hessian

    def _spread(self, values: np.ndarray) -> np.ndarray:
        n = self.pairs.n_conditions
        return np.bincount(self.pairs.first, values, n) - np.bincount(self.pairs.second, values, n)


def _gauge(pairs: PairCounts) -> float:
    """Of the size of the information's entries."""
    return float((pairs.for_first + pairs.for_second + pairs.tied).sum()) / (2 * pairs.n_conditions) ** 2


def _start(pairs: PairCounts, family: str) -> np.ndarray:
    """Scores as if everybody had met all others alike, and what gives equal scores the observed share of ties."""
    n, first, second = pairs.n_conditions, pairs.first, pairs.second
    modelled = family in TIED_FAMILIES
    decided = pairs.halved() if modelled else pairs
    won = np.bincount(first, decided.for_first, n) + np.bincount(second, decided.for_second, n)
    lost = np.bincount(first, decided.for_second, n) + np.bincount(second, decided.for_first, n)
    scores = np.log((won + 0.5) / (lost + 0.5))
    scores -= scores.sum() / n
    # The others' spread v flattens the shares of wins by about 1 / sqrt(1 + pi v / 8): MacKay (1992), Neural
    # Computation 4, 720-736. Beyond 1.5 a longer start would overshoot.
    others = (n - 1) / n
    spread = min(float(scores @ scores) / n, 1.5)
    parameters = np.zeros(n + modelled + pairs.ordered)
    parameters[:n] = scores * (others * math.sqrt(1 + math.pi / 8 * others * spread))
    if modelled:
        ratio = 2 * pairs.tied.sum() / (pairs.for_first.sum() + pairs.for_second.sum())
        parameters[n] = math.log(ratio) if family == "davidson" else math.log1p(ratio)
    return parameters


def _estimate(parameters: np.ndarray, slopes: _Slopes, iterations: int, factor: np.ndarray | None) -> Estimate:
    pairs, n = slopes.pairs, slopes.pairs.n_conditions
    tie = float(parameters[n]) if slopes.with_tie else None
    value = log_likelihood(slopes.family, gaps(parameters, pairs), tie, pairs.for_first, pairs.for_second, pairs.tied)
    scores = parameters[:n]
    return Estimate(
        family=slopes.family,
        scores=scores - scores.sum() / n,
        tie=tie,
        left_bias=float(parameters[-1]) if pairs.ordered else None,
        ridge=slopes.ridge,
        log_likelihood=float(value),
        iterations=iterations,
        factor=factor,
    )
