"""The arithmetic of the dashboard: shares with intervals, agreement, histograms, bins of time and the present pace."""

import math
import re
import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

__all__ = [
    "Histogram",
    "Share",
    "TimeBins",
    "agreement",
    "bins_of_time",
    "histogram",
    "kind_of_reason",
    "people_needed",
    "ranked_counts",
    "share",
    "votes_per_hour",
]

# Of the normal distribution, for intervals of 95 %.
_QUANTILE = 1.959964
_WIDTHS = tuple(
    timedelta(minutes=minutes) for minutes in (1, 5, 15, 30, 60, 180, 360, 720, 1440, 2880, 10_080, 43_200, 129_600)
)
_MOST_BINS = 32
# The pace is that of the shortest of these spans with so many votes.
_SPANS = tuple(timedelta(hours=hours) for hours in (1, 6, 24, 168))
_LEAST_VOTES = 20


@dataclass(frozen=True)
class Share:
    """`hits` of `total`, with the bounds of its 95 % interval."""

    hits: float
    total: int
    low: float
    high: float

    @property
    def value(self) -> float:
        return self.hits / self.total


def share(people: Iterable[tuple[float, int]]) -> Share | None:
    """Return the share over all people's (hits, answers), None without an answer.

    Wilson's interval at the number of independent answers that would vary as much as the people do: the answers of
    one person hang together.
    """
    people = [(hits, total) for hits, total in people if total]
    hits, total = sum(hits for hits, _ in people), sum(total for _, total in people)
    if not total:
        return None
    value, count = hits / total, float(total)
    if len(people) > 1 and 0 < value < 1:
        spread = sum((h - value * n) ** 2 for h, n in people) * len(people) / (len(people) - 1) / total**2
        count = min(count, value * (1 - value) / spread) if spread else count
    square = _QUANTILE**2 / count
    centre = (value + square / 2) / (1 + square)
    half = _QUANTILE / (1 + square) * math.sqrt(value * (1 - value) / count + square / (4 * count))
    return Share(hits, total, max(0.0, centre - half), min(1.0, centre + half))


def agreement(answers: Iterable[Sequence[str]]) -> Share | None:
    """Return how often two people gave the same answer to the same pair, over all pairs and all twos of people.

    answers: for each pair, what each person said. Its interval takes pairs as what varies.
    """
    return share(
        (sum(math.comb(count, 2) for count in Counter(given).values()), math.comb(len(given), 2)) for given in answers
    )


@dataclass(frozen=True)
class Histogram:
    """Counts between equal steps from 0: counts[i] from i * step to (i + 1) * step; the last holds all above."""

    step: float
    counts: tuple[int, ...]
    median: float
    largest: float

    @property
    def overflows(self) -> bool:
        return self.largest > self.step * len(self.counts)


def histogram(values: Sequence[float], *, reach: float = 0) -> Histogram | None:
    """Return a histogram of values from 0 that shows 98 in 100 of them, and `reach`, in round steps.

    The more values, the more bars, 24 at most. None without values.
    """
    if not values:
        return None
    ordered = sorted(values)
    bars = max(8, min(24, math.ceil(2 * math.sqrt(len(ordered)))))
    shown = max(ordered[math.ceil(0.98 * len(ordered)) - 1], reach)
    step = _round_step(shown / bars)
    size = min(bars, max(1, math.ceil(shown / step))) if shown else 1
    counts = [0] * size
    for value in ordered:
        counts[min(int(value / step), size - 1)] += 1
    return Histogram(step, tuple(counts), statistics.median(ordered), ordered[-1])


def _round_step(least: float) -> float:
    """Return 1, 2 or 5 times a power of ten, not below `least`."""
    if least <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(least))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least * (1 - 1e-9))


@dataclass(frozen=True)
class TimeBins:
    """Counts over time by kind: counts[kind][i] between start + i * width and the next."""

    start: datetime
    width: timedelta
    counts: dict[str, tuple[int, ...]]

    @property
    def length(self) -> int:
        return max(map(len, self.counts.values()))


def bins_of_time(moments: dict[str, Sequence[datetime]], kinds: Sequence[str]) -> TimeBins | None:
    """Return the moments of each kind in bins of a round width, at most 32; None where there is no moment."""
    known = [moment for kind in kinds for moment in moments.get(kind, ())]
    if not known:
        return None
    first, last = min(known), max(known)
    for width in _WIDTHS:
        start = _floor(first, width)
        if (last - start) // width < _MOST_BINS:
            break
    length = (last - start) // width + 1
    counts = {kind: [0] * length for kind in kinds}
    for kind in kinds:
        for moment in moments.get(kind, ()):
            counts[kind][(moment - start) // width] += 1
    return TimeBins(start, width, {kind: tuple(row) for kind, row in counts.items()})


def _floor(moment: datetime, width: timedelta) -> datetime:
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + (moment - midnight) // width * width


def votes_per_hour(moments: Sequence[datetime], now: datetime) -> float | None:
    """Return the present pace: votes per hour in the last hour, or, where those are fewer than 20, in the last 6, 24
    or 168 hours; None where even those are fewer. A study younger than the span is measured over its own age.
    """
    if not moments:
        return None
    age = now - min(moments)
    for span in _SPANS:
        recent = sum(now - moment <= span for moment in moments)
        if recent >= _LEAST_VOTES:
            seconds = max(min(span, age).total_seconds(), 60.0)
            return 3600 * recent / seconds
    return None


def people_needed(missing: Sequence[int], votes_per_person: float) -> int:
    """Return how many more people must finish to fill these gaps of pairs; nobody gives two votes on one pair."""
    if not any(missing):
        return 0
    return max(max(missing), math.ceil(sum(missing) / votes_per_person - 1e-9))


def ranked_counts(items: Iterable[str]) -> tuple[tuple[str, int], ...]:
    """Return how often each item occurs, most first."""
    return tuple(sorted(Counter(items).items(), key=lambda item: (-item[1], item[0])))


def kind_of_reason(reason: str) -> str:
    """Return a reason without its numbers and sides, so that reasons of one kind are counted together."""
    plain = re.sub(r"\s*\([^()]*\)", "", reason)
    plain = re.sub(r"\b(?:the )?(?:left|right)\b(?! side)", "one side", plain)
    plain = re.sub(r"\bthe (?:left|right) side\b", "one side", plain)
    return re.sub(r"\d+(?:[.,]\d+)*", "…", plain)
