"""Pictures of conditions: votes per pair as a triangle and source by source, the ranking, and the shares of answers."""

import math
from collections import defaultdict
from collections.abc import Sequence
from itertools import combinations

from django.utils.safestring import SafeString

from studyserver.dashboard.svg import Picture, round_ticks, shortened
from studyserver.selectors import AnswerShare, PairVotes, Ranking

__all__ = ["forest_svg", "percent", "shares_svg", "signed", "sources_svg", "triangle_svg", "votes_by_conditions"]

_WIDTH = 480


def triangle_svg(pairs: Sequence[PairVotes], title: str) -> SafeString:
    """Votes of each pair of conditions over all sources, against their quota.

    Each name stands at the end of its row and on top of its column. The bar below a number is the filled share, with
    what is pending in a lighter colour; it is counted source by source, so that more votes on one source fill no other.
    """
    labels, sums = votes_by_conditions(pairs)
    cell, row = 62, 40
    picture = Picture(cell * len(labels) + 120, row * len(labels) + 4, title)
    for i, label in enumerate(labels):
        picture.text(i * cell + 6, i * row + 26, shortened(label, 18), "strong")
        for j in range(i):
            of_pair = sums.get((labels[j], label))
            if of_pair is None:
                continue
            votes, pending, quota, filled, coming = of_pair
            x, y = j * cell + 1, i * row + 1
            tip = f"{labels[j]} – {label}: {votes} of {quota} votes" + (f", {pending} pending" if pending else "")
            picture.rect(x, y, cell - 2, row - 2, "blue tint", tip=tip, **{"fill-opacity": _tint(filled / quota)})
            picture.text(x + cell / 2 - 1, y + 17, str(votes), "strong", anchor="middle")
            picture.text(x + cell / 2 - 1, y + 28, f"of {quota}", "tiny soft", anchor="middle")
            picture.rect(x, y + row - 7, cell - 2, 5, "track")
            picture.rect(x, y + row - 7, (cell - 2) * (filled + coming) / quota, 5, "sky")
            picture.rect(x, y + row - 7, (cell - 2) * filled / quota, 5, "blue")
    return picture.markup()


def votes_by_conditions(pairs: Sequence[PairVotes]) -> tuple[list[str], dict[tuple[str, str], list[int]]]:
    """Return the conditions in order, and by two of them: votes, pending, quota, and both as far as they fill it."""
    labels = sorted({label for pair in pairs for label in (pair.first, pair.second)}, key=_reference_first)
    sums: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0] * 5)
    for pair in pairs:
        filled = min(pair.votes, pair.quota)
        numbers = (pair.votes, pair.pending, pair.quota, filled, min(pair.pending, pair.missing))
        key = tuple(sorted((pair.first, pair.second), key=_reference_first))
        sums[key] = [total + number for total, number in zip(sums[key], numbers, strict=True)]
    return labels, dict(sums)


def _reference_first(label: str) -> tuple[bool, str]:
    return label != "reference", label


def _tint(share: float) -> float:
    """Opacity of a cell: its number stays readable in both themes."""
    return 0.04 + 0.36 * min(share, 1)


def sources_svg(pairs: Sequence[PairVotes], title: str) -> SafeString:
    """Votes of each pair on each source: sources in rows, pairs of conditions in columns."""
    labels, sums = votes_by_conditions(pairs)
    columns = [key for key in combinations(labels, 2) if key in sums]
    sources = sorted({pair.source for pair in pairs})
    votes = {(p.source, *sorted((p.first, p.second), key=_reference_first)): p for p in pairs}
    digits = max(len(str(max(pair.votes, pair.quota))) for pair in pairs)
    cell, row = max(20, 9 + 7 * digits), 20
    left, top = 132, 118
    picture = Picture(left + cell * len(columns) + 84, top + row * len(sources) + 2, title)
    for j, (first, second) in enumerate(columns):
        x = left + (j + 0.5) * cell
        picture.text(x + 3, top - 6, f"{shortened(first, 11)} – {shortened(second, 11)}", "tiny", turn=-52)
    for i, source in enumerate(sources):
        y = top + i * row
        picture.text(left - 8, y + 14, shortened(source, 19), "small", anchor="end")
        for j, (first, second) in enumerate(columns):
            pair = votes.get((source, first, second))
            if pair is None:
                continue
            tip = f"{source}, {first} – {second}: {pair.votes} of {pair.quota} votes, {pair.pending} pending"
            x = left + j * cell
            share = pair.votes / pair.quota
            picture.rect(x + 0.5, y + 0.5, cell - 1, row - 1, "blue", tip=tip, **{"fill-opacity": _tint(share)})
            picture.text(
                x + cell / 2, y + 14, str(pair.votes), "tiny strong" if pair.missing else "tiny soft", anchor="middle"
            )
            if not pair.votes:
                picture.rect(x + 2, y + 2, cell - 4, row - 4, "alarm")
    return picture.markup()


