"""Would other people like these have given the same order? Agreement between random halves of the participants."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from analysis.counts import code_votes, pair_counts
from analysis.errors import DisconnectedConditions, SeparatedConditions
from analysis.existence import require_finite_scores
from analysis.likelihood import maximise_likelihood

__all__ = ["SplitHalf", "split_half_agreement"]


@dataclass(frozen=True)
class SplitHalf:
    """Mean and lowest Spearman correlation between the scores of two halves, over the splits that could be fitted."""

    mean: float
    lowest: float
    splits: int
    fitted: int


def split_half_agreement(votes: pd.DataFrame, *, seed: int, splits: int = 100) -> SplitHalf | None:
    """Split the participants of validated, counted votes in two at random, fit each half, correlate the scores.

    Ties count as half wins. None with fewer than three conditions or four participants, or where in no split both
    halves determine finite scores.
    """
    coded = code_votes(votes)
    n, people = len(coded.conditions), coded.n_participants
    if n < 3 or people < 4:
        return None
    per_person = coded.count_by(coded.participant, people)
    generator = np.random.default_rng(seed)
    first_half = np.zeros((splits, people))
    for half in first_half:
        half[generator.permutation(people)[: people // 2]] = 1
    found = [
        correlation
        for halves in zip(first_half @ per_person, (1 - first_half) @ per_person, strict=True)
        if (correlation := _agreement(*halves, coded.conditions)) is not None
    ]
    if not found:
        return None
    return SplitHalf(mean=float(np.mean(found)), lowest=float(np.min(found)), splits=splits, fitted=len(found))


def _agreement(first: np.ndarray, second: np.ndarray, conditions: tuple[str, ...]) -> float | None:
    halves = [pair_counts(counts).halved() for counts in (first, second)]
    try:
        for pairs in halves:
            require_finite_scores(pairs, conditions)
    except (DisconnectedConditions, SeparatedConditions):
        return None
    ranks = [rankdata(maximise_likelihood(pairs).scores) for pairs in halves]
    correlation = np.corrcoef(*ranks)[0, 1] if min(np.ptp(rank) for rank in ranks) > 0 else np.nan
    return None if np.isnan(correlation) else float(correlation)
