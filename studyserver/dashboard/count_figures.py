"""Pictures of counts: bars by name, columns over time, the growth towards the quota, and histograms."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.safestring import SafeString

from studyserver.dashboard.numbers import Histogram, TimeBins
from studyserver.dashboard.svg import Picture, round_ticks, shortened

__all__ = ["Bar", "bars_svg", "columns_svg", "growth_svg", "histogram_svg", "moment_text"]

_WIDTH = 480
_LEFT, _RIGHT = 44, 468
_MOST_POINTS = 240


@dataclass(frozen=True)
class Bar:
    """A bar: `part` ones belong to the bar above them and are drawn smaller."""

    label: str
    value: int
    css: str = "blue"
    part: bool = False


def bars_svg(bars: Sequence[Bar], title: str, *, total: int, above: bool = False) -> SafeString:
    """Bars with their counts and shares of `total`; `above` writes long labels above their bars."""
    heights = [20 if bar.part else 42 if above else 28 for bar in bars]
    picture = Picture(_WIDTH, sum(heights) + 4, title)
    largest = max((bar.value for bar in bars), default=0) or 1
    left = 1 if above else 176
    room = _WIDTH - left - 116
    y = 0
    for bar, height in zip(bars, heights, strict=True):
        words = f"{bar.value}{_share(bar, total)}"
        thick = 9 if bar.part else 17
        top = y + 20 if above else y + (height - thick) / 2
        base = top + thick / 2 + 4
        if above:
            picture.text(left, y + 15, shortened(bar.label, 76))
        else:
            label = shortened(bar.label, 25)
            picture.text(left - 10, base, label, "small soft" if bar.part else "", anchor="end")
        picture.rect(left, top, 1, thick, "axis")
        picture.rect(left, top, room * bar.value / largest, thick, bar.css, tip=f"{bar.label}: {words}")
        css = "small soft" if bar.part else "strong" if bar.value else "soft"
        picture.text(left + room * bar.value / largest + 7, base, words, css)
        y += height
    return picture.markup()


def _share(bar: Bar, total: int) -> str:
    if bar.part or not total:
        return ""
    share = 100 * bar.value / total
    return " (under 1 %)" if 0 < share < 0.5 else f" ({share:.0f} %)"


def columns_svg(bins: TimeBins, colours: dict[str, str], title: str) -> SafeString:
    """Columns over time, stacked by kind in the order of `colours` (kind -> css)."""
    picture = Picture(_WIDTH, 220, title)
    low, high = 186, 34
    totals = [sum(row[i] for row in bins.counts.values()) for i in range(bins.length)]
    largest = max(totals)
    _level_lines(picture, largest, low, high)
    step = (_RIGHT - _LEFT) / bins.length
    for i in range(bins.length):
        y = low
        begins = moment_text(bins.start + i * bins.width, bins.width)
        for kind, css in colours.items():
            count = bins.counts[kind][i]
            height = (low - high) * count / largest
            y -= height
            if count:
                x = _LEFT + i * step
                gap = min(1.5, step / 6)
                picture.rect(x + gap, y, step - 2 * gap, height, css, tip=f"{begins}: {count} {kind}")
    picture.line(_LEFT, low, _RIGHT, low, "axis")
    _time_labels(picture, bins.start, bins.start + bins.length * bins.width, low + 17)
    picture.legend(0, 14, [(css, f"{kind} {sum(bins.counts[kind])}") for kind, css in colours.items()])
    return picture.markup()


def growth_svg(
    moments: Sequence[datetime], quota: int, now: datetime, full_in: timedelta | None, title: str
) -> SafeString:
    """Votes that count, added up over time, against the quota; dashed: how they go on at the present pace."""
    picture = Picture(_WIDTH, 220, title)
    low, high = 186, 34
    begin = moments[0]
    elapsed = max(now - begin, timedelta(minutes=1))
    # A forecast far beyond what has been seen would squeeze the rest into a corner.
    shown = min(full_in, elapsed) if full_in else elapsed / 20
    span = (elapsed + shown).total_seconds()
    top = max(quota, len(moments))

    def place(moment: datetime, votes: float) -> tuple[float, float]:
        return _LEFT + (_RIGHT - _LEFT) * (moment - begin).total_seconds() / span, low - (low - high) * votes / top

    _level_lines(picture, top, low, high)
    every = max(1, len(moments) // _MOST_POINTS)
    chosen = [*range(0, len(moments) - 1, every), len(moments) - 1]
    points = [place(begin, 0)]
    for i in chosen:
        x, y = place(moments[i], i + 1)
        points += [(x, points[-1][1]), (x, y)]
    points.append(place(now, len(moments)))
    picture.area([*points, place(now, 0), place(begin, 0)], "blue faint")
    picture.path(points, "line blue")
    if full_in:
        reached = len(moments) + (quota - len(moments)) * (shown / full_in)
        picture.path([place(now, len(moments)), place(now + shown, reached)], "line dashed")
    quota_y = place(begin, quota)[1]
    picture.line(_LEFT, quota_y, _RIGHT, quota_y, "rule")
    picture.text(_RIGHT, quota_y - 6, f"quota {quota}", "soft", anchor="end")
    picture.line(_LEFT, low, _RIGHT, low, "axis")
    _time_labels(picture, begin, begin + elapsed + shown, low + 17)
    return picture.markup()


def histogram_svg(
    histogram: Histogram, unit: str, title: str, *, marks: Sequence[tuple[str, float]] = ()
) -> SafeString:
    """Counts per step with a line at the median and at each of `marks` (name, value)."""
    picture = Picture(_WIDTH, 196, title)
    low, high = 152, 42
    _level_lines(picture, max(histogram.counts), low, high)
    size = len(histogram.counts)
    step = (_RIGHT - _LEFT) / size
    for i, count in enumerate(histogram.counts):
        height = (low - high) * count / max(histogram.counts)
        last = i == size - 1 and histogram.overflows
        upper = "and more" if last else f"to {(i + 1) * histogram.step:g}"
        tip = f"{i * histogram.step:g} {upper} {unit}: {count}"
        picture.rect(_LEFT + i * step + 0.75, low - height, step - 1.5, height, "blue", tip=tip)
    picture.line(_LEFT, low, _RIGHT, low, "axis")
    reach = size * histogram.step
    for value in round_ticks(0, reach, 6):
        more = "+" if histogram.overflows and value == reach else ""
        picture.text(_LEFT + (_RIGHT - _LEFT) * value / reach, low + 16, f"{value:g}{more}", "small", anchor="middle")
    picture.text(_RIGHT, low + 34, unit, "small soft", anchor="end")
    for row, (name, value) in enumerate([("median", histogram.median), *marks]):
        x = _LEFT + (_RIGHT - _LEFT) * min(value / reach, 1)
        picture.line(x, 12 + 14 * row, x, low, "rule")
        side = ("end", -5) if x > (_LEFT + _RIGHT) / 2 else ("start", 5)
        picture.text(x + side[1], 20 + 14 * row, f"{name} {value:.3g}", "strong halo", anchor=side[0])
    return picture.markup()


def moment_text(moment: datetime, width: timedelta = timedelta(minutes=1)) -> str:
    """A moment as exact as bins of `width` need."""
    form = "%d %b" if width >= timedelta(days=1) else "%d %b %H:%M"
    return f"{timezone.localtime(moment):{form}}".lstrip("0")


def _level_lines(picture: Picture, largest: float, low: float, high: float) -> None:
    for value in round_ticks(0, largest, 4):
        if value != int(value):
            continue
        y = low - (low - high) * value / largest
        picture.line(_LEFT, y, _RIGHT, y, "grid")
        picture.text(_LEFT - 7, y + 4, f"{value:g}", "small soft", anchor="end")


def _time_labels(picture: Picture, begin: datetime, end: datetime, y: float) -> None:
    width = timedelta(days=1) if end - begin > timedelta(days=3) else timedelta(minutes=1)
    for share, anchor in ((0, "start"), (0.5, "middle"), (1, "end")):
        words = moment_text(begin + (end - begin) * share, width)
        picture.text(_LEFT + (_RIGHT - _LEFT) * share, y, words, "small soft", anchor=anchor)
