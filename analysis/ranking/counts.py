"""Votes as integer codes, reduced once to counts; every later step is arithmetic on those.

A cell is (condition on the left, condition on the right, answer); see `cell_codes`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from analysis.errors import InvalidVotes

__all__ = [
    "LEFT",
    "RIGHT",
    "TIE",
    "CodedVotes",
    "PairCounts",
    "cell_codes",
    "code_votes",
    "compressed",
    "count_cells",
    "pair_counts",
]

LEFT, RIGHT, TIE = 0, 1, 2
# Below this size a dense table is counted in one pass; larger ones are mostly zeros and stored as such.
_DENSE_CELLS = 1_000_000
_UNSIGNED = {np.dtype(kind).itemsize: np.dtype(kind) for kind in "BHIQ"}


@dataclass(frozen=True, eq=False)
class CodedVotes:
    """A vote table as integer codes, each array (V,); only conditions that occur.

    cell: codes of `cell_codes`; participant_code: 0..n_participants-1, or None where every vote is a participant of its
    own; source_code: 0..n_sources-1, or None where there is one. weight: how much each vote counts, or None where all
    count once. participants, sources: their labels, in the order of the codes.
    """

    conditions: tuple[str, ...]
    cell: np.ndarray
    participant_code: np.ndarray | None
    n_participants: int
    source_code: np.ndarray | None
    n_sources: int
    weight: np.ndarray | None = None
    participants: tuple[str, ...] | None = None
    sources: tuple[str, ...] | None = None

    @classmethod
    def from_arrays(
        cls,
        left: np.ndarray,
        right: np.ndarray,
        choice: np.ndarray,
        *,
        conditions: Sequence[str] | int,
        participant: np.ndarray | None = None,
        source: np.ndarray | None = None,
    ) -> "CodedVotes":
        """Votes that are codes already, each array (V,) of whole numbers.

        left, right: 0..n-1 into `conditions` (labels, or how many there are); every condition must occur.
        choice: 0 left, 1 right, 2 tie. participant, source: whole numbers of at least 0, each kept as its label;
        without them every vote is a participant of its own, and all are on one source. Raises InvalidVotes.
        """
        labels = tuple(map(str, range(conditions))) if isinstance(conditions, (int, np.integer)) else tuple(conditions)
        n, size = len(labels), len(left)
        if not len(left) == len(right) == len(choice) or size == 0:
            raise InvalidVotes(
                f"left, right and choice hold {len(left)}, {len(right)} and {len(choice)} codes; "
                "expected as many in each, and at least one"
            )
        for name, codes, end in (("left", left, n), ("right", right, n), ("choice", choice, 3)):
            _require_codes(name, codes, size, end)
        for name, codes in (("participant", participant), ("source", source)):
            if codes is not None:
                _require_codes(name, codes, size)
        # A number that no vote bears is no participant, and would count as one in the degrees of freedom.
        people, participant = (None, None) if participant is None else _compact(participant)
        clips, source = (None, None) if source is None else _compact(source)
        return cls(
            conditions=labels,
            cell=cell_codes(left, right, choice, n),
            participant_code=participant,
            n_participants=size if people is None else len(people),
            source_code=source,
            n_sources=1 if clips is None else len(clips),
            participants=people,
            sources=clips,
        )

    @cached_property
    def participant(self) -> np.ndarray:
        """Who gave each vote, 0..n_participants-1; (V,)."""
        return np.arange(len(self.cell)) if self.participant_code is None else self.participant_code

    @cached_property
    def source(self) -> np.ndarray:
        """What each vote was about, 0..n_sources-1; (V,)."""
        return np.zeros(len(self.cell), dtype=np.int64) if self.source_code is None else self.source_code

    def weighted(self, weight: np.ndarray) -> "CodedVotes":
        """The same votes, each counted `weight` times: (V,) finite numbers of at least 0.

        A vote of weight 0 is left out, and so is a participant or source without another. Raises InvalidVotes.
        """
        weight = np.asarray(weight, dtype=float)
        if weight.shape != self.cell.shape or not ((weight >= 0) & (weight < np.inf)).all():
            raise InvalidVotes(f"the weights are no {len(self.cell)} finite numbers of at least 0, one per vote")
        kept = weight > 0
        if kept.all():
            return replace(self, weight=weight)
        if not kept.any():
            raise InvalidVotes("no vote counts: every vote has the weight 0")
        people, participant = compressed(self.participant[kept], self.n_participants)
        clips, source = compressed(self.source[kept], self.n_sources)
        return replace(
            self,
            cell=self.cell[kept],
            participant_code=participant,
            n_participants=len(people),
            source_code=source,
            n_sources=len(clips),
            weight=weight[kept],
            participants=None if self.participants is None else tuple(self.participants[k] for k in people),
            sources=None if self.sources is None else tuple(self.sources[k] for k in clips),
        )

    def pooled(self) -> np.ndarray:
        """Counts of all votes together: (3 n^2,)."""
        return np.bincount(self.cell, weights=self.weight, minlength=3 * len(self.conditions) ** 2)

    def count_by(self, cluster: np.ndarray, n_clusters: int) -> np.ndarray | csr_array:
        """Counts (n_clusters, 3 n^2) for clusters given as one code per vote."""
        return count_cells(
            self.cell, cluster, n_conditions=len(self.conditions), n_clusters=n_clusters, weight=self.weight
        )


@dataclass(frozen=True, eq=False)
class PairCounts:
    """Votes per pair that was shown: the conditions `first` and `second` (K,), and what was answered (..., K).

    ordered: whether `first` was always on the left (a pair shown both ways round is then two); otherwise first <
    second and the sides are pooled. for_first, for_second, tied: votes.
    """

    n_conditions: int
    first: np.ndarray
    second: np.ndarray
    ordered: bool
    for_first: np.ndarray
    for_second: np.ndarray
    tied: np.ndarray

    def halved(self) -> "PairCounts":
        """With every tie as half a vote for each side."""
        half = self.tied / 2
        return replace(
            self, for_first=self.for_first + half, for_second=self.for_second + half, tied=np.zeros_like(half)
        )


def code_votes(votes: pd.DataFrame) -> CodedVotes:
    """Codes of a validated vote table; conditions, participants and sources in alphabetical order."""
    sides = np.concatenate([_codes(votes["left"]), _codes(votes["right"])])
    seen, sides = compressed(sides, len(votes["left"].cat.categories))
    participants, participant = compressed(_codes(votes["participant"]), len(votes["participant"].cat.categories))
    sources, source = compressed(_codes(votes["source"]), len(votes["source"].cat.categories))
    left, right = sides[: len(votes)], sides[len(votes) :]
    return CodedVotes(
        conditions=tuple(votes["left"].cat.categories[seen]),
        cell=cell_codes(left, right, _codes(votes["choice"]), len(seen)),
        participant_code=participant,
        n_participants=len(participants),
        source_code=source,
        n_sources=len(sources),
        participants=tuple(votes["participant"].cat.categories[participants]),
        sources=tuple(votes["source"].cat.categories[sources]),
    )


def cell_codes(left: np.ndarray, right: np.ndarray, choice: np.ndarray | int, n_conditions: int) -> np.ndarray:
    """One code 0..3 n^2 - 1 per vote; left, right: 0..n-1; choice: LEFT, RIGHT or TIE; whole numbers, (V,) or one."""
    # Codes that come in 64 bits are faster left so; others are faster in 32, where the cells fit.
    narrow = np.result_type(left, right, choice).itemsize < 8 and 3 * n_conditions**2 < 2**31
    left, right, choice = (np.asarray(codes, np.int32 if narrow else np.int64) for codes in (left, right, choice))
    cell = left * n_conditions
    cell += right
    cell *= 3
    cell += choice
    return cell


def count_cells(
    cell: np.ndarray, cluster: np.ndarray, *, n_conditions: int, n_clusters: int, weight: np.ndarray | None = None
) -> np.ndarray | csr_array:
    """Matrix (n_clusters, 3 n^2) of the votes of each cluster in each cell, a float; cell, cluster: (V,) codes."""
    cells = 3 * n_conditions**2
    weight = np.ones(len(cell)) if weight is None else weight
    if n_clusters * cells <= max(4 * len(cell), _DENSE_CELLS):
        key = np.multiply(cluster, cells, dtype=np.int64)
        key += cell
        return np.bincount(key, weights=weight, minlength=n_clusters * cells).reshape(n_clusters, cells)
    return csr_array((weight, (cluster, cell)), shape=(n_clusters, cells))


def pair_counts(cells: np.ndarray, *, ordered: bool = False) -> PairCounts:
    """The pairs that have votes, from counts per cell (3 n^2,)."""
    n = round((cells.shape[-1] / 3) ** 0.5)
    left, right, ties = cells.reshape(n, n, 3).transpose(2, 0, 1).astype(float)
    if not ordered:
        left, ties, place = left + right.T, ties + ties.T, np.arange(n)
        right = left.T
    shown = left + right + ties > 0
    if not ordered:
        shown &= place[:, None] < place
    at = shown.ravel().nonzero()[0]
    first, second = np.divmod(at, n)
    for_second = right.take(at) if ordered else left.take(second * n + first)
    return PairCounts(n, first, second, ordered, left.take(at), for_second, ties.take(at))


def compressed(codes: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """The codes 0..size-1 that occur, in order, and each vote's place among them."""
    if size > max(4 * len(codes), _DENSE_CELLS):
        return np.unique(codes, return_inverse=True)
    seen = np.bincount(codes, minlength=size) > 0
    place = np.cumsum(seen) - 1
    return np.flatnonzero(seen), place[codes]


def _require_codes(name: str, codes: np.ndarray, size: int, end: float = np.inf) -> None:
    if not isinstance(codes, np.ndarray) or codes.dtype.kind not in "iu" or codes.shape != (size,):
        found = f"{codes.dtype} of shape {codes.shape}" if isinstance(codes, np.ndarray) else type(codes).__name__
        raise InvalidVotes(f"{name} is {found}; expected a NumPy array of whole numbers, one per vote ({size})")
    # Seen as unsigned a negative number is a huge one: one pass instead of two.
    if codes.view(_UNSIGNED[codes.itemsize]).max() >= min(end, 2**31):
        expected = "at least 0" if end == np.inf else f"0 to {end - 1}"
        raise InvalidVotes(f"{name} has codes {codes.min()} to {codes.max()}; expected {expected}")


def _compact(codes: np.ndarray) -> tuple[tuple[str, ...], np.ndarray]:
    seen, place = compressed(codes, int(codes.max()) + 1)
    return tuple(map(str, seen.tolist())), place


def _codes(values: pd.Series) -> np.ndarray:
    return values.cat.codes.to_numpy()
