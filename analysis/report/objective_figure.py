"""Objective measures against the scores of conditions: which measure predicts what people see."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from analysis.drawing import (
    BLUE,
    PALE,
    Drawing,
    bare,
    drawing_of,
    shortened,
    signed,
    styled,
)
from analysis.robustness.figures import panels

__all__ = ["draw_objective"]

_ABREAST = 3
_MOST_PANELS = 12
_MOST_NAMED = 8


@styled
def draw_objective(points: pd.DataFrame, agreement: pd.DataFrame) -> Drawing:
    """A panel for each measure: its value for each condition and the condition's score, the best correlated first.

    points: measure, condition, value, score, and low, high where the score's interval is drawn. agreement: index
    measure (or a column of that name); srocc, srocc_low, srocc_high, and heading where the measure has one. Of a table
    with a column `over`, the rows over "conditions". The twelve best correlated are drawn.
    """
    table = agreement.reset_index() if "measure" not in agreement else agreement
    if "over" in table:
        table = table[table["over"] == "conditions"]
    table = table.set_index("measure").sort_values("srocc", ascending=False, kind="stable", na_position="last")
    measures = [name for name in table.index if name in set(points["measure"])][:_MOST_PANELS]
    abreast = min(_ABREAST, len(measures))
    down = -(-len(measures) // abreast)
    figure = Figure(figsize=(0.4 + 2.2 * abreast, 0.35 + 2.05 * down), layout="constrained")
    grid = figure.subplots(down, abreast, sharey=True, squeeze=False)
    for axes, measure in panels(grid, measures):
        here = points[points["measure"] == measure]
        if {"low", "high"} <= set(here.columns):
            axes.vlines(here["value"], here["low"], here["high"], color=BLUE, linewidth=1, alpha=0.6)
        axes.plot(here["value"], here["score"], "o", color=BLUE, markersize=4.5)
        if len(here) <= _MOST_NAMED:
            _name_points(axes, here)
        axes.margins(x=0.12, y=0.1)
        axes.locator_params(axis="x", nbins=4)
        axes.tick_params(labelsize=7.5)
        axes.grid(True, color=PALE, linewidth=0.8)
        axes.set_axisbelow(True)
        bare(axes, "top", "right")
        row = table.loc[measure]
        heading = str(row["heading"]) if "heading" in table and pd.notna(row["heading"]) else str(measure)
        axes.set_title(f"{shortened(heading)}\n{_correlation(row)}", fontsize=8, parse_math=False)
    figure.supylabel("score of the condition, logits", fontsize=8.5)
    figure.supxlabel("mean of the measure over sources", fontsize=8.5)
    return drawing_of(figure, "objective")


def _correlation(row: pd.Series) -> str:
    if not np.isfinite(row["srocc"]):
        return "SROCC not defined"
    ends = row.get("srocc_low", np.nan), row.get("srocc_high", np.nan)
    interval = f" [{signed(ends[0])}, {signed(ends[1])}]" if np.isfinite(ends).all() else ""
    return f"SROCC {signed(row['srocc'])}{interval}"


def _name_points(axes, here: pd.DataFrame) -> None:
    """Names beside their points, on the side where there is room."""
    middle = (here["value"].min() + here["value"].max()) / 2
    for row in here.itertuples():
        left = row.value > middle
        text = axes.annotate(
            shortened(str(row.condition), 12),
            (row.value, row.score),
            (-4 if left else 4, 2),
            textcoords="offset points",
            ha="right" if left else "left",
            fontsize=7,
        )
        text.set_parse_math(False)
