"""Whether something that a browser receives tells hidden groups apart (no Django).

A *subject* is one trial or one file, with its hidden groups and everything observable about it. An observable is
harmless where it is the same for all; where it is the same for all with the same clip (every participant sees which
clip it is), or with the same place in the session. Anything else, and clip and place themselves, are put to an exact
test: over all simple rules ("is x", "is at least x"; of texts also the length and every single character), the
chance that a rule picks members of a group so often, or so seldom, if the group were dealt at random.
"""

import math
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

__all__ = ["Subject", "differences_within_clip", "telltales"]

# Chance of a false alarm in one whole check, shared among all rules that are tried.
SIGNIFICANCE = 0.01
_ABSENT = "(absent)"
_LONGEST_TEXT = 120
# No rule that picks fewer can be told from chance.
_LEAST_PICKED = 3


@dataclass(frozen=True)
class Subject:
    """`groups`: hidden group by what is grouped ("kind" → "test"); `clip` and `place` are what people see openly."""

    groups: Mapping[str, str]
    clip: str
    place: int | None
    values: Mapping[str, Hashable] = field(repr=False)


def differences_within_clip(subjects: Sequence[Subject], grouping: str, but: Sequence[str] = ()) -> list[str]:
    """Return a line for each observable, `but` for some, that differs among the subjects of a clip, and how."""
    lines = []
    for name in (name for name in _names(subjects) if name not in but):
        for clip in sorted({subject.clip for subject in subjects}):
            holders: dict[Hashable, set[str]] = defaultdict(set)
            for subject in subjects:
                if subject.clip == clip:
                    holders[subject.values.get(name, _ABSENT)].add(subject.groups[grouping])
            if len(holders) > 1:
                told = "; ".join(
                    f"{_short(value)} for {', '.join(sorted(groups))}"
                    for value, groups in sorted(holders.items(), key=str)
                )
                lines.append(f"{name} tells the {grouping} of clip {clip}: {told}")
                break
    return lines


def telltales(subjects: Sequence[Subject], grouping: str) -> list[str]:
    """Return a line for each observable from which a group can be told, with the rule that tells it."""
    tests = [
        (name, group, rule, picked)
        for name, column in _columns(subjects)
        for rule, picked in _rules(column)
        for group in sorted({subject.groups[grouping] for subject in subjects})
    ]
    found: dict[tuple[str, str], tuple[float, str]] = {}
    for name, group, rule, picked in tests:
        members = [subject.groups[grouping] == group for subject in subjects]
        hits = sum(member for member, chosen in zip(members, picked, strict=True) if chosen)
        others = sum(picked) - hits
        chance = 2 * _tail(len(members), sum(members), sum(picked), hits)
        if chance * len(tests) > SIGNIFICANCE:
            continue
        line = (
            f"{name} tells {grouping} {group!r}: {rule} holds for {hits} of {sum(members)} of them and for {others} of "
            f"{len(members) - sum(members)} others"
        )
        if chance < found.get((name, group), (math.inf, ""))[0]:
            found[name, group] = (chance, line)
    best = {}
    for (name, _), (_, line) in sorted(found.items(), key=lambda item: item[1][0]):
        best.setdefault(name, line)
    return list(best.values())


def _names(subjects: Iterable[Subject]) -> list[str]:
    return sorted({name for subject in subjects for name in subject.values})


def _columns(subjects: Sequence[Subject]) -> Iterator[tuple[str, list[Hashable]]]:
    """Yield what is to be tested: clip, place, and each observable that neither of them explains."""
    yield "the clip", [subject.clip for subject in subjects]
    yield "the place in the session", [subject.place for subject in subjects]
    for name in _names(subjects):
        column = [subject.values.get(name, _ABSENT) for subject in subjects]
        if len(set(column)) > 1 and not any(
            _explained(column, [getattr(subject, key) for subject in subjects]) for key in ("clip", "place")
        ):
            yield name, column


def _explained(column: Sequence[Hashable], by: Sequence[Hashable]) -> bool:
    # With a clip or a place of its own for nearly every subject, anything would be explained.
    return len(set(by)) <= len(by) / 2 and len(set(zip(by, column, strict=True))) == len(set(by))


def _rules(column: Sequence[Hashable]) -> Iterator[tuple[str, tuple[bool, ...]]]:
    """Yield different ways to split a column in two, each with the words for it."""
    seen = set()
    for words, picked in _all_rules(column):
        if _LEAST_PICKED <= sum(picked) <= len(picked) - _LEAST_PICKED and picked not in seen:
            # A rule and its contrary are one split.
            seen |= {picked, tuple(not chosen for chosen in picked)}
            yield words, picked


def _all_rules(column: Sequence[Hashable]) -> Iterator[tuple[str, tuple[bool, ...]]]:
    numbers = [value for value in set(column) if isinstance(value, int | float) and not isinstance(value, bool)]
    for value in sorted(set(column), key=str):
        yield f"is {_short(value)}", tuple(entry == value for entry in column)
    for number in sorted(numbers):
        picked = tuple(entry in numbers and entry >= number for entry in map(_number_or_none, column))
        yield f"at least {number}", picked
    texts = [value for value in set(column) if isinstance(value, str)]
    for length in sorted({len(text) for text in texts}):
        yield f"length of {length} or more", tuple(isinstance(e, str) and len(e) >= length for e in column)
    for place in range(min(_LONGEST_TEXT, max(map(len, texts), default=0))):
        for letter in sorted({text[place] for text in texts if place < len(text)}):
            picked = tuple(isinstance(e, str) and e[place : place + 1] == letter for e in column)
            yield f"character {place + 1} is {letter!r}", picked


def _number_or_none(value: Hashable):
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _tail(total: int, members: int, drawn: int, hits: int) -> float:
    """Return the smaller tail of the hypergeometric distribution at `hits`."""
    low, high = max(0, drawn - (total - members)), min(drawn, members)
    ways = math.comb(total, drawn)

    def between(first: int, last: int) -> float:
        return sum(math.comb(members, k) * math.comb(total - members, drawn - k) for k in range(first, last + 1)) / ways

    return min(between(low, hits), between(hits, high))


def _short(value: Hashable) -> str:
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 80 else f"{text[:77]}…"
