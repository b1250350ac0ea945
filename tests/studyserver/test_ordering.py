"""The order of a session, without a database."""

import itertools
import math
import random
import statistics
from collections import defaultdict

import pytest

from studyserver.ordering import Showing, order_session, target_position


def a_number_of(count, sources=6, rng=None):
    return [Showing("test", pair, pair % sources, rng.random() if rng else pair / count) for pair in range(count)]


def hidden(kind, count):
    return [Showing(kind, 1000 + number, 100 + number) for number in range(count)]


def session(seed, count=18, verification=2, nulls=1, repeats=1, sources=6):
    rng = random.Random(seed)
    return order_session(
        a_number_of(count, sources, rng), hidden("verification", verification), hidden("null", nulls), repeats, rng
    )


def positions(order, *kinds):
    return [position for position, showing in enumerate(order) if showing.kind in kinds]


@pytest.mark.parametrize("seed", range(12))
def test_everything_is_shown_once_and_a_repeat_is_a_test_pair_again(seed):
    order = session(seed)
    assert len(order) == 22
    for kind, count in [("test", 18), ("verification", 2), ("null", 1), ("repeat", 1)]:
        assert len({showing.pair for showing in order if showing.kind == kind}) == count


@pytest.mark.parametrize("seed", range(12))
def test_hidden_pairs_are_never_first_and_never_in_a_row(seed):
    found = positions(session(seed), "verification", "null", "repeat")
    assert found[0] > 0
    assert all(later - earlier > 1 for earlier, later in itertools.pairwise(found))


@pytest.mark.parametrize("seed", range(12))
def test_a_repeat_comes_a_third_of_the_session_later(seed):
    order = session(seed, repeats=2)
    for position in positions(order, "repeat"):
        first = next(index for index, showing in enumerate(order) if showing.pair == order[position].pair)
        assert position - first >= math.ceil(len(order) / 3)


@pytest.mark.parametrize("seed", range(12))
def test_neighbours_are_of_different_sources(seed):
    order = session(seed, repeats=0, sources=3)
    assert all(one.source != other.source for one, other in itertools.pairwise(order))


def test_a_source_with_most_of_the_pairs_is_spread_as_far_as_it_goes():
    showings = [Showing("test", pair, 0 if pair < 5 else pair, pair / 9) for pair in range(9)]
    order = order_session(showings, [], [], 0, random.Random(1))
    assert [showing.source == 0 for showing in order] == [True, False] * 4 + [True]


@pytest.mark.parametrize(
    ("count", "verification", "nulls", "repeats"), [(1, 0, 0, 0), (1, 1, 1, 3), (2, 20, 20, 20), (5, 0, 0, 5)]
)
def test_small_and_crowded_sessions_still_begin_with_a_test(count, verification, nulls, repeats):
    for seed in range(20):
        order = session(seed, count, verification, nulls, repeats)
        assert order[0].kind == "test"
        assert len(order) == count + verification + nulls + min(repeats, count)
        assert len({showing.pair for showing in order if showing.kind == "repeat"}) == min(repeats, count)


def test_the_same_seed_gives_the_same_order():
    assert session(3) == session(3) != session(4)


def test_targets_cover_the_session_evenly_for_each_side():
    for rank in range(5):
        for side in (0, 1):
            targets = sorted(target_position(number, rank) for number in range(side, 32, 2))
            assert max(later - earlier for earlier, later in itertools.pairwise(targets)) < 0.1
        assert statistics.mean(target_position(number, rank) for number in range(10)) == pytest.approx(0.5)


def test_pairs_stand_on_average_in_the_middle_far_more_often_than_by_chance():
    """60 pairs with a quota of 10 in sessions of 12: spread of the pairs' mean positions, ours against shuffled."""
    rng = random.Random(5)
    taken = dict.fromkeys(range(60), 0)
    ours, shuffled = defaultdict(list), defaultdict(list)
    for _ in range(50):
        chosen = sorted(taken, key=lambda pair: (taken[pair], rng.random()))[:12]
        tests = [Showing("test", pair, pair % 7, target_position(taken[pair], pair)) for pair in chosen]
        for pair in chosen:
            taken[pair] += 1
        order = [showing.pair for showing in order_session(tests, hidden("verification", 2), [], 1, rng)]
        first = {pair: order.index(pair) for pair in chosen}
        for pair, position in zip(chosen, rng.sample(list(first.values()), 12), strict=True):
            ours[pair].append(first[pair])
            shuffled[pair].append(position)

    def spread(by_pair):
        return statistics.pstdev(statistics.mean(found) for found in by_pair.values())

    assert set(taken.values()) == {10}
    assert spread(ours) < 0.5 * spread(shuffled)
