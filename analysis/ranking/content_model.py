"""Scores with a random effect of the source: the mode, its curvature and the likelihood of the effects' size.

Condition k on source s has the utility u_sk = theta_k + delta_sk, delta_sk ~ N(0, tau^2), and a vote on that source
follows the family (see `families`) with the difference of two utilities. theta and the tie parameter are flat.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from analysis.errors import NotConverged
from analysis.ranking.counts import CodedVotes, pair_counts
from analysis.ranking.families import TIED_FAMILIES, Slopes, derivatives, log_likelihood

__all__ = ["NO_EFFECT", "UNBOUND", "ContentFit", "SourcePairs", "fit_content", "source_pairs"]

# Variances of the effects that stand for none, and for scores of each source on its own.
NO_EFFECT, UNBOUND = 1e-8, 1e6
# A Newton step of this length leaves an error of about its square.
_TOLERANCE, _MAX_ITERATIONS, _LONGEST_STEP = 1e-5, 200, 3.0


@dataclass(frozen=True, eq=False)
class SourcePairs:
    """Votes per source and pair: source, first, second are codes (K,), first < second; the rest are votes (K,)."""

    n_sources: int
    n_conditions: int
    family: str
    source: np.ndarray
    first: np.ndarray
    second: np.ndarray
    for_first: np.ndarray
    for_second: np.ndarray
    tied: np.ndarray

    def scaled(self, factor: float) -> "SourcePairs":
        """Each vote counted `factor` times."""
        answers = ("for_first", "for_second", "tied")
        return replace(self, **{name: getattr(self, name) * factor for name in answers})

    def shown(self) -> np.ndarray:
        """Votes of each condition on each source, (S, n)."""
        votes = self.for_first + self.for_second + self.tied
        cells = np.concatenate([self.source * self.n_conditions + side for side in (self.first, self.second)])
        size = self.n_sources * self.n_conditions
        return np.bincount(cells, np.tile(votes, 2), size).reshape(self.n_sources, self.n_conditions)


@dataclass(frozen=True, eq=False)
class ContentFit:
    """The mode for one tau^2. scores: theta (n,), sum zero. utilities: u (S, n). tie: the family's t, or None.

    information: of each source's utilities (S, n, n), and within the covariance of its effects where theta is known.
    log_likelihood: of the votes at the mode. log_marginal: of the votes with utilities, theta and t integrated out
    (Laplace), up to a constant that is the same for every tau^2.
    """

    tau2: float
    scores: np.ndarray
    utilities: np.ndarray
    tie: float | None
    information: np.ndarray
    within: np.ndarray
    gap_tie: np.ndarray
    shared_information: np.ndarray
    log_likelihood: float
    log_marginal: float

    @cached_property
    def covariance(self) -> np.ndarray:
        """Of theta about the mode (Laplace), (n, n), sum zero."""
        return self._shared[: len(self.scores), : len(self.scores)]

    @cached_property
    def utility_covariance(self) -> np.ndarray:
        """Of each source's utilities about the mode, (S, n, n)."""
        by_tie = -np.einsum("sij,sj->si", self.within, self.gap_tie)[:, :, None]
        reach = np.concatenate([self.within / self.tau2, by_tie], axis=2)[:, :, : len(self._shared)]
        return reach @ self._shared @ reach.swapaxes(1, 2) + self.within

    @cached_property
    def _shared(self) -> np.ndarray:
        n = len(self.scores)
        pinned, pin = _pinned(self.shared_information, n)
        covariance = np.linalg.inv(pinned)
        covariance[:n, :n] -= 1 / (n * pin)
        return covariance


def source_pairs(coded: CodedVotes, family: str) -> SourcePairs:
    """Counts of the votes per source; a family without ties counts each as half a vote for both sides."""
    n = len(coded.conditions)
    counts = coded.count_by(coded.source, coded.n_sources)
    parts = [pair_counts(np.asarray(row.todense()).ravel() if hasattr(row, "todense") else row) for row in counts]
    if family not in TIED_FAMILIES:
        parts = [part.halved() for part in parts]
    source = np.repeat(np.arange(coded.n_sources), [len(part.first) for part in parts])
    names = ("first", "second", "for_first", "for_second", "tied")
    joined = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
    return SourcePairs(coded.n_sources, n, family, source, **joined)


