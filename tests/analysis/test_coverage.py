"""Do nominal 95 % intervals hold the truth 95 times in 100? docs/calibration.md has the full table."""

import choix
import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import norm, t

from analysis.crowd_scores import crowd_scores
from analysis.participants.screening import screen_participants
from analysis.ranking.counts import CodedVotes, code_votes
from analysis.ranking.fit import fit_bradley_terry
from analysis.simulation import simulate_votes
from analysis.votes import counted_votes

SIX = dict(zip("abcdef", [1.0, 0.6, 0.2, -0.2, -0.6, -1.0], strict=True))


def simulated(rng, *, people, votes_each, taste, sources=1, source_effect=0.0) -> CodedVotes:
    """As `simulate_votes` does it, without the time that a table takes."""
    n, size = len(SIX), people * votes_each
    person, source = np.repeat(np.arange(people), votes_each), rng.integers(sources, size=size)
    worth = np.array(list(SIX.values())) + rng.normal(0, taste, (people, n))
    by_source = rng.normal(0, source_effect, (sources, n))
    left = rng.integers(n, size=size)
    right = (left + rng.integers(1, n, size=size)) % n
    gap = worth[person, left] - worth[person, right] + by_source[source, left] - by_source[source, right]
    choice = (rng.random(size) >= expit(gap)).astype(int)
    return CodedVotes.from_arrays(left, right, choice, conditions=list(SIX), participant=person, source=source)


def covered(result, truth) -> float:
    """Share of the intervals of all differences of two conditions that hold the truth."""
    first, second = np.triu_indices(len(truth), 1)
    variance = result.estimate_covariance
    error = np.sqrt(variance[first, first] + variance[second, second] - 2 * variance[first, second])
    missed = result.estimates - truth[list(result.conditions)].to_numpy()
    return float((np.abs(missed[first] - missed[second]) < t.ppf(0.975, result.degrees_of_freedom) * error).mean())


def require_right(shares) -> None:
    """93 to 97 %, but for chance; the intervals of one study depend on each other, so studies are what is counted."""
    error = norm.ppf(0.999) * np.std(shares, ddof=1) / np.sqrt(len(shares))
    assert 0.93 - error < np.mean(shares) < 0.97 + error
    assert error < 0.025


@pytest.mark.slow
@pytest.mark.parametrize(
    ("people", "votes_each", "taste", "naive"), [(100, 20, 0.5, 1.0), (15, 45, 0.5, 0.93), (30, 90, 1.0, 0.8)]
)
def test_people_whose_tastes_differ(people, votes_each, taste, naive):
    truth, rng = crowd_scores(SIX, taste=taste), np.random.default_rng(people)
    clustered, independent = [], []
    for _ in range(250):
        votes = simulated(rng, people=people, votes_each=votes_each, taste=taste)
        clustered.append(covered(fit_bradley_terry(votes), truth))
        independent.append(covered(fit_bradley_terry(votes, cluster=None), truth))
    require_right(clustered)
    assert np.mean(independent) < min(naive, np.mean(clustered))


@pytest.mark.slow
@pytest.mark.parametrize(("sources", "by_participant"), [(8, 0.8), (20, 0.9)])
def test_new_clips(sources, by_participant):
    """The truth is the mean over all clips there could be, of which the study drew a few."""
    truth, rng = crowd_scores(SIX, taste=0.5, source_effect=0.4), np.random.default_rng(sources)
    two_way, narrow = [], []
    for _ in range(250):
        votes = simulated(rng, people=200, votes_each=20, taste=0.5, sources=sources, source_effect=0.4)
        two_way.append(covered(fit_bradley_terry(votes, cluster="two-way"), truth))
        narrow.append(covered(fit_bradley_terry(votes), truth))
    require_right(two_way)
    assert np.mean(narrow) < by_participant


@pytest.mark.slow
def test_one_in_ten_answers_anything():
    """Screening as the rule `lapse` does it; the truth is what honest people would give."""
    truth = crowd_scores(SIX, taste=0.5)
    screened, raw = [], []
    for seed in range(140):
        votes = simulate_votes(
            SIX, participants=300, votes_each=15, sources=1, seed=seed, taste=0.5, spammers=0.1, verifications=3
        )
        weights = screen_participants(votes, "lapse").weights
        screened.append(covered(fit_bradley_terry(votes, weights=weights), truth))
        raw.append(covered(fit_bradley_terry(code_votes(counted_votes(votes))), truth))
    require_right(screened)
    assert np.mean(raw) < 0.85


def test_the_crowd_is_the_average_of_its_people():
    """Against choix on mean preferences integrated by a fine sum, not by the same quadrature."""
    scores = {"a": 1.2, "b": 0.1, "c": -1.3}
    values = np.array(list(scores.values()))
    steps = np.linspace(-8, 8, 4001)
    weights = np.exp(-(steps**2) / 2)
    gap = values[:, None, None] - values[None, :, None] + np.sqrt(2 * (0.7**2 + 0.5**2)) * steps
    chance = (expit(gap) * weights).sum(axis=-1) / weights.sum() * (1 - np.eye(3))
    expected = choix.ilsr_pairwise_dense(chance, tol=1e-12)
    found = crowd_scores(scores, taste=0.7, source_effect=0.5)
    assert found.to_numpy() == pytest.approx(expected - expected.mean(), abs=1e-8)


def test_the_crowd_without_differences_gives_its_scores():
    for tie_strength in (0.0, 0.6):
        found = crowd_scores(SIX, taste=0.0, tie_strength=tie_strength)
        np.testing.assert_allclose(found, np.array(list(SIX.values())), atol=1e-8)


def test_the_crowd_is_the_mean_of_many_people_and_clips():
    """Also the half-win scores, which with ties are no longer the strengths that people answer by."""
    votes = simulate_votes(
        SIX, participants=4000, votes_each=10, sources=4000, seed=1, taste=0.5, source_effect=0.4, tie_strength=0.5
    )
    codes = code_votes(votes)
    for ties in ("davidson", "half"):
        found = fit_bradley_terry(codes, ties=ties, cluster=None)
        wanted = crowd_scores(SIX, taste=0.5, source_effect=0.4, tie_strength=0.5, ties=ties)
        assert np.abs((found.scores - wanted) / found.standard_errors).max() < 3.5
        assert wanted["a"] < 0.95
