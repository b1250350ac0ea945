"""Forest plot: scores with their intervals and numbers, best on top."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.drawing import (
    BLUE,
    COLUMN,
    FAINT,
    INK,
    PALE,
    SMALLEST,
    SOFT,
    Drawing,
    bare,
    drawing_of,
    label_ticks,
    plain_legend,
    printed,
    signed,
)

__all__ = ["draw_forest"]

_LONGEST = 18


@printed
def draw_forest(
    ranking: pd.DataFrame,
    *,
    reference: str | None,
    level: float,
    unit: str = "logit",
    main: str = "sources and participants",
    narrow: str = "participants alone",
) -> Drawing:
    """Scores with their intervals in the order of the rows, the first on top; a column wide.

    ranking: index condition; score, low, high, and low_narrow, high_narrow where a second interval, that holds for
    less, is drawn as a thick line upon the thin one. main, narrow: what the two hold for. reference: the condition
    drawn as a diamond on a dashed line. unit: "logit" or "jod".
    """
    count = len(ranking)
    paired = {"low_narrow", "high_narrow"} <= set(ranking.columns)
    figure = Figure(figsize=(COLUMN, 0.62 + 0.19 * count + 0.28 * paired), layout="constrained")
    axes = figure.add_subplot()
    heights = np.arange(count)[::-1]
    if reference is not None:
        axes.axvline(ranking.loc[reference, "score"], color=FAINT, linewidth=1, linestyle=(0, (4, 3)), zorder=0)
    for height, (condition, row) in zip(heights, ranking.iterrows(), strict=True):
        is_reference = condition == reference
        colour = INK if is_reference else BLUE
        width = 1 if paired else 1.8
        axes.plot([row["low"], row["high"]], [height, height], color=colour, linewidth=width, solid_capstyle="butt")
        if paired:
            ends = [row["low_narrow"], row["high_narrow"]]
            axes.plot(ends, [height, height], color=colour, linewidth=3, solid_capstyle="butt")
        axes.plot(
            row["score"],
            height,
            "D" if is_reference else "o",
            # Small, as an interval may be hardly wider.
            markersize=3.8,
            markerfacecolor="white" if is_reference else colour,
            markeredgecolor=colour if is_reference else "white",
            markeredgewidth=1 if is_reference else 0.6,
        )
        numbers = f"{signed(row['score'])} [{signed(row['low'])}, {signed(row['high'])}]"
        axes.annotate(
            numbers,
            (1.04, height),
            xycoords=("axes fraction", "data"),
            va="center",
            fontsize=SMALLEST,
            annotation_clip=False,
        )
    axes.annotate(
        f"score [{100 * level:g} %]",
        (1.04, count - 0.4),
        xycoords=("axes fraction", "data"),
        fontsize=SMALLEST,
        color=SOFT,
    )
    label_ticks(axes.yaxis, heights, ranking.index, longest=_LONGEST)
    axes.set_ylim(-0.6, count - 0.4)
    axes.margins(x=0.06)
    axes.locator_params(axis="x", nbins=5)
    axes.tick_params(axis="y", length=0)
    axes.xaxis.grid(True, color=PALE, linewidth=0.8)
    axes.set_axisbelow(True)
    bare(axes, "top", "right", "left")
    meaning = "preferred more often" + (" (less visible)" if reference is not None else "")
    name = "JOD" if unit == "jod" else "logits"
    # Below the whole figure: the panel is too narrow for it.
    figure.supxlabel(f"{name}; further right: {meaning}", fontsize=SMALLEST)
    if paired:
        lines = [
            Line2D([], [], color=BLUE, linewidth=3, label=f"interval for {narrow}"),
            Line2D([], [], color=BLUE, linewidth=1, label=f"for {main}"),
        ]
        plain_legend(figure, lines, columns=1)
    return drawing_of(figure, "forest")
