"""The scores that a study estimates: what infinitely many people of `simulate_votes` would give, on all sources."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from analysis.ranking.counts import PairCounts
from analysis.ranking.families import probabilities
from analysis.ranking.likelihood import maximise_likelihood

__all__ = ["crowd_scores"]

_NODES = 60


def crowd_scores(
    scores: Mapping[str, float],
    *,
    taste: float = 0.4,
    source_effect: float = 0.0,
    tie_strength: float = 0.0,
    ties: str = "davidson",
) -> pd.Series:
    """Scores fitted to the exact mean preferences of honest people, condition -> logit, sum zero.

    Options as of `simulate_votes`; ties as of `fit_bradley_terry`. Tastes that differ draw the mean preferences towards
    even, so these scores are smaller than `scores`; the intervals of a fit are about these.
    """
    worth = np.fromiter(scores.values(), float)
    first, second = np.triu_indices(len(worth), 1)
    nodes, weights = np.polynomial.hermite_e.hermegauss(_NODES)
    gap = (worth[first] - worth[second])[:, None] + np.sqrt(2 * (taste**2 + source_effect**2)) * nodes
    family, tie = ("davidson", np.log(tie_strength)) if tie_strength > 0 else ("bradley-terry", None)
    answers = [chance @ (weights / weights.sum()) for chance in probabilities(family, gap, tie)]
    pairs = PairCounts(len(worth), first, second, False, *answers)
    if ties == "half" or tie_strength == 0:
        pairs, ties = pairs.halved(), "bradley-terry"
    return pd.Series(maximise_likelihood(pairs, family=ties).scores, index=pd.Index(list(scores), name="condition"))
