"""The maximum of the likelihood of counted pairs, by damped Newton."""

from dataclasses import dataclass

import numpy as np

from analysis.counts import PairCounts
from analysis.errors import NotConverged
from analysis.families import TIED_FAMILIES, derivatives, log_likelihood

__all__ = ["Estimate", "gaps", "information", "inverse_information", "maximise_likelihood"]

_TOLERANCE = 1e-9
_MAX_ITERATIONS = 200


@dataclass(frozen=True, eq=False)
class Estimate:
    """Where the likelihood is highest.

    scores: (n,) with sum zero. tie: the family's t, or None. left_bias: added to the score of the condition on the
    left, or None where it is not modelled. log_likelihood: without the ridge.
    """

    family: str
    scores: np.ndarray
    tie: float | None
    left_bias: float | None
    log_likelihood: float
    iterations: int

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
    with_tie = family in TIED_FAMILIES
    parameters = np.zeros(n + with_tie + pairs.ordered)
    if with_tie:
        parameters[n] = _first_tie(family, pairs)
    value = _objective(parameters, pairs, family, ridge)
    for iteration in range(1, _MAX_ITERATIONS + 1):
        gradient, hessian = _slopes(parameters, pairs, family, ridge)
        step = np.linalg.solve(hessian + _gauge(hessian, n), gradient)
        for _ in range(60):
            moved = parameters + step
            moved_value = _objective(moved, pairs, family, ridge)
            if moved_value >= value - 1e-12 * abs(value):
                break
            step = step / 2
        parameters, value = moved, moved_value
        if np.abs(step).max() < _TOLERANCE:
            scores = parameters[:n] - parameters[:n].mean()
            return Estimate(
                family=family,
                scores=scores,
                tie=float(parameters[n]) if with_tie else None,
                left_bias=float(parameters[-1]) if pairs.ordered else None,
                log_likelihood=value + ridge / 2 * float(scores @ scores),
                iterations=iteration,
            )
    raise NotConverged(
        f"the fit did not converge in {_MAX_ITERATIONS} iterations (last step {np.abs(step).max():.1e}); "
        "some pairs are almost always answered in the same way: collect more votes on close pairs"
    )


def information(estimate: Estimate, pairs: PairCounts, *, ridge: float = 0.0) -> np.ndarray:
    """Information about the estimate's parameters, (p, p); singular along a shift of all scores unless ridge > 0."""
    return _slopes(estimate.parameters, pairs, estimate.family, ridge)[1]


def inverse_information(estimate: Estimate, pairs: PairCounts, *, ridge: float = 0.0) -> np.ndarray:
    """Inverse of `information` in the gauge of sum zero: the Moore-Penrose inverse over the scores; (p, p)."""
    n = pairs.n_conditions
    found = information(estimate, pairs, ridge=ridge)
    gauge = _gauge(found, n)
    inverse = np.linalg.inv(found + gauge)
    # The part along a shift of all scores, which the gauge (and the ridge) put there.
    inverse[:n, :n] -= 1 / (n * (n * gauge[0, 0] + ridge))
    return inverse


def gaps(parameters: np.ndarray, pairs: PairCounts) -> np.ndarray:
    """Score of first less that of second, plus the left bias where modelled; parameters (..., p) -> (..., K)."""
    found = parameters[..., pairs.first] - parameters[..., pairs.second]
    return found + parameters[..., -1:] if pairs.ordered else found


def _tie_of(parameters: np.ndarray, pairs: PairCounts, family: str) -> float | None:
    return parameters[pairs.n_conditions] if family in TIED_FAMILIES else None


def _first_tie(family: str, pairs: PairCounts) -> float:
    """t of equal scores: what gives the observed share of ties."""
    tied, decided = pairs.tied.sum(), (pairs.for_first + pairs.for_second).sum()
    return float(np.log(2 * tied / decided) if family == "davidson" else np.log1p(2 * tied / decided))


def _objective(parameters: np.ndarray, pairs: PairCounts, family: str, ridge: float) -> float:
    tie = _tie_of(parameters, pairs, family)
    if family == "rao-kupper" and tie <= 0:
        return -np.inf
    value = log_likelihood(family, gaps(parameters, pairs), tie, pairs.for_first, pairs.for_second, pairs.tied)
    scores = parameters[: pairs.n_conditions]
    return float(value - ridge / 2 * (scores @ scores))


def _slopes(parameters: np.ndarray, pairs: PairCounts, family: str, ridge: float) -> tuple[np.ndarray, np.ndarray]:
    """Gradient (p,) and information (p, p) of the objective."""
    n, first, second = pairs.n_conditions, pairs.first, pairs.second
    tie = _tie_of(parameters, pairs, family)
    found = derivatives(family, gaps(parameters, pairs), tie, pairs.for_first, pairs.for_second, pairs.tied)

    def spread(values: np.ndarray) -> np.ndarray:
        return np.bincount(first, values, n) - np.bincount(second, values, n)

    size = len(parameters)
    gradient, hessian = np.empty(size), np.zeros((size, size))
    scores = hessian[:n, :n]
    scores[first, second] = -found.gap_gap
    scores += scores.T
    scores[np.diag_indices(n)] = ridge - scores.sum(axis=1)
    gradient[:n] = spread(found.gap) - ridge * parameters[:n]
    if tie is not None:
        gradient[n], hessian[n, n] = found.tie.sum(), found.tie_tie.sum()
        hessian[n, :n] = hessian[:n, n] = spread(found.gap_tie)
    if pairs.ordered:
        gradient[-1], hessian[-1, -1] = found.gap.sum(), found.gap_gap.sum()
        hessian[-1, :n] = hessian[:n, -1] = spread(found.gap_gap)
        if tie is not None:
            hessian[-1, n] = hessian[n, -1] = found.gap_tie.sum()
    return gradient, hessian


def _gauge(found: np.ndarray, n: int) -> np.ndarray:
    """A multiple of the all-ones block: makes the information invertible and leaves every sum-zero solution alone."""
    gauge = np.zeros_like(found)
    gauge[:n, :n] = np.trace(found[:n, :n]) / (n * n)
    return gauge
