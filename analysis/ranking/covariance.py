"""Covariance of scores that allows the votes of one participant (or on one source) to depend on each other."""

import numpy as np
from scipy.sparse import csr_array, issparse

from analysis.errors import CovarianceUnavailable
from analysis.ranking.counts import CodedVotes, compressed
from analysis.ranking.families import answer_slopes
from analysis.ranking.likelihood import Estimate

__all__ = ["clustered_covariance", "difference_variances", "require_spread", "two_way_covariance"]

# Below this size the clusters' gradients are a full table; larger ones are mostly zeros and stored as such.
_DENSE_GRADIENTS = 20_000_000
_BLOCK = 16_384
_OR_INDEPENDENT = ", or in Python treat votes as independent: fit_bradley_terry(votes, cluster=None)"


def clustered_covariance(
    coded: CodedVotes,
    cluster: np.ndarray,
    n_clusters: int,
    *,
    estimate: Estimate,
    inverse: np.ndarray,
    of: str = "cluster",
) -> np.ndarray:
    """Sandwich A (sum over clusters c of g_c g_c') A * C / (C - 1), shape of `inverse`.

    cluster: (V,) codes 0..n_clusters-1; inverse: A, the inverse information of the pooled votes; g_c: the cluster's
    part of the gradient of the log-likelihood; of: what a cluster is, for the error. Liang & Zeger (1986), Biometrika
    73, 13-22; C / (C - 1) is the CR1 correction of the cluster count alone, without the factor (V - 1) / (V - k) of
    the votes: divide by it for CR0. Raises CovarianceUnavailable with one cluster.
    """
    if n_clusters < 2:
        raise CovarianceUnavailable(
            f"the votes come from one {of} only, so the spread between {of}s cannot be estimated; collect votes from "
            f"more {of}s{_OR_INDEPENDENT}"
        )
    gradients = _gradients(coded, cluster, n_clusters, estimate)
    correction = n_clusters / (n_clusters - 1)
    if issparse(gradients):
        return inverse @ (gradients.T @ gradients).toarray() @ inverse * correction
    # A product with its own transpose has no variance below 0, not even by rounding.
    spread = gradients @ inverse
    return spread.T @ spread * correction


def two_way_covariance(coded: CodedVotes, *, estimate: Estimate, inverse: np.ndarray) -> np.ndarray:
    """Clustered by participant plus clustered by source less clustered by both at once, shape of `inverse`.

    Cameron, Gelbach & Miller (2011), JBES 29, 238-249. Differs: negative eigenvalues, which the difference can have,
    are set to zero.
    """
    shared, both = compressed(
        coded.participant * coded.n_sources + coded.source, coded.n_participants * coded.n_sources
    )
    parts = (
        (1, coded.participant, coded.n_participants, "participant"),
        (1, coded.source, coded.n_sources, "source"),
        (-1, both, len(shared), "participant and source"),
    )
    total = sum(
        sign * clustered_covariance(coded, cluster, count, estimate=estimate, inverse=inverse, of=of)
        for sign, cluster, count, of in parts
    )
    values, vectors = np.linalg.eigh((total + total.T) / 2)
    return (vectors * np.clip(values, 0, None)) @ vectors.T


def require_spread(covariance: np.ndarray, fisher: np.ndarray) -> None:
    """Raise CovarianceUnavailable where some difference of scores would get a standard error of zero."""
    low = difference_variances(covariance) < 1e-9 * difference_variances(fisher)
    if low[~np.eye(len(low), dtype=bool)].any():
        raise CovarianceUnavailable(
            "the participants (or the sources) answered so much alike that their spread is zero for some pair; "
            f"collect votes from more participants{_OR_INDEPENDENT}"
        )


def _gradients(coded: CodedVotes, cluster: np.ndarray, n_clusters: int, estimate: Estimate) -> np.ndarray | csr_array:
    """Each cluster's part of the gradient of the log-likelihood, (n_clusters, p), columns as in `parameters`."""
    size, votes = len(estimate.parameters), len(coded.cell)
    gap = estimate.scores[:, None] - estimate.scores[None, :] + (estimate.left_bias or 0.0)
    slopes = [None if part is None else part.ravel() for part in answer_slopes(estimate.family, gap, estimate.tie)]
    if n_clusters * size > max(4 * votes, _DENSE_GRADIENTS):
        columns, values = zip(*_entries(coded, slice(None), slopes, estimate), strict=True)
        columns = np.concatenate([np.broadcast_to(column, votes) for column in columns])
        rows = np.tile(cluster, len(values))
        return csr_array((np.concatenate(values), (rows, columns)), shape=(n_clusters, size))
    total = np.zeros(n_clusters * size)
    # Blocks that stay in the cache, unless the table itself is larger.
    block = max(_BLOCK, len(total))
    for start in range(0, votes, block):
        part = slice(start, start + block)
        place = cluster[part] * size
        for column, values in _entries(coded, part, slopes, estimate):
            total += np.bincount(place + column, values, len(total))
    return total.reshape(n_clusters, size)


def _entries(
    coded: CodedVotes, part: slice, slopes: list[np.ndarray | None], estimate: Estimate
) -> list[tuple[np.ndarray | int, np.ndarray]]:
    """What each vote of a part adds to which columns of its cluster's gradient."""
    n = len(estimate.scores)
    cell = coded.cell[part]
    by_gap, by_tie = (None if slope is None else slope[cell] for slope in slopes)
    if coded.weight is not None:
        by_gap = by_gap * coded.weight[part]
        by_tie = None if by_tie is None else by_tie * coded.weight[part]
    left, right = np.divmod(cell // 3, n)
    entries = [(left, by_gap), (right, -by_gap)]
    if estimate.tie is not None:
        entries.append((n, by_tie))
    if estimate.left_bias is not None:
        entries.append((len(estimate.parameters) - 1, by_gap))
    return entries


def difference_variances(covariance: np.ndarray) -> np.ndarray:
    """Variances of all differences of two scores, (n, n) like the covariance."""
    variance = np.diag(covariance)
    return variance[:, None] + variance[None, :] - 2 * covariance
