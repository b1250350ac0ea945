"""Would other people like these have given the same order? Agreement between random halves of the participants."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from analysis.errors import DisconnectedConditions, SeparatedConditions
from analysis.ranking.counts import code_votes, pair_counts
from analysis.ranking.existence import require_finite_scores
from analysis.ranking.likelihood import maximise_likelihood

__all__ = ["SplitHalf", "split_half_agreement"]


@dataclass(frozen=True)
class SplitHalf:
    """Spearman correlation between the scores of two halves, over the splits that could be fitted.

    mean, lowest; low, median, high: the quantiles 0.025, 0.5 and 0.975. These say how far single splits differ and are
    no confidence interval, for all splits are of the same participants.
    whole: 2 r / (1 + r) of the mean Pearson correlation r between the scores of the halves: the correlation to expect
    between two studies of the size of the whole one (Spearman 1910 and Brown 1910, British Journal of Psychology 3);
    None where r is not positive.
    """

    mean: float
    lowest: float
    splits: int
    fitted: int
    low: float
    median: float
    high: float
    whole: float | None


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
        correlations
        for halves in zip(first_half @ per_person, (1 - first_half) @ per_person, strict=True)
        if (correlations := _agreement(*halves, coded.conditions)) is not None
    ]
    if not found:
        return None
    by_rank, by_score = np.array(found).T
    pearson = float(by_score.mean())
    low, median, high = np.quantile(by_rank, [0.025, 0.5, 0.975])
    return SplitHalf(
        mean=float(by_rank.mean()),
        lowest=float(by_rank.min()),
        splits=splits,
        fitted=len(found),
        low=float(low),
        median=float(median),
        high=float(high),
        whole=2 * pearson / (1 + pearson) if pearson > 0 else None,
    )


def _agreement(first: np.ndarray, second: np.ndarray, conditions: tuple[str, ...]) -> tuple[float, float] | None:
    """Spearman and Pearson correlation between the scores of two halves; None where one is undefined."""
    halves = [pair_counts(counts).halved() for counts in (first, second)]
    try:
        for pairs in halves:
            require_finite_scores(pairs, conditions)
    except (DisconnectedConditions, SeparatedConditions):
        return None
    scores = [maximise_likelihood(pairs).scores for pairs in halves]
    ranks = [rankdata(score) for score in scores]
    if min(np.ptp(rank) for rank in ranks) == 0:
        return None
    return float(np.corrcoef(*ranks)[0, 1]), float(np.corrcoef(*scores)[0, 1])