def fit_content(pairs: SourcePairs, tau2: float, *, start: ContentFit | None = None) -> ContentFit:
    """The mode of the model for a given variance of the effects, > 0 (NO_EFFECT: none; UNBOUND: sources on their own).

    pairs: of a connected graph of conditions. start: a fit to set out from. Raises NotConverged.
    """
    n, n_sources, with_tie = pairs.n_conditions, pairs.n_sources, pairs.family in TIED_FAMILIES
    if start is None:
        theta, delta = np.zeros(n), np.zeros((n_sources, n))
        tie = _first_tie(pairs) if with_tie else None
    else:
        theta, delta, tie = start.scores, start.utilities - start.scores, start.tie
        # Effects of the wrong size would be a bad start.
        delta = delta * min(1.0, np.sqrt(tau2 / max(start.tau2, NO_EFFECT)))
    value = _objective(pairs, theta, delta, tie, tau2)
    for _ in range(_MAX_ITERATIONS):
        system = _System.of(pairs, theta, delta, tie, tau2)
        step, tie_step, delta_step = system.newton_step(delta)
        longest = max(np.abs(step).max(), np.abs(delta_step).max(), abs(tie_step))
        length = min(1.0, _LONGEST_STEP / longest) if longest else 1.0
        for _ in range(40):
            moved_tie = None if tie is None else tie + length * tie_step
            moved = theta + length * step, delta + length * delta_step, moved_tie
            moved_value = _objective(pairs, *moved, tau2)
            if moved_value >= value - 1e-12 * abs(value):
                break
            length /= 2
        (theta, delta, tie), gained, value = moved, moved_value - value, moved_value
        # Where a condition never lost on a source, its utility creeps on long after the likelihood stands still.
        if longest < _TOLERANCE or (longest < 1 and abs(gained) < 1e-10):
            return system.result(theta, delta, tie, value)
    raise NotConverged(
        f"the fit with an effect of the source did not converge in {_MAX_ITERATIONS} iterations; "
        "collect more votes on each source"
    )


def _spread(pairs: SourcePairs, values: np.ndarray) -> np.ndarray:
    """Sum of values (K,) at the first condition less that at the second: (S, n)."""
    size = pairs.n_sources * pairs.n_conditions
    at = pairs.source * pairs.n_conditions
    found = np.bincount(at + pairs.first, values, size) - np.bincount(at + pairs.second, values, size)
    return found.reshape(pairs.n_sources, pairs.n_conditions)


