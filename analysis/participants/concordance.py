"""Do participants agree with each other? Kendall's coefficient of agreement and Krippendorff's alpha over the pairs."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2
from scipy.stats import t as student_t

from analysis.errors import NotAssessable
from analysis.participants.judgements import Judgements
from analysis.ranking.counts import TIE

__all__ = [
    "KendallAgreement",
    "KrippendorffAlpha",
    "disagreement",
    "kendall_agreement",
    "krippendorff_alpha",
    "nominal_alpha",
]

_ALIKE = 1e-12


@dataclass(frozen=True)
class KendallAgreement:
    """u: 1 where all agree on every pair, about 0 where all guess; `lowest` is the smallest that can be.

    low, high: interval by the jackknife over participants. statistic, degrees_of_freedom, p: chi-square test of
    guessing. pairs: pairs on a source that two or more people decided; fewest, most: by how many each was.
    """

    u: float
    low: float
    high: float
    lowest: float
    statistic: float
    degrees_of_freedom: float
    p: float
    pairs: int
    fewest: int
    most: int


@dataclass(frozen=True)
class KrippendorffAlpha:
    """alpha: 1 where all answers to a pair are the same, 0 where they agree as chance would have it.

    low, high: interval by the jackknife over participants. pairs: pairs on a source with two or more answers; answers:
    how many those are.
    """

    alpha: float
    low: float
    high: float
    pairs: int
    answers: int


def kendall_agreement(first: Judgements, *, level: float) -> KendallAgreement:
    """u of the decided first answers: 2 S / (pairs of answers to the same pair) - 1, S those of them that agree.

    Kendall & Babington Smith (1940), Biometrika 31, 324-345, with 1 taken from S in the test. Pairs are those of one
    source. Differs: pairs may be judged by different numbers of people; the chi-square has the first three moments of
    S under guessing (mean and variance 1/2 and 1/4 of the pairs of answers, third moment 3/4 of the triples of
    answers), which is their test where the numbers are equal. Ties are left out.
    Raises NotAssessable where no pair was decided by three participants.
    """
    decided = first.where(first.answer != TIE)
    counts, unit = _counts(decided, answers=2)
    judges = counts.sum(axis=1)
    if judges.max(initial=0) < 3:
        raise NotAssessable("no pair on a source was decided by three participants")
    agreeing, compared = np.sum(counts * (counts - 1)) / 2, np.sum(judges * (judges - 1)) / 2
    variance, third = compared / 4, np.sum(judges * (judges - 1) * (judges - 2)) / 8
    degrees = 8 * variance**3 / third**2
    statistic = max(4 * variance / third * (agreeing - 1 - compared / 2) + degrees, 0.0)
    same = counts[unit, decided.answer] - 1
    u = 2 * agreeing / compared - 1
    without_agreeing = agreeing - np.bincount(decided.participant, same)
    without_compared = compared - np.bincount(decided.participant, judges[unit] - 1)
    people = np.bincount(decided.participant) > 0
    low, high = _jackknife(u, (2 * without_agreeing / without_compared - 1)[people], level=level)
    shared = judges[judges > 1]
    # The least agreement: the answers to each pair are split evenly.
    half = shared // 2
    least = np.sum(half * (half - 1) + (shared - half) * (shared - half - 1)) / 2
    return KendallAgreement(
        u=float(u),
        low=low,
        high=high,
        lowest=float(2 * least / compared - 1),
        statistic=float(statistic),
        degrees_of_freedom=float(degrees),
        p=float(chi2.sf(statistic, degrees)),
        pairs=len(shared),
        fewest=int(shared.min()),
        most=int(shared.max()),
    )


def krippendorff_alpha(first: Judgements, *, level: float) -> KrippendorffAlpha:
    """Nominal alpha of the first answers (one condition, the other, tie); units are the pairs of each source.

    Krippendorff (2011), Computing Krippendorff's alpha-reliability. Differs: for the agreement by chance the two
    conditions of a pair share their answers evenly, for which of them is named first is without meaning; the names of
    conditions would else change alpha. Raises NotAssessable without two answers to a pair that are not all ties.
    """
    counts, unit = _counts(first, answers=3)
    size = counts.sum(axis=1)
    paired = size > 1
    observed, totals = disagreement(counts), counts[paired].sum(axis=0)
    alpha = float(nominal_alpha(observed.sum(), _even(totals)))
    if np.isnan(alpha):
        raise NotAssessable("no pair on a source has answers of two participants, or all of them are ties")
    # Without a participant: their units lose an answer, and those of two answers are no longer compared.
    fewer = counts[unit]
    fewer[np.arange(len(unit)), first.answer] -= 1
    lost = np.where((size == 2)[unit, None], counts[unit], (counts[unit] - fewer) * paired[unit, None])
    people = np.unique(first.participant, return_inverse=True)[1]
    observed_lost = np.bincount(people, observed[unit] - disagreement(fewer))
    totals_lost = np.column_stack([np.bincount(people, column) for column in lost.T])
    low, high = _jackknife(
        alpha, nominal_alpha(observed.sum() - observed_lost, _even(totals - totals_lost)), level=level
    )
    return KrippendorffAlpha(alpha, low, high, int(paired.sum()), int(size[paired].sum()))


def disagreement(counts: np.ndarray) -> np.ndarray:
    """Ordered pairs of different answers over the answers less one, (units,); counts: (units, values)."""
    size = counts.sum(axis=1)
    return (size**2 - np.sum(counts**2, axis=1)) / np.maximum(size - 1, 1)


def nominal_alpha(observed: np.ndarray, totals: np.ndarray) -> np.ndarray:
    """Krippendorff's alpha (...) from the sum of `disagreement` (...) and the totals of each value (..., values).

    Both over the units with at least two answers. NaN where no disagreement is possible.
    """
    total = totals.sum(axis=-1)
    expected = total**2 - np.sum(totals**2, axis=-1)
    share = np.divide(observed, expected, out=np.full(np.shape(expected), np.nan), where=np.asarray(expected) > 0)
    return 1 - (total - 1) * share


def _even(totals: np.ndarray) -> np.ndarray:
    either = totals[..., :TIE].mean(axis=-1)
    return np.stack([either, either, totals[..., TIE]], axis=-1)


def _counts(judged: Judgements, *, answers: int) -> tuple[np.ndarray, np.ndarray]:
    """Answers per unit (units, answers), and the unit of each judgement."""
    units, unit = np.unique(judged.unit, return_inverse=True)
    return np.bincount(unit * answers + judged.answer, minlength=len(units) * answers).reshape(-1, answers), unit


def _jackknife(value: float, without: np.ndarray, *, level: float) -> tuple[float, float]:
    """Interval from the values without each participant in turn (P,), t with P - 1 degrees of freedom.

    -1 to 1 where those say nothing.
    """
    without = without[np.isfinite(without)]
    people = len(without)
    # Votes that are split evenly, say: who is left out is all one, and the spread between people unknown.
    if people < 2 or (np.ptp(without) < _ALIKE and value < 1):
        return -1.0, 1.0
    error = np.sqrt((people - 1) / people * np.sum((without - without.mean()) ** 2))
    margin = float(student_t.ppf((1 + level) / 2, people - 1) * error)
    return max(float(value) - margin, -1.0), min(float(value) + margin, 1.0)
