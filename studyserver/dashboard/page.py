"""What the dashboard's page is made of, and how it writes numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.utils.safestring import SafeString

from studyserver.dashboard.count_figures import Bar, bars_svg, histogram_svg
from studyserver.dashboard.numbers import Histogram

__all__ = [
    "Figure",
    "Numbers",
    "Panel",
    "Tile",
    "bars_figure",
    "counted",
    "duration_text",
    "histogram_figure",
    "thousands",
]


@dataclass(frozen=True)
class Numbers:
    """A table of text cells: what a picture shows, for those who read it or copy from it."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Figure:
    """A picture with its table; either may be missing. `open`: the table stands there without being asked for."""

    caption: str
    svg: SafeString | str = ""
    numbers: Numbers | None = None
    open: bool = False


@dataclass(frozen=True)
class Panel:
    """A part of the page; `wide` ones take a whole row."""

    title: str
    figures: tuple[Figure, ...] = ()
    sentences: tuple[str, ...] = ()
    wide: bool = False


@dataclass(frozen=True)
class Tile:
    """One large number with its meaning; `share` is drawn as a bar."""

    title: str
    value: str
    note: str
    share: float | None = None


def duration_text(duration: timedelta) -> str:
    """A duration in minutes at most as exact as matters: days and hours, or hours and minutes."""
    minutes = max(1, round(duration.total_seconds() / 60))
    if minutes < 48 * 60:
        units = ((minutes // 60, "h"), (minutes % 60, "min"))
    else:
        days, hours = divmod(round(minutes / 60), 24)
        units = ((days, "d"), (hours, "h"))
    return " ".join(f"{thousands(number)}\N{NO-BREAK SPACE}{unit}" for number, unit in units if number)


def bars_figure(caption: str, rows: Sequence[tuple[str, int]], css: str, total: int, *, above: bool = False) -> Figure:
    """Bars by name (long names `above` them), those after the eighth together, with a table of all."""
    bars = [Bar(name, count, css) for name, count in rows[:8]]
    if others := sum(count for _, count in rows[8:]):
        bars.append(Bar("others", others, css))
    numbers = Numbers(("what", "how many"), tuple((name, str(count)) for name, count in rows))
    return Figure(caption, bars_svg(bars, caption, total=total, above=above), numbers)


def histogram_figure(caption: str, histogram: Histogram, unit: str, *marks: tuple[str, float]) -> Figure:
    """A histogram with lines at `marks` (name, value), with a table of its steps."""
    steps = enumerate(histogram.counts)
    rows = tuple((f"{i * histogram.step:g} to {(i + 1) * histogram.step:g}", str(count)) for i, count in steps if count)
    if histogram.overflows:
        rows = (*rows[:-1], (f"{(len(histogram.counts) - 1) * histogram.step:g} and more", rows[-1][1]))
    return Figure(caption, histogram_svg(histogram, unit, caption, marks=marks), Numbers((unit, "how many"), rows))


def counted(number: int, noun: str) -> str:
    """3, "pair" -> "3 pairs"."""
    return f"{thousands(number)} {noun}{'' if number == 1 else 's'}"


def thousands(number: int) -> str:
    """12000 -> "12 000"."""
    return f"{number:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")
