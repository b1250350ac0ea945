"""Votes that determine no finite scores are refused by name; those that do are let through."""

import numpy as np
import pytest

from analysis import fit_bradley_terry
from analysis.errors import DisconnectedConditions, SeparatedConditions
from analysis.ranking.counts import pair_counts
from analysis.ranking.existence import require_finite_scores


def test_groups_that_never_met_are_named(write_counts):
    votes = write_counts([("a", "b", 3, 3, 0), ("c", "d e", 2, 5, 0)])
    with pytest.raises(DisconnectedConditions, match=r"\(a, b\); \(c, d e\); collect votes") as caught:
        fit_bradley_terry(votes)
    assert caught.value.groups == (("a", "b"), ("c", "d e"))


@pytest.mark.parametrize("ties", ["half", "davidson"])
def test_an_item_that_never_loses_is_named(write_counts, ties):
    votes = write_counts([("best", "b", 5, 0, 0), ("best", "c", 4, 0, 0), ("b", "c", 3, 3, 2)])
    with pytest.raises(SeparatedConditions, match=r"best never lost to .*another condition") as caught:
        fit_bradley_terry(votes, ties=ties)
    assert "best" in caught.value.conditions and "ties=" not in str(caught.value)


def test_an_item_that_never_wins_is_named(write_counts):
    votes = write_counts([("worst", "b", 0, 5, 0), ("c", "worst", 4, 0, 0), ("b", "c", 3, 3, 0)])
    with pytest.raises(SeparatedConditions, match="worst never won against another condition") as caught:
        fit_bradley_terry(votes)
    assert "worst" in caught.value.conditions


def test_a_group_that_never_loses_outside_is_named(write_counts):
    votes = write_counts([("a", "b", 2, 3, 0), ("c", "d", 2, 3, 0), ("a", "c", 4, 0, 0), ("b", "d", 4, 0, 0)])
    with pytest.raises(SeparatedConditions, match=r"the group \(a, b\) never lost to a condition outside it"):
        fit_bradley_terry(votes)


def test_one_tie_joins_an_item_that_never_loses_when_ties_count_half(write_counts):
    votes = write_counts([("best", "b", 5, 0, 1), ("b", "c", 3, 3, 0), ("best", "c", 4, 0, 0)])
    assert fit_bradley_terry(votes, ties="half", cluster=None).scores.idxmax() == "best"


def test_only_ties(write_counts):
    votes = write_counts([("a", "b", 0, 0, 8), ("b", "c", 0, 0, 8)])
    assert np.allclose(fit_bradley_terry(votes, ties="half", cluster=None).scores, 0)
    for ties in ("davidson", "rao-kupper"):
        with pytest.raises(SeparatedConditions, match="every vote is a tie"):
            fit_bradley_terry(votes, ties=ties)


def test_davidson_needs_more_than_a_tie_with_the_loser(write_counts):
    """a beats b or ties and never loses: three answers, two parameters, P(b) -> 0. Half ties have a finite maximum."""
    votes = write_counts([("a", "b", 5, 0, 5)])
    with pytest.raises(SeparatedConditions, match="ties='half'"):
        fit_bradley_terry(votes, ties="davidson", cluster=None)
    assert fit_bradley_terry(votes, ties="half", cluster=None).scores["a"] == pytest.approx(np.log(3) / 2)


def test_davidson_may_lean_on_ties_elsewhere(write_counts):
    """a and c are joined by ties only, but the tie parameter is held by the pair (b, c)."""
    votes = write_counts([("a", "c", 0, 0, 4), ("a", "b", 3, 2, 1), ("b", "c", 2, 2, 3)])
    assert np.isfinite(fit_bradley_terry(votes, ties="davidson", cluster=None).scores).all()


def test_sparse_random_tables_are_let_through_exactly_where_everybody_reaches_everybody():
    """Ford's condition, with reachability worked out by matrix powers."""
    rng = np.random.default_rng(0)
    let_through = 0
    for _ in range(40):
        wins = np.triu(rng.integers(0, 2, (5, 5)), 1) * 3 + np.tril(rng.integers(0, 2, (5, 5)), -1) * 2
        reach = np.linalg.matrix_power((wins > 0) + np.eye(5), 5) > 0
        pairs = pair_counts(np.stack([wins, 0 * wins, 0 * wins], axis=-1).ravel())
        if reach.all():
            let_through += 1
            assert require_finite_scores(pairs, tuple("abcde")) == ()
        else:
            with pytest.raises((DisconnectedConditions, SeparatedConditions)):
                require_finite_scores(pairs, tuple("abcde"))
    assert 5 < let_through < 35
