"""The order in which a session shows its pairs. Pure: the same arguments and the same seed give the same order."""

import math
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Showing", "order_session", "target_position"]

_TRIES = 200


@dataclass(frozen=True)
class Showing:
    """A pair in a session: `kind` as in Trial.Kind; `target` (0 start, 1 end) is where its place would like to be."""

    kind: str
    pair: int
    source: int
    target: float = 0.5


def target_position(number: int, rank: int) -> float:
    """Return where in a session, from 0 to 1, place `number` of the quota of the pair with that rank is to stand.

    Over the places of a pair the targets cover the session evenly (van der Corput's sequence). Places 2k and 2k + 1
    lie opposite each other about the middle; as sides alternate with the number, both sides are early and late alike.
    The rank moves a pair's sequence, so that pairs taken together do not want the same moment.
    """
    golden = (math.sqrt(5) - 1) / 2
    position = (_radical_inverse(number // 2) + rank * golden) % 1
    return 1 - position if number % 2 else position


def _radical_inverse(index: int) -> float:
    value, scale = 0.0, 0.5
    while index:
        value += scale * (index & 1)
        index >>= 1
        scale /= 2
    return value


def order_session(
    tests: Sequence[Showing],
    verification: Sequence[Showing],
    nulls: Sequence[Showing],
    repeats: int,
    rng: random.Random,
) -> list[Showing]:
    """Return the showings of a session, first to last, with `repeats` of the tests shown a second time.

    Tests follow their targets. The others stand at drawn positions: never first, no two in a row where that can be
    avoided. A repeat comes at least a third of the session after its pair where the positions allow it. Neighbours
    are of different sources where there is a choice. Expects at least one test.
    """
    repeats = min(repeats, len(tests))
    waiting = {
        "test": sorted(tests, key=lambda showing: showing.target),
        "verification": rng.sample(verification, len(verification)),
        "null": rng.sample(nulls, len(nulls)),
    }
    total = len(tests) + len(verification) + len(nulls) + repeats
    gap = math.ceil(total / 3)
    kinds = _kinds(total, len(verification), len(nulls), repeats, gap, rng)
    order: list[Showing] = []
    for position in range(total):
        if kinds[position] == "repeat":
            if repeat := _repeat(order, waiting["test"], gap, rng):
                order.append(repeat)
                continue
            # Every pair so far has its repeat: the next test comes first.
            later = kinds.index("test", position)
            kinds[position], kinds[later] = kinds[later], kinds[position]
        left = waiting[kinds[position]]
        showing = _next(left, order[-1].source if order else None)
        left.remove(showing)
        order.append(showing)
    return order


def _kinds(total: int, verification: int, nulls: int, repeats: int, gap: int, rng: random.Random) -> list[str]:
    """Return the kind of every position."""
    hidden = verification + nulls + repeats
    for _ in range(_TRIES):
        if 2 * hidden <= total:
            # Drawn without the gaps between them, then moved apart: every set without neighbours is equally likely.
            drawn = sorted(rng.sample(range(total - hidden), hidden))
            slots = [1 + value + index for index, value in enumerate(drawn)]
        else:
            slots = sorted(rng.sample(range(1, total), hidden))
        late = [slot for slot in slots if slot >= gap]
        if len(late) >= repeats:
            break
    repeated = rng.sample(late, repeats) if len(late) >= repeats else slots[-repeats:]
    others = [slot for slot in slots if slot not in repeated]
    rng.shuffle(others)
    kinds = ["test"] * total
    for slot in repeated:
        kinds[slot] = "repeat"
    for index, slot in enumerate(others):
        kinds[slot] = "verification" if index < verification else "null"
    return kinds


def _next(left: list[Showing], last: int | None) -> Showing:
    """Return the first of another source than the last; a source with more than half of the rest goes before."""
    crowded = _crowded(left)
    if crowded not in (None, last):
        return next(showing for showing in left if showing.source == crowded)
    return next((showing for showing in left if showing.source != last), left[0])


def _crowded(left: list[Showing]) -> int | None:
    """Return the source with more than half of these."""
    if not left:
        return None
    source, count = Counter(showing.source for showing in left).most_common(1)[0]
    return source if 2 * count > len(left) else None


def _repeat(order: list[Showing], left: list[Showing], gap: int, rng: random.Random) -> Showing | None:
    """Return the repeat of a test shown `gap` positions ago or more, else of the earliest; None where all have one."""
    repeated = {showing.pair for showing in order if showing.kind == "repeat"}
    tests = [
        (position, showing)
        for position, showing in enumerate(order)
        if showing.kind == "test" and showing.pair not in repeated
    ]
    if not tests:
        return None
    far = [showing for position, showing in tests if position + gap <= len(order)]
    apart = [showing for showing in far if showing.source != order[-1].source]
    # The source that has to come next had better not come now.
    best = [showing for showing in apart if showing.source != _crowded(left)]
    chosen = rng.choice(best or apart or far) if far else tests[0][1]
    return Showing("repeat", chosen.pair, chosen.source)
