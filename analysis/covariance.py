"""Covariance of scores that allows the votes of one participant (or on one source) to depend on each other."""

import numpy as np
from scipy.sparse import csr_array, issparse

from analysis.counts import CodedVotes
from analysis.errors import CovarianceUnavailable
from analysis.families import answer_slopes
from analysis.likelihood import Estimate

__all__ = ["clustered_covariance", "require_spread", "two_way_covariance"]


def clustered_covariance(
    coded: CodedVotes, cluster: np.ndarray, n_clusters: int, *, estimate: Estimate, inverse: np.ndarray
) -> np.ndarray:
    """Sandwich A (sum over clusters c of g_c g_c') A * C / (C - 1), shape of `inverse`.

    cluster: (V,) codes 0..n_clusters-1; inverse: A, the inverse information of the pooled votes; g_c: the cluster's
    part of the gradient of the log-likelihood. Liang & Zeger (1986), Biometrika 73, 13-22; C / (C - 1) is the CR1
    correction of the cluster count alone, without the factor (V - 1) / (V - k) of the votes.
    Raises CovarianceUnavailable with one cluster.
    """
    if n_clusters < 2:
        raise CovarianceUnavailable(
            "the votes come from one cluster (one participant or one source), so the spread between clusters cannot be "
            "estimated; collect votes from more, or pass cluster=None for intervals that treat votes as independent"
        )
    counts = coded.count_by(cluster, n_clusters)
    gradient = _gradient_per_cell(estimate)
    # The same product either way; the order is the one with fewer multiplications.
    spread = (counts @ gradient).toarray() @ inverse if issparse(counts) else counts @ (gradient @ inverse)
    return spread.T @ spread * (n_clusters / (n_clusters - 1))


def two_way_covariance(coded: CodedVotes, *, estimate: Estimate, inverse: np.ndarray) -> np.ndarray:
    """Clustered by participant plus clustered by source less clustered by both at once, shape of `inverse`.

    Cameron, Gelbach & Miller (2011), JBES 29, 238-249. Differs: negative eigenvalues, which the difference can have,
    are set to zero.
    """
    shared, both = np.unique(coded.participant * coded.n_sources + coded.source, return_inverse=True)
    parts = (
        (1, coded.participant, coded.n_participants),
        (1, coded.source, coded.n_sources),
        (-1, both, len(shared)),
    )
    total = sum(
        sign * clustered_covariance(coded, cluster, count, estimate=estimate, inverse=inverse)
        for sign, cluster, count in parts
    )
    values, vectors = np.linalg.eigh((total + total.T) / 2)
    return (vectors * np.clip(values, 0, None)) @ vectors.T


def require_spread(covariance: np.ndarray, fisher: np.ndarray) -> None:
    """Raise CovarianceUnavailable where some difference of scores would get a standard error of zero."""
    low = _difference_variances(covariance) < 1e-9 * _difference_variances(fisher)
    if low[~np.eye(len(low), dtype=bool)].any():
        raise CovarianceUnavailable(
            "the clusters answered so much alike that their spread is zero for some pair; "
            "collect votes from more participants, or pass cluster=None for intervals that treat votes as independent"
        )


def _gradient_per_cell(estimate: Estimate) -> csr_array:
    """Gradient of the log-likelihood of one vote in each cell: (3 n^2, p), columns as `Estimate.parameters`."""
    n = len(estimate.scores)
    gap = estimate.scores[:, None] - estimate.scores[None, :] + (estimate.left_bias or 0.0)
    by_gap, by_tie = (
        None if part is None else part.ravel() for part in answer_slopes(estimate.family, gap, estimate.tie)
    )
    cell = np.arange(3 * n * n)
    columns, values = [cell // (3 * n), cell // 3 % n], [by_gap, -by_gap]
    for modelled, part in ((estimate.tie, by_tie), (estimate.left_bias, by_gap)):
        if modelled is not None:
            columns.append(np.full_like(cell, n + len(columns) - 2))
            values.append(part)
    rows = np.tile(cell, len(columns))
    return csr_array((np.concatenate(values), (rows, np.concatenate(columns))), shape=(3 * n * n, n + len(columns) - 2))


def _difference_variances(covariance: np.ndarray) -> np.ndarray:
    variance = np.diag(covariance)
    return variance[:, None] + variance[None, :] - 2 * covariance
