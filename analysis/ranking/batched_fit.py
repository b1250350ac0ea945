"""Many sets of counts on the same pairs, fitted at once: Newton's method over all of them in step."""

from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_array

from analysis.errors import CovarianceUnavailable, DisconnectedConditions, SeparatedConditions
from analysis.ranking.counts import PairCounts
from analysis.ranking.existence import require_finite_scores
from analysis.ranking.families import TIED_FAMILIES, Slopes, derivatives
from analysis.ranking.likelihood import Estimate, gaps, inverse_information

__all__ = ["BatchedFit"]

_MAX_ITERATIONS = 60
# The error left is about the square of Newton's last step; that of scoring (thurstone) falls by a factor per step.
_LAST_STEP = {"thurstone": 1e-9}
_LAST_STEP_OF_NEWTON = 1e-5


@dataclass(frozen=True, eq=False)
class BatchedFit:
    """Fits near a known one: `estimate` fitted to `pairs` (K pairs), as `maximise_likelihood` left it."""

    conditions: tuple[str, ...]
    pairs: PairCounts
    estimate: Estimate
    ridge: float = 0.0

    def scores(self, for_first: np.ndarray, for_second: np.ndarray, tied: np.ndarray) -> np.ndarray:
        """Scores (R, n) with sum zero that maximise the likelihood of each row of counts, each (R, K).

        NaN where a row has no finite maximum, or none was found. A row without a tie is fitted without the tie
        parameter, as a table without ties is.
        """
        found = np.full((len(for_first), len(self.conditions)), np.nan)
        untied = np.zeros(len(found), dtype=bool)
        if self.estimate.family in TIED_FAMILIES:
            untied = ~tied.any(axis=1)
        for rows, fit in ((~untied, self), (untied, self._without_ties())):
            if rows.all():
                found = fit._scores(for_first, for_second, tied)
            elif rows.any():
                found[rows] = fit._scores(for_first[rows], for_second[rows], tied[rows])
        return found

    def _without_ties(self) -> "BatchedFit":
        bare = replace(self.estimate, family="bradley-terry", tie=None, factor=None)
        return replace(self, estimate=bare, pairs=replace(self.pairs, tied=np.zeros_like(self.pairs.tied)))

    def _scores(self, for_first: np.ndarray, for_second: np.ndarray, tied: np.ndarray) -> np.ndarray:
        counts = replace(self.pairs, for_first=for_first, for_second=for_second, tied=tied)
        kept = self._determined(counts)
        if not kept.all():
            counts = _rows(counts, kept)
        n = len(self.conditions)
        found = np.full((len(for_first), n), np.nan)
        found[kept] = self._maxima(counts)[:, :n]
        return found - found.mean(axis=1, keepdims=True)

    def _determined(self, counts: PairCounts) -> np.ndarray:
        """Which rows have a finite maximum: (R,).

        With modelled ties no direction may part the two of a tied pair by more than it raises t, nor those of a
        decided one by less. A pair with both answers thus holds t, so that ties lead both ways; another that is tied,
        or has both answers, in either order then holds the left bias.
        """
        tied_family = self.estimate.family in TIED_FAMILIES
        found = _connected(counts, strongly=self.ridge == 0)
        if not tied_family and not counts.ordered:
            return found
        both = (counts.for_first > 0) & (counts.for_second > 0)
        if tied_family:
            held = both.any(axis=1)
            if not counts.ordered and not held.all():
                held |= _connected(replace(counts, tied=np.zeros_like(counts.tied)), strongly=True)
            found &= held
        if counts.ordered:
            found &= _some_in_both_orders(both | (counts.tied > 0), counts)
        # That suffices; where it does not hold, the exact answer is slower to find.
        for row in np.flatnonzero(~found):
            found[row] = self._has_maximum(counts, row)
        return found

    def _has_maximum(self, counts: PairCounts, row: int) -> bool:
        votes = [part[row] for part in (counts.for_first, counts.for_second, counts.tied)]
        seen = sum(votes) > 0
        shown = PairCounts(
            counts.n_conditions,
            counts.first[seen],
            counts.second[seen],
            counts.ordered,
            *(part[seen] for part in votes),
        )
        try:
            require_finite_scores(shown, self.conditions, family=self.estimate.family, ridge=self.ridge)
        except (CovarianceUnavailable, DisconnectedConditions, SeparatedConditions):
            return False
        return True

    def _maxima(self, counts: PairCounts) -> np.ndarray:
        """Parameters (R, p); NaN where the iteration did not end."""
        family, n, start = self.estimate.family, counts.n_conditions, self.estimate.parameters
        last_step = _LAST_STEP.get(family, _LAST_STEP_OF_NEWTON)
        incidence = _incidence(counts)
        slopes = self._derivatives(np.broadcast_to(start, (1, len(start))), counts)
        # The first step with the information of the known fit, which needs no solving.
        gradient = self._gradient(start, slopes, incidence)
        step = gradient @ inverse_information(self.estimate, self.pairs)
        parameters = start + _damped(step, start, n, family)
        found = np.full_like(parameters, np.nan)
        active = np.arange(len(parameters))
        for _ in range(_MAX_ITERATIONS):
            if len(active) == 0:
                break
            slopes = self._derivatives(parameters, counts)
            information = self._information(slopes, counts, incidence)
            gradient = self._gradient(parameters, slopes, incidence)
            step = _damped(np.linalg.solve(information, gradient[..., None])[..., 0], parameters, n, family)
            parameters = parameters + step
            done = np.abs(step).max(axis=1) < last_step
            if done.any():
                found[active[done]] = parameters[done]
                active, parameters, counts = active[~done], parameters[~done], _rows(counts, ~done)
        return found

    def _derivatives(self, parameters: np.ndarray, counts: PairCounts) -> Slopes:
        n, family = counts.n_conditions, self.estimate.family
        tie = parameters[:, n, None] if family in TIED_FAMILIES else None
        gap = gaps(parameters, counts)
        return derivatives(family, gap, tie, counts.for_first, counts.for_second, counts.tied)

    def _gradient(self, parameters: np.ndarray, slopes: Slopes, incidence: csr_array) -> np.ndarray:
        """Of the log-likelihood less the penalty: (R, p)."""
        by_score = (incidence @ slopes.gap.T).T - self.ridge * parameters[..., : len(self.conditions)]
        return np.column_stack([by_score, *self._extras(slopes.tie, slopes.gap)])

    def _information(self, slopes: Slopes, counts: PairCounts, incidence: csr_array) -> np.ndarray:
        """Minus the second derivatives, made invertible: (R, p, p)."""
        n, size = counts.n_conditions, len(self.estimate.parameters)
        found = np.zeros((len(slopes.gap), size, size))
        scores = found[:, :n, :n]
        scores[:, counts.first, counts.second] = -slopes.gap_gap
        scores += scores.transpose(0, 2, 1).copy()
        diagonal = np.arange(n)
        total = -scores.sum(axis=2)
        scores[:, diagonal, diagonal] = total + self.ridge
        # Leaves every step of sum zero alone; the scores have no other.
        scores += (total.sum(axis=1) / n**2)[:, None, None]
        across = self._extras(slopes.gap_tie, slopes.gap_gap, sum_up=False)
        for place, values in enumerate(across, start=n):
            found[:, place, :n] = found[:, :n, place] = (incidence @ values.T).T
        for place, values in enumerate(self._extras(slopes.tie_tie, slopes.gap_gap), start=n):
            found[:, place, place] = values
        if size == n + 2:
            found[:, n, n + 1] = found[:, n + 1, n] = slopes.gap_tie.sum(axis=1)
        return found

    def _extras(self, by_tie: np.ndarray | None, by_gap: np.ndarray, *, sum_up: bool = True) -> list[np.ndarray]:
        """What belongs to the tie parameter and to the left bias, as far as they are modelled."""
        parts = [by_tie] if self.estimate.tie is not None else []
        parts += [by_gap] if self.pairs.ordered else []
        return [part.sum(axis=1) for part in parts] if sum_up else parts