@dataclass(frozen=True, eq=False)
class _System:
    """Newton's equations without the effects: their block of a source is W + 1 / tau^2, and within its inverse.

    With share = within / tau^2, W - W within W is written (1 - share) / tau^2, which loses no digits at either end.
    """

    pairs: SourcePairs
    tau2: float
    slopes: Slopes
    information: np.ndarray
    within: np.ndarray
    share: np.ndarray
    gap_tie: np.ndarray
    schur: np.ndarray

    @classmethod
    def of(cls, pairs: SourcePairs, theta, delta, tie, tau2: float) -> "_System":
        n = pairs.n_conditions
        slopes = _slopes(pairs, theta, delta, tie)
        information = _laplacians(pairs, slopes.gap_gap)
        within = np.linalg.inv(information + np.eye(n) / tau2)
        share = within / tau2
        gap_tie = np.zeros(information.shape[:2]) if tie is None else _spread(pairs, slopes.gap_tie)
        schur = np.zeros((n + (tie is not None),) * 2)
        schur[:n, :n] = (np.eye(n) - share).sum(axis=0) / tau2
        if tie is not None:
            schur[:n, n] = schur[n, :n] = np.einsum("sij,sj->i", share, gap_tie)
            schur[n, n] = slopes.tie_tie.sum() - np.einsum("si,sij,sj->", gap_tie, within, gap_tie)
        return cls(pairs, tau2, slopes, information, within, share, gap_tie, schur)

    def newton_step(self, delta: np.ndarray) -> tuple[np.ndarray, float, np.ndarray]:
        """Steps of theta, of t (0 where there is none), and of the effects."""
        n = self.pairs.n_conditions
        pull = delta / self.tau2
        moved = np.einsum("sij,sj->si", self.within, _spread(self.pairs, self.slopes.gap) - pull)
        right = np.empty(len(self.schur))
        right[:n] = (pull + moved / self.tau2).sum(axis=0)
        if len(right) > n:
            right[n] = self.slopes.tie.sum() - np.sum(self.gap_tie * moved)
        step = np.linalg.solve(_pinned(self.schur, n)[0], right)
        tie_step = float(step[n]) if len(step) > n else 0.0
        of_theta = step[:n] - step[:n].mean()
        effect = moved - of_theta + self.share @ of_theta
        return of_theta, tie_step, effect - np.einsum("sij,sj->si", self.within, self.gap_tie) * tie_step

    def result(self, theta, delta, tie, value: float) -> ContentFit:
        pinned, pin = _pinned(self.schur, self.pairs.n_conditions)
        lost = np.linalg.slogdet(np.eye(self.pairs.n_conditions) + self.tau2 * self.information)[1].sum()
        lost += np.linalg.slogdet(pinned)[1] - np.log(pin)
        return ContentFit(
            tau2=self.tau2,
            scores=theta,
            utilities=theta + delta,
            tie=tie,
            information=self.information,
            within=self.within,
            gap_tie=self.gap_tie,
            shared_information=self.schur,
            log_likelihood=value + float(np.sum(delta**2) / (2 * self.tau2)),
            log_marginal=value - float(lost) / 2,
        )


def _pinned(information: np.ndarray, n: int) -> tuple[np.ndarray, float]:
    """The information with the shift of all scores, which nothing determines, held by a matrix of ones of this size."""
    pin = float(np.trace(information[:n, :n]) / n)
    pinned = information.copy()
    pinned[:n, :n] += pin / n
    return pinned, pin


def _gaps(pairs: SourcePairs, theta: np.ndarray, delta: np.ndarray) -> np.ndarray:
    utility = theta + delta
    return utility[pairs.source, pairs.first] - utility[pairs.source, pairs.second]


def _objective(pairs: SourcePairs, theta, delta, tie, tau2: float) -> float:
    if pairs.family == "rao-kupper" and tie <= 0:
        return -np.inf
    gap = _gaps(pairs, theta, delta)
    value = log_likelihood(pairs.family, gap, tie, pairs.for_first, pairs.for_second, pairs.tied)
    return float(value - np.sum(delta**2) / (2 * tau2))


def _slopes(pairs: SourcePairs, theta, delta, tie) -> Slopes:
    gap = _gaps(pairs, theta, delta)
    return derivatives(pairs.family, gap, tie, pairs.for_first, pairs.for_second, pairs.tied)


def _laplacians(pairs: SourcePairs, weight: np.ndarray) -> np.ndarray:
    """Information (S, n, n) about the utilities from the information (K,) about each gap."""
    n = pairs.n_conditions
    one, other = (pairs.source * n + side for side in (pairs.first, pairs.second))
    rows, columns = np.concatenate([one, other, one, other]), [pairs.first, pairs.second, pairs.second, pairs.first]
    values = np.concatenate([weight, weight, -weight, -weight])
    return np.bincount(rows * n + np.concatenate(columns), values, pairs.n_sources * n * n).reshape(-1, n, n)


def _first_tie(pairs: SourcePairs) -> float:
    """t of equal scores with the observed share of ties."""
    odds = 2 * pairs.tied.sum() / (pairs.for_first + pairs.for_second).sum()
    return float(np.log(odds) if pairs.family == "davidson" else np.log1p(odds))
