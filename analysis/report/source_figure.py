"""Scores by source: how much the ranking hangs on the clip."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.drawing import (
    BLUE,
    COLUMN,
    FAINT,
    INK,
    LINE_STYLES,
    PALE,
    SMALLEST,
    Drawing,
    bare,
    drawing_of,
    label_ticks,
    plain_legend,
    printed,
)
from analysis.labels import shortened_apart

__all__ = ["draw_sources"]

_MOST_NAMED = 6
_LONGEST = 18
# Rows of the legend: the first column says what is drawn, the others which source is which.
_LEGEND_ROWS = 3


@printed
def draw_sources(
    by_source: pd.DataFrame, pooled: pd.DataFrame, *, reference: str | None = None, unit: str = "logit"
) -> Drawing:
    """A row for each condition: its score on each source around the pooled score; a column wide.

    by_source: a row per source and condition: source, condition, score (of the source's votes alone, drawn hollow) and
    shrunk (drawn filled); NaN, or a column that lacks, is not drawn. pooled: index condition in the order to draw;
    score, low, high. Up to six sources are told apart by shape and colour. Scores far out stand at the edge as
    arrowheads. unit: "logit" or "jod".
    """
    names = list(pooled.index)
    sources = sorted(by_source["source"].astype(str).unique())
    named = len(sources) <= _MOST_NAMED
    styles = {source: LINE_STYLES[k][:2] if named else (BLUE, "o") for k, source in enumerate(sources)}
    kinds = [kind for kind in ("shrunk", "score") if kind in by_source and by_source[kind].notna().any()]
    low, high = _range(by_source, pooled, kinds)
    lane = 0.16 if len(names) <= 12 else 0.13
    height = 0.55 + 0.14 * _LEGEND_ROWS + len(names) * (0.08 + lane * max(len(kinds), 1))
    figure = Figure(figsize=(COLUMN, height), layout="constrained")
    axes = figure.add_subplot()
    heights = dict(zip(names, np.arange(len(names))[::-1], strict=True))
    lanes = {kind: offset for kind, offset in zip(kinds, (0.2, -0.2) if len(kinds) == 2 else (0.0,), strict=True)}
    for condition, row in pooled.iterrows():
        height = heights[condition]
        axes.fill_between([row["low"], row["high"]], height - 0.42, height + 0.42, color="#dbe2e9", linewidth=0)
        axes.plot([row["score"]] * 2, [height - 0.42, height + 0.42], color=INK, linewidth=1.3, solid_capstyle="butt")
    for kind in kinds:
        for k, source in enumerate(sources):
            here = by_source[by_source["source"].astype(str) == source]
            here = here[here["condition"].isin(names) & here[kind].notna()]
            # Sources side by side in their lane: dots of one score do not hide each other.
            spread = (k / max(len(sources) - 1, 1) - 0.5) * 0.26
            y = here["condition"].astype(str).map(heights).to_numpy(dtype=float) + lanes[kind] - spread
            _dots(axes, here[kind].to_numpy(), y, (low, high), *styles[source], filled=kind == "shrunk")
    for height in range(1, len(names)):
        axes.axhline(height - 0.5, color=PALE, linewidth=0.6, zorder=0)
    if reference is not None and reference in pooled.index:
        axes.axvline(pooled.loc[reference, "score"], color=FAINT, linewidth=1, linestyle=(0, (4, 3)), zorder=0)
    label_ticks(axes.yaxis, np.array(list(heights.values())), names, longest=_LONGEST)
    axes.set(xlim=(low, high), ylim=(-0.5, len(names) - 0.5))
    axes.tick_params(axis="y", length=0)
    bare(axes, "top", "right", "left")
    axes.locator_params(axis="x", nbins=6)
    axes.set_xlabel(f"score in {'JOD' if unit == 'jod' else 'logits'}", fontsize=SMALLEST)
    handles = _handles(styles if named else {}, kinds, len(sources))
    plain_legend(figure, handles, columns=len(handles) // _LEGEND_ROWS)
    return drawing_of(figure, "sources")


def _range(by_source: pd.DataFrame, pooled: pd.DataFrame, kinds: list[str]) -> tuple[float, float]:
    """Ends of the axis: all pooled and shrunk scores, and nearly all of the others."""
    values = [pooled[["low", "high"]].to_numpy().ravel()]
    if "shrunk" in kinds:
        values.append(by_source["shrunk"].dropna().to_numpy())
    if "score" in kinds:
        values.append(np.nanquantile(by_source["score"], [0.03, 0.97]))
    ends = np.concatenate(values)
    low, high = np.nanmin(ends), np.nanmax(ends)
    margin = 0.05 * (high - low) or 0.5
    return float(low - margin), float(high + margin)


def _dots(axes, x, y, ends: tuple[float, float], colour: str, marker: str, *, filled: bool) -> None:
    look = {"color": colour, "linestyle": "none", "markersize": 2.6, "markeredgewidth": 0.6}
    look["markerfacecolor"] = colour if filled else "white"
    inside = (x >= ends[0]) & (x <= ends[1])
    axes.plot(x[inside], y[inside], marker, **look)
    for beyond, arrow, end in ((x < ends[0], "<", ends[0]), (x > ends[1], ">", ends[1])):
        # An empty line that is not clipped takes room at the bottom.
        if beyond.any():
            axes.plot(np.full(beyond.sum(), end), y[beyond], arrow, clip_on=False, **look)


def _handles(styles: dict, kinds: list[str], sources: int) -> list[Line2D]:
    words = {"shrunk": f"one of {sources}, shrunk", "score": "its own votes alone"}
    handles = [Line2D([], [], color=INK, marker="|", markersize=7, markeredgewidth=1.3, linestyle="none")]
    handles[0].set_label("all sources, interval")
    for kind in kinds:
        face = BLUE if kind == "shrunk" else "white"
        handles.append(Line2D([], [], color=BLUE, marker="o", markersize=3, markerfacecolor=face, linestyle="none"))
        handles[-1].set_label(words[kind])
    handles += _blanks(handles)
    labels = shortened_apart(styles, 20 if len(styles) <= _LEGEND_ROWS else 9)
    for label, (colour, marker) in zip(labels, styles.values(), strict=True):
        handles.append(Line2D([], [], color=colour, marker=marker, markersize=3.5, linestyle="none", label=label))
    return handles + _blanks(handles)


def _blanks(handles: list) -> list[Line2D]:
    """What fills the last column of a legend up."""
    return [Line2D([], [], linestyle="none", label=" ")] * (-len(handles) % _LEGEND_ROWS)
