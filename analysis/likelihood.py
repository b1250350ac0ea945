"""Bradley-Terry and Davidson likelihoods of pooled counts, and Newton's method on them.

With scores s (log-strengths, logits) a pair (i, j) has, up to a common factor, the answers
    i chosen: exp((s_i - s_j) / 2)      j chosen: exp((s_j - s_i) / 2)      tie: nu
Bradley & Terry (1952) is nu = 0; nu > 0 is Davidson (1970), equation 2.2, in logarithms.
"""

from dataclasses import dataclass

import numpy as np

from analysis.errors import NotConverged

__all__ = ["Estimate", "answer_probabilities", "inverse_information", "maximise_likelihood"]

_TOLERANCE = 1e-9
_MAX_ITERATIONS = 200


@dataclass(frozen=True)
class Estimate:
    """Maximum of the likelihood: scores (n,) with sum zero; log_tie = log(nu), or None where ties are not modelled."""

    scores: np.ndarray
    log_tie: float | None
    iterations: int


def answer_probabilities(scores: np.ndarray, log_tie: float | None) -> tuple[np.ndarray, np.ndarray]:
    """P(row chosen over column) and P(tie), each (n, n)."""
    log_win, log_ties = _log_probabilities(scores, log_tie)
    return np.exp(log_win), np.exp(log_ties)


def maximise_likelihood(wins: np.ndarray, ties: np.ndarray | None = None) -> Estimate:
    """Damped Newton from equal scores, on counts that have a finite maximum (see `existence`).

    wins: (n, n), wins[i, j] votes that chose i over j, half votes allowed. ties: (n, n) symmetric, or None.
    Raises NotConverged.
    """
    n = len(wins)
    parameters = np.zeros(n + (ties is not None))
    if ties is not None:
        parameters[-1] = np.log(ties.sum() / wins.sum())
    value = _log_likelihood(parameters, wins, ties)
    for iteration in range(1, _MAX_ITERATIONS + 1):
        gradient, information = _derivatives(parameters, wins, ties)
        step = np.linalg.solve(information + _gauge(information, n), gradient)
        for _ in range(60):
            moved = parameters + step
            moved_value = _log_likelihood(moved, wins, ties)
            if moved_value >= value - 1e-12 * abs(value):
                break
            step = step / 2
        parameters, value = moved, moved_value
        if np.abs(step).max() < _TOLERANCE:
            scores = parameters[:n] - parameters[:n].mean()
            return Estimate(scores, None if ties is None else float(parameters[-1]), iteration)
    raise NotConverged(
        f"the fit did not converge in {_MAX_ITERATIONS} iterations (last step {np.abs(step).max():.1e}); "
        "some pairs are almost always answered in the same way: collect more votes on close pairs"
    )


def inverse_information(estimate: Estimate, wins: np.ndarray, ties: np.ndarray | None) -> np.ndarray:
    """Inverse Fisher information in the gauge of sum zero: the Moore-Penrose inverse over the scores.

    Shape (n, n), or (n + 1, n + 1) with log(nu) last.
    """
    n = len(wins)
    parameters = estimate.scores if ties is None else np.append(estimate.scores, estimate.log_tie)
    _, information = _derivatives(parameters, wins, ties)
    gauge = _gauge(information, n)
    inverse = np.linalg.inv(information + gauge)
    inverse[:n, :n] -= 1 / (n * n * gauge[0, 0])
    return inverse


def _log_probabilities(scores: np.ndarray, log_tie: float | None) -> tuple[np.ndarray, np.ndarray]:
    half = (scores[:, None] - scores[None, :]) / 2
    total = np.logaddexp(half, -half)
    if log_tie is None:
        return half - total, np.full_like(half, -np.inf)
    total = np.logaddexp(total, log_tie)
    return half - total, log_tie - total


def _split(parameters: np.ndarray, n: int) -> tuple[np.ndarray, float | None]:
    return parameters[:n], parameters[n] if len(parameters) > n else None


def _log_likelihood(parameters: np.ndarray, wins: np.ndarray, ties: np.ndarray | None) -> float:
    log_win, log_ties = _log_probabilities(*_split(parameters, len(wins)))
    value = np.sum(wins * log_win)
    return float(value if ties is None else value + np.sum(ties * log_ties) / 2)


def _derivatives(parameters: np.ndarray, wins: np.ndarray, ties: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    n = len(wins)
    win, tie = answer_probabilities(*_split(parameters, n))
    votes = wins + wins.T if ties is None else wins + wins.T + ties
    lead = win - win.T
    gradient = np.sum(wins - wins.T - votes * lead, axis=1) / 2
    weight = votes * (win + win.T - lead**2) / 4
    information = np.diag(weight.sum(axis=1)) - weight
    if ties is None:
        return gradient, information
    cross = -np.sum(votes * lead * tie, axis=1) / 2
    corner = np.sum(votes * tie * (1 - tie)) / 2
    gradient = np.append(gradient, np.sum(ties - votes * tie) / 2)
    return gradient, np.block([[information, cross[:, None]], [cross[None, :], np.array([[corner]])]])


def _gauge(information: np.ndarray, n: int) -> np.ndarray:
    """A multiple of the all-ones block: makes the information invertible and leaves every sum-zero solution alone."""
    gauge = np.zeros_like(information)
    gauge[:n, :n] = np.trace(information[:n, :n]) / (n * n)
    return gauge
