"""Which numbers of a quota are on offer, and how verification pairs are shared out."""

import random
from collections import Counter

import pytest

from studyserver.quota import Shown, choose_least_shown, numbers_to_offer, share_verification


@pytest.mark.parametrize(
    ("held", "quota", "offered"),
    [
        ((), 4, {0, 1, 2, 3}),
        ((0, 3), 4, {1, 2}),
        ((0, 1, 2, 3), 4, set()),
        ((2, 3), 2, set()),  # the quota was lowered: who is beyond it counts
        ((0, 2, 4, 6), 6, {1, 3}),  # the sides that are missing
        ((0, 1, 2, 3, 4, 5, 6, 7), 2, set()),  # far beyond it
        ((5,), 1, set()),
        ((), 5, {0, 1, 2, 3, 4}),
    ],
)
def test_offered_and_held_numbers_make_the_quota(held, quota, offered):
    assert numbers_to_offer(held, quota) == offered


def test_sides_are_as_equal_as_what_is_held_allows():
    rng = random.Random(1)
    for _ in range(200):
        quota = rng.randint(1, 12)
        held = set(rng.sample(range(2 * quota), rng.randint(0, quota)))
        everything = held | numbers_to_offer(held, quota)
        sides = Counter(number % 2 for number in everything)
        of_held = Counter(number % 2 for number in held)
        assert len(everything) == quota
        assert abs(sides[0] - sides[1]) <= max(1, abs(of_held[0] - of_held[1]) - (quota - len(held)))


@pytest.mark.parametrize(
    ("available", "practice", "hidden", "given"),
    [
        (20, 3, 2, (3, 2)),
        (4, 3, 2, (2, 2)),
        (2, 3, 2, (1, 1)),
        (1, 3, 2, (0, 1)),
        (1, 3, 0, (1, 0)),
        (2, 0, 2, (0, 2)),
        (0, 3, 2, (0, 0)),
    ],
)
def test_too_few_verification_pairs_are_shared_and_none_is_used_twice(available, practice, hidden, given):
    assert share_verification(available, practice, hidden) == given


def test_new_sources_come_before_pairs_shown_less():
    pairs = [Shown(1, 1, 0), Shown(2, 1, 0), Shown(3, 2, 9), Shown(4, 3, 5)]
    for seed in range(5):
        chosen = [pair.pair for pair in choose_least_shown(pairs, 3, random.Random(seed))]
        assert set(chosen[:1]) <= {1, 2} and chosen[1:] == [4, 3]
        assert choose_least_shown(pairs, 1, random.Random(seed), sources={1, 3})[0].pair == 3
    assert len(choose_least_shown(pairs, 9, random.Random(0))) == 4
