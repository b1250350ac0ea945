"""Participants whose preferences the model of the others finds improbable."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.special import expit

from analysis.ranking.counts import LEFT, TIE, PairCounts
from analysis.ranking.likelihood import inverse_information, maximise_likelihood

__all__ = ["Z_LIMIT", "likelihood_z"]

# The lowest 1 % of people if tastes did not differ.
Z_LIMIT = -2.33
# Preferences from which z is about normal.
_FEWEST = 6
# Of the others; the taste of two or three people is not the crowd's.
_FEWEST_OTHERS = 4
# Pairs of equal scores say nothing about those who judge them.
_LEAST_VARIANCE = 1e-9
# Numbers in an array of one block.
_BLOCK = 2_000_000
# Normal prior of the scores with a standard deviation of 10 logits: scores are finite whatever the votes.
_RIDGE = 0.01


def likelihood_z(counts: csr_array) -> np.ndarray:
    """How probable each participant's preferences are under Bradley-Terry scores fitted without them: (P,).

    counts: (P, 3 n^2) votes per cell; ties are left aside. z = (log L - E log L) / sd(log L), expectation and spread
    under the model, so that people who were shown close pairs can be compared with those who were shown clear ones.
    NaN for fewer than 6 preferences, with fewer than 4 others who have any, or where the model tells nothing.

    Pérez-Ortiz & Mantiuk (2017), arXiv 1712.03686 (pwcmp's pw_outlier_analysis) compare the log-likelihoods themselves
    with their quartiles over participants. Differs: z instead; the scores without a participant come from one Newton
    step. It is meant to be asked once: in a small crowd a second round, by the scores of those who agreed most, goes on
    to remove the rest.
    """
    return _Preferences.of(counts).z()


@dataclass(frozen=True, eq=False)
class _Preferences:
    """Votes that are no ties, per participant and pair: for_first and votes are (P, K) with the same stored places."""

    n_conditions: int
    first: np.ndarray
    second: np.ndarray
    for_first: csr_array
    votes: csr_array

    @classmethod
    def of(cls, counts: csr_array) -> "_Preferences":
        stored = counts.tocoo()
        person, cell = stored.row.astype(np.int64), stored.col.astype(np.int64)
        n = round((counts.shape[1] / 3) ** 0.5)
        left, right, answer = cell // (3 * n), cell // 3 % n, cell % 3
        decided = answer != TIE
        person, left, right, answer, count = (part[decided] for part in (person, left, right, answer, stored.data))
        pair, place = np.unique(np.minimum(left, right) * n + np.maximum(left, right), return_inverse=True)
        shape = counts.shape[0], len(pair)
        chosen = count * ((answer == LEFT) == (left < right))
        for_first, votes = (csr_array((part, (person, place)), shape=shape) for part in (chosen, count))
        return cls(n, pair // n, pair % n, for_first, votes)

    def z(self) -> np.ndarray:
        """Of each participant, by the votes of all others."""
        found, people = np.full(self.votes.shape[0], np.nan), self.votes.sum(axis=1)
        if np.count_nonzero(people) <= _FEWEST_OTHERS:
            return found
        for_first, votes = self.for_first.sum(axis=0), self.votes.sum(axis=0)
        ties = np.zeros(len(votes))
        pairs = PairCounts(self.n_conditions, self.first, self.second, False, for_first, votes - for_first, ties)
        estimate = maximise_likelihood(pairs, ridge=_RIDGE)
        inverse = inverse_information(estimate, pairs)
        lengths = np.diff(self.votes.indptr)
        for length in np.unique(lengths[people >= _FEWEST]):
            alike = np.flatnonzero((lengths == length) & (people >= _FEWEST))
            for block in np.array_split(alike, -(-len(alike) * int(length) ** 2 // _BLOCK)):
                found[block] = self._z(block, int(length), estimate.scores, inverse)
        return found

    def _z(self, people: np.ndarray, length: int, scores: np.ndarray, inverse: np.ndarray) -> np.ndarray:
        """Of participants (B,) who were all shown `length` pairs, from the scores (n,) of all and their covariance."""
        stored = self.votes.indptr[people][:, None] + np.arange(length)
        pair = self.votes.indices[stored]
        first, second = self.first[pair], self.second[pair]
        votes, chosen = self.votes.data[stored], self.for_first.data[stored]
        gap = scores[first] - scores[second]
        chance = expit(gap)
        across = sum(
            sign * inverse[one[:, :, None], other[:, None, :]]
            for sign, one, other in ((1, first, first), (-1, first, second), (-1, second, first), (1, second, second))
        )
        # The inverse information without these votes, by Woodbury's identity.
        information = votes * chance * (1 - chance)
        reduced = np.eye(length) - information[:, :, None] * across
        moved = np.linalg.solve(reduced, (chosen - votes * chance)[:, :, None])
        gap = gap - (across @ moved)[:, :, 0]
        chance = expit(gap)
        variance = (votes * chance * (1 - chance) * gap**2).sum(axis=1)
        excess = ((chosen - votes * chance) * gap).sum(axis=1)
        tells = variance > _LEAST_VARIANCE
        return np.where(tells, excess / np.sqrt(np.where(tells, variance, 1)), np.nan)
