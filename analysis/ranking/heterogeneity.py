"""Whether sources have scores of their own: likelihood-ratio test, and what participants do to it."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from scipy.stats import chi2

from analysis.errors import ContentUnavailable
from analysis.ranking.content_model import UNBOUND, ContentFit, SourcePairs, fit_content
from analysis.ranking.counts import CodedVotes
from analysis.ranking.families import answer_slopes

__all__ = ["Heterogeneity", "compare_sources", "participant_gradients"]

# Variance of the prior that keeps scores of single sources finite while the spread of participants is measured.
_WEAK = 1.0


@dataclass(frozen=True)
class Heterogeneity:
    """Likelihood-ratio test of common scores against scores of each source on its own.

    statistic: 2 (log L separate - log L common); p: of chi2 with these degrees of freedom, votes taken as independent.
    design_effect: by how much the votes of a participant hanging together inflate the statistic where the scores are
    common, and p_clustered with the statistic divided by it (by 1 where it is less); None with one participant.
    """

    statistic: float
    degrees_of_freedom: int
    p: float
    design_effect: float | None
    p_clustered: float | None


def compare_sources(coded: CodedVotes, pairs: SourcePairs, *, common: float) -> Heterogeneity:
    """The test; common: log-likelihood of the scores that all sources share, with the tie parameter of `pairs`.

    The design effect is the mean eigenvalue of the statistic's distribution with clustered votes (Rao & Scott 1984,
    Annals of Statistics 12, 46-60). chi2 is the limit for many votes: with about three per pair and source, one test
    in thirteen refuses at 5 % where sources do not differ.
    Raises ContentUnavailable where separate scores fit no better than common ones do.
    """
    degrees = _degrees_of_freedom(pairs)
    if degrees == 0:
        raise ContentUnavailable(
            "no two sources compare the same conditions more than their common scores need, so an effect of the source "
            "cannot be told from the scores; show the same conditions on several sources"
        )
    statistic = max(0.0, 2 * (fit_content(pairs, UNBOUND).log_likelihood - common))
    effect = _design_effect(coded, pairs, degrees)
    return Heterogeneity(
        statistic=float(statistic),
        degrees_of_freedom=degrees,
        p=float(chi2.sf(statistic, degrees)),
        design_effect=effect,
        p_clustered=None if effect is None else float(chi2.sf(statistic / max(1.0, effect), degrees)),
    )


def participant_gradients(coded: CodedVotes, pairs: SourcePairs, fit: ContentFit) -> np.ndarray:
    """Slope of the log-likelihood of each participant's votes by the utilities of each source: (P, S, n)."""
    n, shape = pairs.n_conditions, (coded.n_participants, coded.n_sources, pairs.n_conditions)
    gap = fit.utilities[:, :, None] - fit.utilities[:, None, :]
    by_gap = answer_slopes(pairs.family, gap, fit.tie)[0].reshape(coded.n_sources, -1)[coded.source, coded.cell]
    by_gap = by_gap if coded.weight is None else by_gap * coded.weight
    row = (coded.participant * coded.n_sources + coded.source) * n
    cells = np.concatenate([row + coded.cell // (3 * n), row + coded.cell // 3 % n])
    return np.bincount(cells, np.concatenate([by_gap, -by_gap]), np.prod(shape)).reshape(shape)


def _degrees_of_freedom(pairs: SourcePairs) -> int:
    """Differences of scores that the sources determine one by one, less those that they determine together."""
    free = 0
    for source in range(pairs.n_sources):
        here = pairs.source == source
        first, second = pairs.first[here], pairs.second[here]
        graph = csr_array((np.ones(len(first)), (first, second)), shape=(pairs.n_conditions,) * 2)
        free += pairs.n_conditions - connected_components(graph, directed=False)[0]
    return free - (pairs.n_conditions - 1)


def _design_effect(coded: CodedVotes, pairs: SourcePairs, degrees: int) -> float | None:
    """Taken at scores of each source of its own, so that real differences between sources do not count."""
    people = coded.n_participants
    if people < 2:
        return None
    fit = fit_content(pairs, _WEAK)
    gradient = participant_gradients(coded, pairs, fit)
    own = np.linalg.pinv(fit.information, rcond=1e-9, hermitian=True)
    together = np.linalg.pinv(fit.information.sum(axis=0), rcond=1e-9, hermitian=True)
    shared = gradient.sum(axis=1)
    separate = sum(np.sum(gradient[:, s] @ own[s] * gradient[:, s]) for s in range(coded.n_sources))
    return float((separate - np.sum(shared @ together * shared)) / degrees * people / (people - 1))
