"""Which places of a pair's quota ought to be free, and how verification pairs are shared out. Pure."""

import itertools
import random
from collections.abc import Collection, Iterable
from dataclasses import dataclass

__all__ = ["Shown", "choose_least_shown", "is_mirrored", "numbers_to_offer", "share_verification"]


def is_mirrored(number: int, rank: int) -> bool:
    """Return whether place `number` of a pair shows its second video on the left.

    Sides alternate inside a quota. Whether a pair begins mirrored alternates with its rank in the study, so that the
    first participants do not see every pair the same way round.
    """
    return (number + rank) % 2 == 1


def numbers_to_offer(held: Collection[int], quota: int) -> set[int]:
    """Return the numbers that ought to be free where those in `held` are taken or answered.

    Together they are as many as the quota, with as equal sides as can be: a quota that was lowered counts what is
    held beyond it.
    """
    sides = [sum(number % 2 == side for number in held) for side in (0, 1)]
    # The lowest numbers of each side that nobody holds.
    unheld = [(number for number in itertools.count(side, 2) if number not in held) for side in (0, 1)]
    waiting = [next(numbers) for numbers in unheld]
    offered: set[int] = set()
    while len(held) + len(offered) < quota:
        side = min((0, 1), key=lambda side: (sides[side], waiting[side]))
        offered.add(waiting[side])
        sides[side] += 1
        waiting[side] = next(unheld[side])
    return offered


def share_verification(available: int, practice: int, hidden: int) -> tuple[int, int]:
    """Return how many verification pairs a session practises with and how many it hides, of those wanted.

    Nobody sees one twice. Where there are too few the hidden ones go first, but the practice keeps one of two or more.
    """
    keep = 1 if practice and available > 1 else 0
    hidden = min(hidden, available - keep)
    return min(practice, available - hidden), hidden


@dataclass(frozen=True)
class Shown:
    """A pair and how often it was shown so far."""

    pair: int
    source: int
    shown: int


def choose_least_shown(
    pairs: Iterable[Shown], count: int, rng: random.Random, sources: Collection[int] = ()
) -> list[Shown]:
    """Return up to `count` pairs: of sources not used yet (nor in `sources`) first, then least shown, then by lot."""
    left = list(pairs)
    rng.shuffle(left)
    used, chosen = set(sources), []
    while left and len(chosen) < count:
        pair = min(left, key=lambda pair: (pair.source in used, pair.shown))
        left.remove(pair)
        used.add(pair.source)
        chosen.append(pair)
    return chosen
