"""The fewest votes that exchange rank 1 and 2: exhaustive search, exact answers, refits."""

from itertools import combinations_with_replacement

import numpy as np
import pytest

from analysis import fit_bradley_terry, votes_to_flip
from analysis.errors import AnalysisError, InvalidOption, UnknownCondition
from analysis.ranking.counts import CodedVotes, code_votes
from analysis.simulation import simulate_votes


def of_counts(rows, n, participants=7):
    """rows: (left, right, answer, how many)."""
    left, right, choice, times = np.array(rows).T
    person = np.arange(times.sum()) % participants
    arrays = (np.repeat(part, times) for part in (left, right, choice))
    return CodedVotes.from_arrays(*arrays, conditions=n, participant=person)


@pytest.mark.parametrize(
    ("wins", "losses", "dropped", "reversed_"), [(30, 20, 11, 6), (25, 20, 6, 3), (6, 5, 2, 1), (3, 1, 3, 2)]
)
def test_two_conditions_need_one_vote_beyond_a_draw(wins, losses, dropped, reversed_):
    found = votes_to_flip(of_counts([(0, 1, 0, wins), (1, 0, 0, losses)], 2))
    assert (found.first, found.second, found.n_votes) == ("0", "1", wins + losses)
    assert (found.dropped, found.reversed) == (dropped, reversed_)
    assert found.difference == pytest.approx(np.log(wins / losses))
    assert found.dropped_share == dropped / (wins + losses)
    assert found.answers.to_numpy().tolist() == [["0", "1", "first", dropped, reversed_]]


def taken_away(coded, answers, column):
    """The votes without those that the table names, or with them turned round."""
    choice = coded.cell % 3
    left, right = coded.cell // 3 // len(coded.conditions), coded.cell // 3 % len(coded.conditions)
    keep, turned = np.ones(len(choice), dtype=bool), choice.copy()
    for row in answers.itertuples():
        first, second = coded.conditions.index(row.first), coded.conditions.index(row.second)
        ahead = (left == first) & (right == second)
        behind = (left == second) & (right == first)
        answer = ("first", "second", "tie").index(row.answer)
        other = answer if answer == 2 else 1 - answer
        hits = np.flatnonzero((ahead & (choice == answer)) | (behind & (choice == other)))[: getattr(row, column)]
        keep[hits] = False
        turned[hits] = 1 - choice[hits]
    if column == "dropped":
        left, right, turned, person = left[keep], right[keep], choice[keep], coded.participant[keep]
    else:
        person = coded.participant
    return CodedVotes.from_arrays(left, right, turned, conditions=coded.conditions, participant=person)


@pytest.mark.parametrize(
    "ties", ["davidson", *(pytest.param(ties, marks=pytest.mark.slow) for ties in ("rao-kupper", "half"))]
)
def test_the_votes_named_exchange_the_ranks_and_one_fewer_does_not(ties):
    scores = {"a": 0.4, "b": 0.1, "c": 0.0, "d": -0.4}
    coded = code_votes(simulate_votes(scores, participants=20, votes_each=15, sources=3, seed=4, tie_strength=0.3))
    found = votes_to_flip(coded, ties=ties)
    for column, total in (("dropped", found.dropped), ("reversed", found.reversed)):
        assert found.answers[column].sum() == total > 2
        after = fit_bradley_terry(taken_away(coded, found.answers, column), ties=ties, cluster=None).scores
        assert after[found.second] > after[found.first]
        # The last vote of the order is needed.
        leads = []
        for row in found.answers.index[found.answers[column] > 0]:
            fewer = found.answers.copy()
            fewer.loc[row, column] -= 1
            before = fit_bradley_terry(taken_away(coded, fewer, column), ties=ties, cluster=None).scores
            leads.append(before[found.first] - before[found.second])
        assert max(leads) > -1e-8
    assert found.reversed < found.dropped
    assert 1 <= found.reversed_participants <= found.dropped_participants <= found.dropped


