"""Figures of a ranking as SVG text."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from analysis.drawing import BLUE, FAINT, INK, draw_cells, label_ticks, signed, styled, svg_text

__all__ = ["forest_svg", "preference_svg"]


@styled
def forest_svg(ranking: pd.DataFrame, *, reference: str | None, level: float) -> str:
    """Scores with their intervals, best on top.

    ranking: as `BradleyTerryResult.to_frame()`; reference: the condition drawn as a diamond on a dashed line.
    """
    count = len(ranking)
    figure = Figure(figsize=(7.4, 1.15 + 0.36 * count), layout="constrained")
    axes = figure.add_subplot()
    heights = np.arange(count)[::-1]
    if reference is not None:
        axes.axvline(ranking.loc[reference, "score"], color=FAINT, linewidth=1, linestyle=(0, (4, 3)), zorder=0)
    for height, (condition, row) in zip(heights, ranking.iterrows(), strict=True):
        is_reference = condition == reference
        colour = INK if is_reference else BLUE
        axes.plot([row["low"], row["high"]], [height, height], color=colour, linewidth=2.2, solid_capstyle="round")
        face = "white" if is_reference else colour
        marker = "D" if is_reference else "o"
        axes.plot(
            row["score"],
            height,
            marker,
            markersize=7,
            markerfacecolor=face,
            markeredgecolor=colour,
            markeredgewidth=1.6,
        )
        numbers = f"{signed(row['score'])}  [{signed(row['low'])}, {signed(row['high'])}]"
        axes.annotate(
            numbers,
            (1.02, height),
            xycoords=("axes fraction", "data"),
            va="center",
            fontsize=8.5,
            annotation_clip=False,
        )
    label_ticks(axes.yaxis, heights, ranking.index)
    axes.annotate(
        f"score  [{100 * level:g} % interval]",
        (1.02, count - 0.35),
        xycoords=("axes fraction", "data"),
        fontsize=8,
        color="#5b6770",
    )
    axes.set_ylim(-0.6, count - 0.4)
    axes.margins(x=0.08)
    axes.tick_params(axis="y", length=0)
    axes.xaxis.grid(True, color="#eef1f4", linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    meaning = "preferred more often" + (" (less visible)" if reference is not None else "")
    axes.set_xlabel(f"score in logits; further right: {meaning}")
    return svg_text(figure, "forest")


@styled
def preference_svg(probabilities: pd.DataFrame, clear: pd.DataFrame) -> str:
    """Heat map of P(row preferred over column) in percent.

    probabilities: (n, n) in the order to draw; clear: (n, n) bool, True where the two differ clearly (drawn bold).
    """
    count = len(probabilities)
    values = 100 * probabilities.to_numpy()
    side = max(3.4, 1.9 + 0.5 * count)
    figure = Figure(figsize=(side + 0.6, side - 0.5), layout="constrained")
    axes = figure.add_subplot()
    shown = np.where(np.eye(count, dtype=bool), np.nan, values - 50)
    draw_cells(axes, shown, [[f"{value:.0f}" for value in row] for row in values], limit=50, bold=clear.to_numpy())
    axes.set_aspect("equal")
    label_ticks(axes.yaxis, np.arange(count), probabilities.index)
    label_ticks(axes.xaxis, np.arange(count), probabilities.columns, slanted=True)
    axes.set_xlabel("… over this one", fontsize=8.5)
    axes.set_ylabel("votes for this one …", fontsize=8.5)
    return svg_text(figure, "preference")
