"""How an answer depends on the difference of two scores: the probability families and their derivatives.

With d the score of the first condition minus that of the second (plus the left bias where `first` was on the left):

    bradley-terry   P(first) = 1 / (1 + exp(-d))                            Bradley & Terry (1952), Biometrika 39
    davidson        first : second : tie = exp(d / 2) : exp(-d / 2) : exp(t)     Davidson (1970), JASA 65, eq. 2.2
    rao-kupper      P(first) = 1 / (1 + exp(t - d)), P(second) = 1 / (1 + exp(t + d)), t > 0
                                                                            Rao & Kupper (1967), JASA 62
    thurstone       P(first) = Phi(d / 1.4826)                              Thurstone (1927), Case V

t is log(nu) for Davidson and log(theta) for Rao & Kupper. All four likelihoods are concave in the scores, the left
bias and t together. The thurstone scale is the one on which a difference of 1 means 75 % (one JOD).
"""

from typing import NamedTuple

import numpy as np
from scipy.special import expit, log_ndtr, ndtr
from scipy.stats import norm

__all__ = [
    "FAMILIES",
    "JOD_SD",
    "TIED_FAMILIES",
    "Slopes",
    "answer_slopes",
    "derivatives",
    "log_likelihood",
    "probabilities",
]

FAMILIES = ("bradley-terry", "davidson", "rao-kupper", "thurstone")
TIED_FAMILIES = ("davidson", "rao-kupper")
# Standard deviation of the difference for which one unit is preferred in 75 % of votes.
JOD_SD = float(1 / norm.ppf(0.75))


class Slopes(NamedTuple):
    """Log-likelihood of counted answers: first derivatives and the information (minus the second), each (..., K)."""

    gap: np.ndarray
    gap_gap: np.ndarray
    tie: np.ndarray | None = None
    gap_tie: np.ndarray | None = None
    tie_tie: np.ndarray | None = None


def probabilities(family: str, gap: np.ndarray, tie: np.ndarray | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """P(first), P(second), P(tie), each of the shape of `gap`."""
    if family == "davidson":
        half = np.abs(gap) / 2
        # Divided by the largest of the three, so that nothing overflows.
        top = np.maximum(half, tie)
        one, other, even = np.exp(gap / 2 - top), np.exp(-gap / 2 - top), np.exp(tie - top)
        total = one + other + even
        return one / total, other / total, even / total
    if family == "rao-kupper":
        first, second = expit(gap - tie), expit(-gap - tie)
        return first, second, np.expm1(2 * tie) * first * second
    first, second = (
        (expit(gap), expit(-gap)) if family == "bradley-terry" else (ndtr(gap / JOD_SD), ndtr(-gap / JOD_SD))
    )
    return first, second, np.zeros_like(first)


def log_likelihood(family: str, gap, tie, first, second, tied) -> np.ndarray:
    """Of counted answers, summed over the last axis: gap, first, second, tied (..., K); tie: () or (..., 1) or None."""
    if family == "davidson":
        total = np.logaddexp(np.logaddexp(gap / 2, -gap / 2), tie)
        return np.sum((first - second) * gap / 2 + tied * tie - (first + second + tied) * total, axis=-1)
    if family == "rao-kupper":
        both = np.log(np.expm1(2 * tie)) if np.any(tied) else 0.0
        one, other = np.logaddexp(0, tie - gap), np.logaddexp(0, tie + gap)
        return np.sum(tied * both - (first + tied) * one - (second + tied) * other, axis=-1)
    if family == "thurstone":
        return np.sum(first * log_ndtr(gap / JOD_SD) + second * log_ndtr(-gap / JOD_SD), axis=-1)
    # log(1 + exp(gap)), twice as fast as logaddexp.
    total = np.maximum(gap, 0) - np.log(expit(np.abs(gap)))
    return np.vecdot(first, gap) - np.vecdot(first + second, total)


def derivatives(family: str, gap, tie, first, second, tied) -> Slopes:
    """Slopes of `log_likelihood` per pair; the information is the expected one for thurstone, else the observed."""
    if family == "davidson":
        one, other, even = probabilities(family, gap, tie)
        votes = first + second + tied
        lead = one - other
        return Slopes(
            gap=(first - second - votes * lead) / 2,
            gap_gap=votes * (one + other - lead**2) / 4,
            tie=tied - votes * even,
            gap_tie=-votes * even * lead / 2,
            tie_tie=votes * even * (1 - even),
        )
    if family == "rao-kupper":
        above, below = expit(tie - gap), expit(tie + gap)
        one, other = (first + tied) * above, (second + tied) * below
        curve_one, curve_other = one * (1 - above), other * (1 - below)
        growth = -np.expm1(-2 * tie)
        return Slopes(
            gap=one - other,
            gap_gap=curve_one + curve_other,
            tie=2 * tied / growth - one - other,
            gap_tie=curve_other - curve_one,
            tie_tie=curve_one + curve_other + 4 * tied * np.exp(-2 * tie) / growth**2,
        )
    votes = first + second
    if family == "thurstone":
        scaled = gap / JOD_SD
        density = np.exp(-(scaled**2) / 2) / (np.sqrt(2 * np.pi) * JOD_SD)
        one, other = ndtr(scaled), ndtr(-scaled)
        return Slopes(gap=density * (first / one - second / other), gap_gap=votes * density**2 / (one * other))
    chance = expit(gap)
    expected = votes * chance
    return Slopes(gap=first - expected, gap_gap=expected - expected * chance)


def answer_slopes(family: str, gap: np.ndarray, tie: float | None) -> tuple[np.ndarray, np.ndarray | None]:
    """Derivatives of the log-probability of single answers (first, second, tie) by gap and by t, each (..., K, 3).

    A family without ties counts one as half an answer for each side.
    """
    tied = (0, 0, 1) if family in TIED_FAMILIES else (0.5, 0.5, 0)
    flat = np.ravel(gap)
    slopes = [
        derivatives(family, flat, tie, *(np.full_like(flat, part) for part in answer))
        for answer in ((1, 0, 0), (0, 1, 0), tied)
    ]
    shape = (*np.shape(gap), 3)
    by_gap = np.stack([found.gap for found in slopes], axis=-1).reshape(shape)
    by_tie = None if tie is None else np.stack([found.tie for found in slopes], axis=-1).reshape(shape)
    return by_gap, by_tie