def _damped(step: np.ndarray, parameters: np.ndarray, n: int, family: str) -> np.ndarray:
    """Steps (R, p) short enough to rise.

    The third derivatives are at most the second times the change of the gap: a full step rises where no gap changes
    by more than 1, and log(1 + d) / d of it where one changes by d (Sun & Tran-Dinh 2019, Mathematical Programming 178,
    145-213, nu = 2).
    """
    reach = np.ptp(step[:, :n], axis=1) + np.abs(step[:, n:]).sum(axis=1)
    short = np.where(reach > 1, np.log1p(reach) / np.maximum(reach, 1), 1.0)
    if family == "rao-kupper":
        # Its t stays positive.
        fall = np.maximum(-step[:, n], 1e-300)
        short = np.minimum(short, parameters[..., n] / 2 / fall)
    return step * short[:, None]


def _connected(counts: PairCounts, *, strongly: bool) -> np.ndarray:
    """Where a chain of votes leads from each condition to each other one, won or tied ones if strongly: (R,)."""
    first, second = counts.first, counts.second
    beats = np.zeros((len(counts.for_first), counts.n_conditions, counts.n_conditions), dtype=np.float32)
    beats[:, first, second] = counts.for_first + counts.tied > 0
    beats[:, second, first] += counts.for_second + counts.tied > 0
    if not strongly:
        beats += beats.transpose(0, 2, 1).copy()
    found = np.ones(len(beats), dtype=bool)
    for edges in (beats, beats.transpose(0, 2, 1)):
        # All that condition 0 leads to (or that lead to it), one vote further each time.
        reached = np.zeros((len(beats), 1, counts.n_conditions), dtype=np.float32)
        reached[..., 0] = 1
        before = 0
        while (size := np.count_nonzero(reached)) > before:
            before, reached = size, np.minimum(reached + reached @ edges, 1)
        found &= reached.all(axis=(1, 2))
    return found


def _some_in_both_orders(level: np.ndarray, counts: PairCounts) -> np.ndarray:
    """Where some pair is level (R, K) in both orders: (R,)."""
    code = counts.first * counts.n_conditions + counts.second
    turned = counts.second * counts.n_conditions + counts.first
    _, one, other = np.intersect1d(code, turned, return_indices=True)
    return (level[:, one] & level[:, other]).any(axis=1)


def _incidence(pairs: PairCounts) -> csr_array:
    """(n, K): 1 for the first condition of a pair, -1 for the second."""
    count = len(pairs.first)
    ones, pair = np.ones(count), np.arange(count)
    return csr_array(
        (np.concatenate([ones, -ones]), (np.concatenate([pairs.first, pairs.second]), np.concatenate([pair, pair]))),
        shape=(pairs.n_conditions, count),
    )


def _rows(counts: PairCounts, kept: np.ndarray) -> PairCounts:
    return replace(counts, for_first=counts.for_first[kept], for_second=counts.for_second[kept], tied=counts.tied[kept])
