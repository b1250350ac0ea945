"""The adaptive choice of pairs: what it promises, and that it is worth it where the documentation says so."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from analysis import PairPool, choose_pairs
from analysis.errors import InvalidOption
from analysis.planning.sampling import fit_posterior


def empty_pool(conditions, sources):
    rows = [(s, i, j) for s in range(sources) for i, j in itertools.combinations(range(conditions), 2)]
    source, first, second = np.array(rows).T
    return PairPool(source, first, second, *(np.zeros(len(rows)) for _ in range(3)))


def answered_pool(scores, sources, votes_per_pair, seed=0):
    """Votes drawn with these scores, the same on every source."""
    pool = empty_pool(len(scores), sources)
    chance = 1 / (1 + np.exp(scores[pool.second] - scores[pool.first]))
    pool.votes[:] = votes_per_pair
    pool.wins[:] = np.random.default_rng(seed).binomial(votes_per_pair, chance)
    return pool


def test_pairs_are_different_and_open():
    pool = empty_pool(4, 2)
    open_pairs = np.arange(12) % 2 == 0
    chosen = choose_pairs(pool, 5, seed=1, open_pairs=open_pairs)
    assert len(set(chosen)) == 5
    assert all(index % 2 == 0 for index in chosen)
    assert sorted(choose_pairs(pool, 99, seed=1, open_pairs=open_pairs)) == list(range(0, 12, 2))


def test_the_same_seed_gives_the_same_pairs_and_changes_nothing():
    pool = answered_pool(np.array([1.0, 0, -1]), 3, 4)
    before = pool.votes.copy(), pool.wins.copy(), pool.pending.copy()
    assert choose_pairs(pool, 6, seed=5) == choose_pairs(pool, 6, seed=5)
    assert any(choose_pairs(empty_pool(5, 4), 6, seed=1) != choose_pairs(empty_pool(5, 4), 6, seed=s) for s in range(5))
    assert all(np.array_equal(old, new) for old, new in zip(before, (pool.votes, pool.wins, pool.pending), strict=True))


def test_a_quarter_are_the_pairs_with_the_fewest_votes():
    pool = answered_pool(np.array([1.0, 0.5, -0.5, -1]), 4, 9)
    pool.votes[[3, 11]] = 0
    pool.wins[[3, 11]] = 0
    assert set(choose_pairs(pool, 8, seed=2)[:2]) == {3, 11}
    pool.pending[3] = 20
    assert choose_pairs(pool, 4, seed=2)[:1] == [11]


def test_pending_votes_count_as_given():
    pool = empty_pool(3, 1)
    pending = replace(pool, pending=np.array([4.0, 4.0, 0.0]))
    for seed in range(5):
        assert choose_pairs(pending, 1, seed=seed, balanced_share=0) == [2]


def test_every_choice_is_the_best_of_all_pairs_by_brute_force():
    """Against the inverse of the whole precision matrix, scores and effects, with a vote more on each pair in turn."""
    pool = answered_pool(np.array([2.0, 0.5, 0.0, -1.0]), 3, 2, seed=4)
    pool.votes[[2, 7]], pool.wins[[2, 7]] = 9, 5
    pool.pending[5] = 3
    posterior = fit_posterior(pool)
    n_sources, n = posterior.effects.shape
    rows = np.zeros((len(pool.source), n * (n_sources + 1)))
    at = np.arange(len(rows))
    for block in (0, n * (1 + pool.source)):
        rows[at, block + pool.first] += 1
        rows[at, block + pool.second] -= 1
    mode = rows @ np.concatenate([posterior.scores, posterior.effects.ravel()])
    chance = 1 / (1 + np.exp(-mode))
    precision = np.diag(np.r_[np.full(n, 1 / posterior.sigma2), np.full(n * n_sources, 1 / posterior.tau2)])
    precision += rows.T * (pool.votes * chance * (1 - chance)) @ rows
    variance = np.einsum("pi,ij,pj->p", rows, np.linalg.inv(precision), rows)
    chance = 1 / (1 + np.exp(-mode / np.sqrt(1 + np.pi * variance / 8)))
    weight = chance * (1 - chance)
    precision += rows.T * (pool.pending * weight) @ rows
    centre = np.eye(n) - 1 / n

    def spread(more):
        return np.trace(centre @ np.linalg.inv(precision + more)[:n, :n])

    expected = []
    for _ in range(6):
        after = np.array([spread(w * np.outer(row, row)) for w, row in zip(weight, rows, strict=True)])
        after[expected] = np.inf
        expected.append(int(np.argmin(after)))
        assert np.sort(after)[1] > after.min() * (1 + 1e-6)
        precision += weight[expected[-1]] * np.outer(rows[expected[-1]], rows[expected[-1]])
    assert choose_pairs(pool, 6, seed=0, balanced_share=0) == expected


def test_sources_are_spread_where_they_may_differ():
    pool = answered_pool(np.array([0.5, 0.0, -0.5]), 5, 3)
    chosen = choose_pairs(pool, 5, seed=0, balanced_share=0)
    assert len({int(pool.source[index]) for index in chosen}) >= 4


def test_the_posterior_finds_the_scores():
    truth = np.array([1.5, 0.5, 0.0, -0.5, -1.5])
    posterior = fit_posterior(answered_pool(truth, 6, 40))
    assert np.abs(posterior.scores - truth).max() < 0.25
    assert posterior.scores.sum() == pytest.approx(0)
    assert posterior.tau2 < 0.1


def test_extreme_answers_leave_everything_finite():
    pool = empty_pool(3, 2)
    pool.votes[:] = 1000
    pool.wins[:] = 1000
    posterior = fit_posterior(pool)
    assert np.isfinite(posterior.scores).all() and posterior.scores[0] > posterior.scores[1] > posterior.scores[2]
    assert len(choose_pairs(pool, 3, seed=0)) == 3


@pytest.mark.parametrize(("count", "share"), [(-1, 0.25), (3, 1.5), (3, -0.1)])
def test_impossible_wishes_are_refused(count, share):
    with pytest.raises(InvalidOption, match="expected count >= 0"):
        choose_pairs(empty_pool(3, 1), count, seed=0, balanced_share=share)


@pytest.mark.slow
def test_adaptive_is_not_worse_than_balanced_at_wide_spreads():
    """12 conditions on 3 sources, spread 2 logits, 288 votes in sessions of 12."""

    def error(seed, share):
        rng = np.random.default_rng(seed)
        scores = rng.normal(0, 2, 12)
        scores -= scores.mean()
        effects = rng.normal(0, 0.3, (3, 12))
        pool = empty_pool(12, 3)
        for number in range(24):
            for pair in choose_pairs(pool, 12, seed=1000 * seed + number, balanced_share=share):
                utility = scores + effects[pool.source[pair]]
                chance = 1 / (1 + np.exp(utility[pool.second[pair]] - utility[pool.first[pair]]))
                pool.votes[pair] += 1
                pool.wins[pair] += rng.random() < chance
        return np.sqrt(np.mean((fit_posterior(pool).scores - scores) ** 2))

    adaptive, balanced = (np.mean([error(seed, share) for seed in range(6)]) for share in (0.25, 1.0))
    assert adaptive < 1.02 * balanced
