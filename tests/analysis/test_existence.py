"""Votes that determine no finite scores are refused by name; those that do are let through."""

import numpy as np
import pytest

from analysis import fit_bradley_terry
from analysis.errors import DisconnectedConditions, SeparatedConditions
from analysis.existence import require_finite_scores


def test_groups_that_never_met_are_named(write_counts):
    votes = write_counts([("a", "b", 3, 3, 0), ("c", "d e", 2, 5, 0)])
    with pytest.raises(DisconnectedConditions, match=r"\(a, b\); \(c, d e\); collect votes") as caught:
        fit_bradley_terry(votes)
    assert caught.value.groups == (("a", "b"), ("c", "d e"))


@pytest.mark.parametrize("ties", ["half", "davidson"])
def test_an_item_that_never_loses_is_named(write_counts, ties):
    votes = write_counts([("best", "b", 5, 0, 0), ("best", "c", 4, 0, 0), ("b", "c", 3, 3, 2)])
    with pytest.raises(SeparatedConditions, match="best") as caught:
        fit_bradley_terry(votes, ties=ties)
    assert caught.value.conditions == ("best",) if ties == "davidson" else "best" in caught.value.conditions


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
    assert fit_bradley_terry(votes, cluster=None).scores.idxmax() == "best"


def test_only_ties(write_counts):
    votes = write_counts([("a", "b", 0, 0, 8), ("b", "c", 0, 0, 8)])
    assert np.allclose(fit_bradley_terry(votes, cluster=None).scores, 0)
    with pytest.raises(SeparatedConditions):
        fit_bradley_terry(votes, ties="davidson")


def test_davidson_needs_more_than_a_tie_with_the_loser(write_counts):
    """a beats b or ties and never loses: three answers, two parameters, P(b) -> 0. Half ties have a finite maximum."""
    votes = write_counts([("a", "b", 5, 0, 5)])
    with pytest.raises(SeparatedConditions, match="ties='half'"):
        fit_bradley_terry(votes, ties="davidson", cluster=None)
    assert fit_bradley_terry(votes, cluster=None).scores["a"] == pytest.approx(np.log(3) / 2)


def test_davidson_may_lean_on_ties_elsewhere(write_counts):
    """a and c are joined by ties only, but the tie parameter is held by the pair (b, c)."""
    votes = write_counts([("a", "c", 0, 0, 4), ("a", "b", 3, 2, 1), ("b", "c", 2, 2, 3)])
    assert np.isfinite(fit_bradley_terry(votes, ties="davidson", cluster=None).scores).all()


@pytest.mark.parametrize("seed", range(40))
def test_a_fit_that_is_let_through_has_a_small_gradient_and_finite_scores(seed):
    """Sparse random tables: the check for Bradley-Terry agrees with reachability worked out by matrix powers."""
    rng = np.random.default_rng(seed)
    wins = np.triu(rng.integers(0, 2, (5, 5)), 1) * 3 + np.tril(rng.integers(0, 2, (5, 5)), -1) * 2
    reach = np.linalg.matrix_power((wins > 0) + np.eye(5), 5) > 0
    names = tuple("abcde")
    if reach.all():
        require_finite_scores(wins, None, names)
    else:
        with pytest.raises((DisconnectedConditions, SeparatedConditions)):
            require_finite_scores(wins, None, names)
