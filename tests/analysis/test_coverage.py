"""Do nominal 95 % intervals hold the truth 95 times in 100 when tastes differ between people?"""

import choix
import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from scipy.stats import norm

from analysis import fit_bradley_terry

SCORES = np.array([0.8, 0.4, 0.0, -0.4, -0.8])
TASTE = 1.0


def crowd_scores():
    """Scores that an infinite crowd of such people would give: Bradley-Terry fitted to the exact mean preferences."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    weights = weights / weights.sum()
    gap = SCORES[:, None] - SCORES[None, :]
    chance = (expit(gap[..., None] + np.sqrt(2) * TASTE * nodes) * weights).sum(-1)
    return choix.ilsr_pairwise_dense(chance * (1 - np.eye(len(SCORES))), tol=1e-12)


def simulated(rng, people, votes_each):
    n, size = len(SCORES), people * votes_each
    person = np.repeat(np.arange(people), votes_each)
    worth = SCORES + rng.normal(0, TASTE, (people, n))
    left = rng.integers(n, size=size)
    right = (left + rng.integers(1, n, size=size)) % n
    chosen = rng.random(size) < expit(worth[person, left] - worth[person, right])
    return pd.DataFrame(
        {
            "participant": pd.Categorical.from_codes(person, [f"P{k}" for k in range(people)]),
            "source": pd.Categorical.from_codes(np.zeros(size, dtype=int), ["clip"]),
            "left": pd.Categorical.from_codes(left, list("abcde")),
            "right": pd.Categorical.from_codes(right, list("abcde")),
            "choice": np.where(chosen, "left", "right"),
        }
    )


@pytest.mark.slow
def test_clustered_intervals_cover_and_independent_ones_do_not():
    truth = crowd_scores()
    rng = np.random.default_rng(20)
    covered, naive = [], []
    for _ in range(400):
        votes = simulated(rng, people=30, votes_each=40)
        for cluster, found in (("participant", covered), (None, naive)):
            table = fit_bradley_terry(votes, cluster=cluster).compare().sort_values(["first", "second"])
            a, b = (table[side].map(dict(zip("abcde", truth, strict=True))) for side in ("first", "second"))
            wanted = expit(a - b)
            found.append(((table["low"] < wanted) & (wanted < table["high"])).mean())
    # Each study gives ten dependent pairs: take the studies as the independent draws.
    error = norm.ppf(0.999) * np.std(covered) / np.sqrt(len(covered))
    assert 0.93 - error < np.mean(covered) < 0.97 + error
    assert np.mean(naive) < 0.88