@pytest.mark.slow
@pytest.mark.parametrize("seed", [9, 10, 19, 21, 34])
def test_no_smaller_set_of_votes_does_it(seed):
    """All sets of fewer votes, in small tables."""
    rng = np.random.default_rng(seed)
    size, n = int(rng.integers(25, 60)), int(rng.integers(3, 5))
    left = rng.integers(n, size=size)
    right = (left + rng.integers(1, n, size=size)) % n
    worth = rng.normal(0, 0.4, n)
    choice = np.where(rng.random(size) < 0.1, 2, rng.random(size) > 1 / (1 + np.exp(worth[right] - worth[left])))
    coded = CodedVotes.from_arrays(
        left, right, choice.astype(int), conditions=n, participant=rng.integers(8, size=size)
    )
    found = votes_to_flip(coded)
    cells = np.unique(coded.cell)
    for votes in range(1, min(found.dropped, 4)):
        for chosen in combinations_with_replacement(cells, votes):
            keep = np.ones(size, dtype=bool)
            for cell in set(chosen):
                keep[np.flatnonzero(coded.cell == cell)[: chosen.count(cell)]] = False
            if keep.sum() > size - votes:
                continue
            try:
                rest = CodedVotes.from_arrays(left[keep], right[keep], choice[keep].astype(int), conditions=n)
                after = fit_bradley_terry(rest, cluster=None).scores
            except AnalysisError:
                continue
            assert after[found.first] > after[found.second] - 1e-8


def test_relabelling_and_the_order_of_rows_change_nothing():
    votes = simulate_votes({"a": 0.3, "b": 0.1, "c": -0.4}, participants=12, votes_each=12, sources=3, seed=2)
    other = votes.sample(frac=1, random_state=1)
    names = {"a": "z", "b": "y", "c": "x"}
    for side in ("left", "right"):
        other[side] = other[side].cat.rename_categories(names)
    one, two = votes_to_flip(votes), votes_to_flip(other)
    assert (two.first, two.second) == (names[one.first], names[one.second])
    assert (two.dropped, two.reversed) == (one.dropped, one.reversed)


def test_a_condition_without_a_rank_keeps_its_votes():
    votes = simulate_votes({"r": 0.9, "a": 0.3, "b": 0.0}, participants=12, votes_each=12, sources=3, seed=2)
    found = votes_to_flip(votes, leaving_out="r")
    assert {found.first, found.second} == {"a", "b"}
    scores = fit_bradley_terry(votes).scores
    assert found.difference == pytest.approx(abs(scores["a"] - scores["b"]))
    with pytest.raises(UnknownCondition, match="'q'"):
        votes_to_flip(votes, leaving_out="q")
    with pytest.raises(InvalidOption, match="one condition is left"):
        votes_to_flip(of_counts([(0, 1, 0, 5), (1, 0, 0, 3)], 2), leaving_out="0")


def test_a_vote_is_one_whatever_its_weight():
    """9 votes for the one that count 14, 8 votes for the other: by hand."""
    coded = of_counts([(0, 1, 0, 9), (1, 0, 0, 8)], 2, participants=17)
    weight = np.where(np.arange(17) < 5, 2.0, 1.0)
    found = votes_to_flip(coded.weighted(weight))
    # 14 - 2 - 2 - 2 - 2 < 8, and 14 - 2 - 2 < 8 + 2 + 2.
    assert (found.dropped, found.reversed, found.n_votes) == (4, 2, 17)
    assert (found.dropped_participants, found.reversed_participants) == (4, 2)
    assert found.difference == pytest.approx(np.log(14 / 8))
    plain = votes_to_flip(coded)
    assert votes_to_flip(coded.weighted(np.full(17, 0.5))).dropped == plain.dropped == 2
    # The votes of five people are left out, and nobody counts them.
    fewer = votes_to_flip(coded.weighted(np.where(np.arange(17) < 12, 1.0, 0.0)))
    assert (fewer.n_votes, fewer.dropped) == (12, 7)


def test_weights_of_people_name_the_leader_of_the_weighted_ranking():
    votes = simulate_votes({"a": 0.3, "b": 0.0, "c": -0.5}, participants=12, votes_each=12, sources=3, seed=2)
    people = votes["participant"].cat.categories
    weights = {person: 0.2 + 0.1 * (k % 5) for k, person in enumerate(people)}
    found, ranked = votes_to_flip(votes, weights=weights), fit_bradley_terry(votes, weights=weights)
    order = ranked.scores.sort_values(ascending=False)
    assert [found.first, found.second] == list(order.index[:2])
    assert found.difference == pytest.approx(order.iloc[0] - order.iloc[1])
    with pytest.raises(InvalidOption, match="ties"):
        votes_to_flip(votes, ties="none")
