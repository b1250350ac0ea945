"""Covariance of scores that allows the votes of one participant (or on one source) to depend on each other."""

import numpy as np
from scipy.sparse import csr_array, issparse

from analysis.counts import LEFT, RIGHT, TIE
from analysis.errors import CovarianceUnavailable
from analysis.likelihood import Estimate, answer_probabilities

__all__ = ["clustered_covariance", "require_spread"]


def clustered_covariance(counts: np.ndarray | csr_array, estimate: Estimate, inverse: np.ndarray) -> np.ndarray:
    """Sandwich A (sum over clusters c of g_c g_c') A * C / (C - 1), shape of `inverse`.

    counts: (C, 3 n^2) votes per cluster and cell; inverse: A, the inverse information of the pooled votes; g_c: the
    cluster's part of the gradient of the log-likelihood. Liang & Zeger (1986), Biometrika 73, 13-22; C / (C - 1) is
    the CR1 correction of the cluster count alone, without the factor (V - 1) / (V - k) of the votes.
    """
    clusters = counts.shape[0]
    if clusters < 2:
        raise CovarianceUnavailable(
            "the votes come from one cluster (one participant or one source), so the spread between clusters cannot be "
            "estimated; collect votes from more, or pass cluster=None for intervals that treat votes as independent"
        )
    gradient = _gradient_per_cell(estimate)
    # The same product either way; the order is the one with fewer multiplications.
    spread = (counts @ gradient).toarray() @ inverse if issparse(counts) else counts @ (gradient @ inverse)
    return spread.T @ spread * (clusters / (clusters - 1))


def _gradient_per_cell(estimate: Estimate) -> csr_array:
    """Gradient of the log-likelihood of one vote in each cell: (3 n^2, n), or n + 1 columns with log(nu) last."""
    n = len(estimate.scores)
    win, tie = answer_probabilities(estimate.scores, estimate.log_tie)
    # d log L / d s_left; s_right gets the negative. Without nu a tie is half a vote for each side, which cancels.
    residual = np.repeat((win.T - win)[:, :, None], 3, axis=2)
    residual[:, :, LEFT] += 1
    residual[:, :, RIGHT] -= 1
    residual = residual.ravel() / 2
    cell = np.arange(3 * n * n)
    rows, columns = [cell, cell], [cell // (3 * n), cell // 3 % n]
    values = [residual, -residual]
    if estimate.log_tie is not None:
        excess = np.repeat(-tie[:, :, None], 3, axis=2)
        excess[:, :, TIE] += 1
        rows, columns, values = [*rows, cell], [*columns, np.full_like(cell, n)], [*values, excess.ravel()]
    width = n + (estimate.log_tie is not None)
    return csr_array(
        (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), shape=(3 * n * n, width)
    )


def require_spread(covariance: np.ndarray, fisher: np.ndarray) -> None:
    """Raise CovarianceUnavailable where some difference of scores would get a standard error of zero."""
    low = _difference_variances(covariance) < 1e-9 * _difference_variances(fisher)
    if low[~np.eye(len(low), dtype=bool)].any():
        raise CovarianceUnavailable(
            "the clusters answered so much alike that their spread is zero for some pair; "
            "collect votes from more participants, or pass cluster=None for intervals that treat votes as independent"
        )


def _difference_variances(covariance: np.ndarray) -> np.ndarray:
    variance = np.diag(covariance)
    return variance[:, None] + variance[None, :] - 2 * covariance
