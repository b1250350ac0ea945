"""Votes reduced once to counts per participant and cell; every later step is a product with that matrix.

A cell is (condition on the left, condition on the right, answer); see `cell_codes`.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

__all__ = ["LEFT", "RIGHT", "TIE", "CodedVotes", "cell_codes", "code_votes", "count_cells", "pool", "wins_and_ties"]

LEFT, RIGHT, TIE = 0, 1, 2
# Below this size a dense table is counted in one pass; larger ones are mostly zeros and stored as such.
_DENSE_CELLS = 1_000_000


@dataclass(frozen=True)
class CodedVotes:
    """A vote table as integer codes, each array (V,); conditions in alphabetical order, only those that occur.

    cell: codes of `cell_codes`; participant: 0..n_participants-1; source: 0..n_sources-1.
    """

    conditions: tuple[str, ...]
    cell: np.ndarray
    participant: np.ndarray
    n_participants: int
    source: np.ndarray
    n_sources: int

    def count_by(self, cluster: np.ndarray, n_clusters: int) -> np.ndarray | csr_array:
        """Counts (n_clusters, 3 n^2) for clusters given as one code per vote."""
        return count_cells(self.cell, cluster, n_conditions=len(self.conditions), n_clusters=n_clusters)


def code_votes(votes: pd.DataFrame) -> CodedVotes:
    """Codes of a validated vote table."""
    sides = np.concatenate([_codes(votes["left"]), _codes(votes["right"])])
    seen, sides = np.unique(sides, return_inverse=True)
    participants, participant = np.unique(_codes(votes["participant"]), return_inverse=True)
    sources, source = np.unique(_codes(votes["source"]), return_inverse=True)
    left, right = sides[: len(votes)], sides[len(votes) :]
    return CodedVotes(
        conditions=tuple(votes["left"].cat.categories[seen]),
        cell=cell_codes(left, right, _codes(votes["choice"]), len(seen)),
        participant=participant,
        n_participants=len(participants),
        source=source,
        n_sources=len(sources),
    )


def cell_codes(left: np.ndarray, right: np.ndarray, choice: np.ndarray, n_conditions: int) -> np.ndarray:
    """One code 0..3 n^2 - 1 per vote; left, right: 0..n-1; choice: LEFT, RIGHT or TIE; all (V,) int64."""
    return (left * n_conditions + right) * 3 + choice


def count_cells(cell: np.ndarray, cluster: np.ndarray, *, n_conditions: int, n_clusters: int) -> np.ndarray | csr_array:
    """Matrix (n_clusters, 3 n^2) of the number of votes of each cluster in each cell; cell, cluster: (V,) int64."""
    cells = 3 * n_conditions**2
    if n_clusters * cells <= max(4 * len(cell), _DENSE_CELLS):
        key = cluster * cells
        key += cell
        return np.bincount(key, weights=np.ones(len(key)), minlength=n_clusters * cells).reshape(n_clusters, cells)
    return csr_array((np.ones(len(cell)), (cluster, cell)), shape=(n_clusters, cells))


def pool(counts: np.ndarray | csr_array) -> np.ndarray:
    """All clusters together: (3 n^2,)."""
    return np.asarray(counts.sum(axis=0)).ravel()


def wins_and_ties(pooled: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Wins of the row over the column and symmetric ties, each (..., n, n), from counts per cell (..., 3 n^2)."""
    n = round((pooled.shape[-1] / 3) ** 0.5)
    table = pooled.reshape(*pooled.shape[:-1], n, n, 3)
    ties = table[..., TIE]
    return table[..., LEFT] + np.swapaxes(table[..., RIGHT], -1, -2), ties + np.swapaxes(ties, -1, -2)


def _codes(values: pd.Series) -> np.ndarray:
    return values.cat.codes.to_numpy().astype(np.int64)
