"""Votes that are alike: the same pair, the same answer, the same weight."""

from dataclasses import dataclass

import numpy as np

from analysis.ranking.counts import CodedVotes, PairCounts

__all__ = ["VoteKinds"]


@dataclass(frozen=True, eq=False)
class VoteKinds:
    """M kinds of votes on K pairs.

    cell: in which of the 3 K cells (pair, answer: first, second, tie) each kind is, (M,). weight: how much a vote of it
    counts, (M,). votes: how many there are, (M,). kind: of each vote, (V,).
    """

    cell: np.ndarray
    weight: np.ndarray
    votes: np.ndarray
    kind: np.ndarray

    @classmethod
    def of(cls, coded: CodedVotes, pairs: PairCounts) -> "VoteKinds":
        """pairs: the unordered ones of these votes."""
        place = _places(coded, pairs)
        if coded.weight is None:
            cell, kind, votes = np.unique(place, return_inverse=True, return_counts=True)
            return cls(cell, np.ones(len(cell)), votes, kind)
        sizes, size = np.unique(coded.weight, return_inverse=True)
        code, kind, votes = np.unique(place * len(sizes) + size, return_inverse=True, return_counts=True)
        return cls(code // len(sizes), sizes[code % len(sizes)], votes, kind)

    def per_cell(self, votes: np.ndarray, cells: int) -> np.ndarray:
        """So many votes (M,) of each kind, counted by their weights: (cells / 3, 3)."""
        return np.bincount(self.cell, votes * self.weight, cells).reshape(-1, 3)

    def holders(self, participant: np.ndarray, votes: np.ndarray) -> int:
        """Participants (V,) who together hold so many votes (M,), the one with most of what is missing first."""
        wanted = votes.copy()
        of_use = wanted[self.kind] > 0
        entry, held = np.unique(participant[of_use] * len(votes) + self.kind[of_use], return_counts=True)
        person, kind = np.divmod(entry, len(votes))
        count = 0
        while wanted.any():
            gives = np.minimum(held, wanted[kind])
            mine = person == np.bincount(person, gives).argmax()
            wanted[kind[mine]] -= gives[mine]
            count += 1
        return count


def _places(coded: CodedVotes, pairs: PairCounts) -> np.ndarray:
    """Which of the 3 K cells each vote is in: (V,)."""
    n = len(coded.conditions)
    left, right, answer = coded.cell // (3 * n), coded.cell // 3 % n, coded.cell % 3
    turned = left > right
    answer = np.where(turned & (answer < 2), 1 - answer, answer)
    pair = np.searchsorted(pairs.first * n + pairs.second, np.where(turned, right * n + left, left * n + right))
    return 3 * pair + answer
