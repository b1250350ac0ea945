"""How much of a design was judged."""

from dataclasses import dataclass

import numpy as np

from analysis.ranking.counts import CodedVotes

__all__ = ["PairsJudged", "pairs_judged"]


@dataclass(frozen=True)
class PairsJudged:
    """Pairs of conditions on one source: how many there are, how many were judged, and in how many votes each."""

    possible: int
    judged: int
    fewest: int
    median: float
    most: int


def pairs_judged(votes: CodedVotes) -> PairsJudged:
    """Whatever the votes weigh, and whichever of the two was on the left."""
    n = len(votes.conditions)
    left, right = np.divmod(votes.cell.astype(np.int64) // 3, n)
    pair = (votes.source.astype(np.int64) * n + np.minimum(left, right)) * n + np.maximum(left, right)
    counts = np.unique(pair, return_counts=True)[1]
    return PairsJudged(
        possible=votes.n_sources * n * (n - 1) // 2,
        judged=len(counts),
        fewest=int(counts.min()),
        median=float(np.median(counts)),
        most=int(counts.max()),
    )