def forest_svg(ranking: Ranking, title: str) -> SafeString:
    """Scores with their intervals, the most preferred on top; thin lines hold for new sources too."""
    rows = ranking.conditions
    left, right, step, top = 132, 340, 30, 26
    low_y = top + step * len(rows)
    picture = Picture(_WIDTH, low_y + 44, title)
    lows = [row.low if row.low_new is None else row.low_new for row in rows]
    highs = [row.high if row.high_new is None else row.high_new for row in rows]
    least, most = min(lows), max(highs)
    margin = 0.04 * (most - least)
    least, most = least - margin, most + margin

    def place(score: float) -> float:
        return left + (right - left) * (score - least) / (most - least)

    for value in round_ticks(least, most, 4):
        picture.line(place(value), top, place(value), low_y, "grid")
        picture.text(
            place(value), low_y + 16, signed(value, 1) if round(value, 1) else "0", "small soft", anchor="middle"
        )
    picture.line(left, low_y, right, low_y, "axis")
    picture.text(left, low_y + 36, "score in logits; further right: preferred more often", "small soft")
    picture.text(right + 12, 14, "score [95 % interval]", "small soft")
    for i, row in enumerate(rows):
        y = top + (i + 0.5) * step
        reference = row.label == "reference"
        css = "ink" if reference else "blue"
        numbers = f"{signed(row.score)} [{signed(row.low)}, {signed(row.high)}]"
        if reference:
            picture.line(place(row.score), top, place(row.score), low_y, "rule")
        picture.text(left - 10, y + 4, shortened(row.label, 19), "strong" if reference else "", anchor="end")
        if row.low_new is not None:
            picture.line(place(row.low_new), y, place(row.high_new), y, f"thin {css}")
        picture.line(place(row.low), y, place(row.high), y, f"thick {css}")
        mark = picture.diamond if reference else picture.dot
        mark(place(row.score), y, 6 if reference else 5.5, f"mark {css}", tip=f"{row.label}: {numbers}")
        picture.text(right + 12, y + 4, numbers, "small")
    return picture.markup()


def shares_svg(answers: Sequence[AnswerShare], title: str) -> SafeString:
    """Shares from 0 to 100 % with intervals: filled for people whose votes count, hollow for everybody."""
    left, right, step, top = 152, 322, 40, 28
    low_y = top + step * len(answers)
    picture = Picture(_WIDTH, low_y + 24, title)
    picture.dot(left + 6, 10, 5, "mark blue")
    picture.text(left + 16, 14, "people whose votes count", "small soft")
    picture.dot(left + 186, 10, 5, "mark hollow")
    picture.text(left + 196, 14, "everybody", "small soft")
    for value in (0, 25, 50, 75, 100):
        x = left + (right - left) * value / 100
        picture.line(x, top, x, low_y, "grid")
        picture.text(x, low_y + 16, f"{value} %", "small soft", anchor="middle")
    for i, answer in enumerate(answers):
        y = top + (i + 0.5) * step
        picture.text(left - 10, y + 4, answer.name, anchor="end")
        if answer.chance is not None and answer.everybody is not None:
            x = left + (right - left) * answer.chance
            picture.line(x, y - 16, x, y + 16, "rule", tip=f"by chance {percent(answer.chance)}")
        for share, at, css in ((answer.counted, y - 7, "blue"), (answer.everybody, y + 7, "hollow")):
            if share is None:
                continue
            low, high, middle = (left + (right - left) * value for value in (share.low, share.high, share.value))
            tip = f"{answer.name}: {percent(share.value)}, interval {percent(share.low)} to {percent(share.high)}"
            picture.line(low, at, high, at, f"thick {css}")
            picture.dot(middle, at, 5, f"mark {css}", tip=tip)
            words = f"{percent(share.value)} ({share.hits:g} of {share.total})"
            picture.text(right + 14, at + 4, words, "small" if css == "blue" else "small soft")
        if answer.everybody is None:
            picture.text(right + 14, y + 4, "no answers", "small soft")
    return picture.markup()


def percent(share: float) -> str:
    """0.414 -> "41 %", and 0.9996 -> "99.9 %": what is not quite all does not read as all."""
    number = f"{math.floor(1000 * share) / 10:.1f}" if 0.99 < share < 1 else f"{100 * share:.0f}"
    return f"{number}\N{NO-BREAK SPACE}%"


def signed(value: float, digits: int = 2) -> str:
    """So many digits after the point, with its sign."""
    # Adding zero takes the sign off a negative zero.
    return f"{round(value, digits) + 0.0:+.{digits}f}".replace("-", "\N{MINUS SIGN}")
