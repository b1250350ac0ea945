"""Scores of conditions and stimuli for resampled participants and sources, by one Newton step from the votes as given.

The linearised bootstrap: a refit would move on from there by a few percent of a standard error.
"""

from dataclasses import dataclass

import numpy as np

from analysis.ranking.content_model import NO_EFFECT, SourcePairs, fit_content
from analysis.ranking.counts import CodedVotes
from analysis.ranking.heterogeneity import participant_gradients

__all__ = ["ResampledScores", "resample_scores"]


@dataclass(frozen=True, eq=False)
class ResampledScores:
    """scores: of the conditions (R, n). utilities: of each source (R, S, n), or None where tau2 was None.

    participants (R, P), sources (R, S): how often each was drawn.
    """

    scores: np.ndarray
    utilities: np.ndarray | None
    participants: np.ndarray
    sources: np.ndarray


def resample_scores(
    coded: CodedVotes, pairs: SourcePairs, *, tau2: float | None, resamples: int, rng: np.random.Generator
) -> ResampledScores:
    """Draw participants and sources with replacement, as many as there are; sources only where there are several.

    tau2: variance of the sources' effects, for scores of single sources; it is not estimated anew. The scores of the
    conditions are those that all sources share.
    """
    people, clips = coded.n_participants, coded.n_sources
    by_person = rng.multinomial(people, np.full(people, 1 / people), size=resamples).astype(float)
    by_source = rng.multinomial(clips, np.full(clips, 1 / clips), size=resamples).astype(float)
    common = fit_content(pairs, NO_EFFECT)
    moved = _slopes(coded, pairs, common, by_person)
    n = len(common.scores)
    # The matrix of ones holds the sum of scores, and what a draw leaves undetermined stays where it was.
    pin = np.trace(common.information.sum(axis=0)) / n
    information = np.einsum("rs,sij->rij", by_source, common.information) + pin * (1 / n + 1e-6 * np.eye(n))
    step = np.linalg.solve(information, np.einsum("rs,rsi->ri", by_source, moved)[..., None])[..., 0]
    utilities = None
    if tau2 is not None:
        content = fit_content(pairs, max(tau2, NO_EFFECT), start=common)
        share = content.within / content.tau2
        pull = (content.utilities - content.scores) / content.tau2
        beyond = _slopes(coded, pairs, content, by_person) - pull
        by_theta = np.einsum("sij,rsj->ri", share, beyond) @ content.covariance
        utilities = content.utilities + np.einsum("sij,rsj->rsi", content.within, beyond)
        utilities += np.einsum("sij,rj->rsi", share, by_theta)
    return ResampledScores(common.scores + step, utilities, by_person, by_source)


def _slopes(coded: CodedVotes, pairs: SourcePairs, fit, by_person: np.ndarray) -> np.ndarray:
    """Slopes by the utilities of each source of the votes of the participants drawn: (R, S, n)."""
    gradient = participant_gradients(coded, pairs, fit)
    return (by_person @ gradient.reshape(len(gradient), -1)).reshape(-1, *gradient.shape[1:])
