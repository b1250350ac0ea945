"""Scores by source: how much the ranking hangs on the clip."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.drawing import (
    BLUE,
    FAINT,
    INK,
    LINE_STYLES,
    PALE,
    Drawing,
    bare,
    drawing_of,
    label_ticks,
    plain_legend,
    shortened_apart,
    styled,
)

__all__ = ["draw_sources"]

_MOST_NAMED = 6


@styled
def draw_sources(
    by_source: pd.DataFrame, pooled: pd.DataFrame, *, reference: str | None = None, unit: str = "logit"
) -> Drawing:
    """A row for each condition: its score on each source around the pooled score.

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
    legend_rows = 1 + (-(-len(sources) // 3) if named else 0)
    lane = 0.2 if len(names) <= 12 else 0.15
    figure = Figure(
        figsize=(6.6, 0.75 + 0.2 * legend_rows + len(names) * (0.12 + lane * max(len(kinds), 1))), layout="constrained"
    )
    axes = figure.add_subplot()
    heights = dict(zip(names, np.arange(len(names))[::-1], strict=True))
    lanes = {kind: offset for kind, offset in zip(kinds, (0.2, -0.2) if len(kinds) == 2 else (0.0,), strict=True)}
    for condition, row in pooled.iterrows():
        height = heights[condition]
        axes.fill_between([row["low"], row["high"]], height - 0.42, height + 0.42, color="#dbe2e9", linewidth=0)
        axes.plot([row["score"]] * 2, [height - 0.42, height + 0.42], color=INK, linewidth=1.8, solid_capstyle="butt")
    for kind in kinds:
        for k, source in enumerate(sources):
            here = by_source[by_source["source"].astype(str) == source]
            here = here[here["condition"].isin(names) & here[kind].notna()]
            # Sources side by side in their lane: dots of one score do not hide each other.
            spread = (k / max(len(sources) - 1, 1) - 0.5) * 0.26
            y = here["condition"].astype(str).map(heights).to_numpy(dtype=float) + lanes[kind] - spread
            _dots(axes, here[kind].to_numpy(), y, (low, high), *styles[source], filled=kind == "shrunk")
    for height in range(1, len(names)):
        axes.axhline(height - 0.5, color=PALE, linewidth=0.8, zorder=0)
    if reference is not None and reference in pooled.index:
        axes.axvline(pooled.loc[reference, "score"], color=FAINT, linewidth=1.2, linestyle=(0, (4, 3)), zorder=0)
    label_ticks(axes.yaxis, np.array(list(heights.values())), names)
    axes.set(xlim=(low, high), ylim=(-0.5, len(names) - 0.5))
    axes.tick_params(axis="y", length=0)
    bare(axes, "top", "right", "left")
    axes.set_xlabel(f"score in {'JOD' if unit == 'jod' else 'logits'}")
    plain_legend(figure, _handles(styles if named else {}, kinds, len(sources)), columns=3)
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
    look = {"color": colour, "linestyle": "none", "markersize": 3.6, "markeredgewidth": 0.8}
    look["markerfacecolor"] = colour if filled else "white"
    inside = (x >= ends[0]) & (x <= ends[1])
    axes.plot(x[inside], y[inside], marker, **look)
    for beyond, arrow, end in ((x < ends[0], "<", ends[0]), (x > ends[1], ">", ends[1])):
        # An empty line that is not clipped takes room at the bottom.
        if beyond.any():
            axes.plot(np.full(beyond.sum(), end), y[beyond], arrow, clip_on=False, **look)


def _handles(styles: dict, kinds: list[str], sources: int) -> list[Line2D]:
    words = {"shrunk": f"each of {sources} sources, drawn towards all", "score": "by its own votes alone"}
    handles = [Line2D([], [], color=INK, marker="|", markersize=9, markeredgewidth=1.8, linestyle="none")]
    handles[0].set_label("all sources, with interval")
    for kind in kinds:
        face = BLUE if kind == "shrunk" else "white"
        handles.append(Line2D([], [], color=BLUE, marker="o", markersize=4, markerfacecolor=face, linestyle="none"))
        handles[-1].set_label(words[kind])
    for label, (colour, marker) in zip(shortened_apart(styles, 20), styles.values(), strict=True):
        handles.append(Line2D([], [], color=colour, marker=marker, markersize=5, linestyle="none", label=label))
    return handles
