"""Objective measures against the scores of conditions: which measure predicts what people see."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.drawing import (
    BLUE,
    COLUMN,
    LINE_STYLES,
    PAGE,
    PALE,
    SMALLEST,
    SOFT,
    Drawing,
    bare,
    drawing_of,
    plain_legend,
    printed,
    signed,
)
from analysis.labels import shortened, shortened_apart
from analysis.robustness.figures import panels

__all__ = ["draw_objective"]

# (panels abreast, width in inches): of more panels than a column takes a page is made.
_IN_COLUMN, _ON_PAGE = (2, COLUMN), (4, PAGE)
_MOST_IN_COLUMN, _MOST_PANELS = 6, 12
_MOST_NAMED = 10
_LONGEST = 24


@printed
def draw_objective(points: pd.DataFrame, agreement: pd.DataFrame) -> Drawing:
    """A panel for each measure: its value for each condition and the condition's score, the best correlated first.

    points: measure, condition, value, score, and low, high where the score's interval is drawn. agreement: index
    measure (or a column of that name); srocc, srocc_low, srocc_high, and heading where the measure has one. Of a table
    with a column `over`, the rows over "conditions". The twelve best correlated are drawn: up to six a column wide,
    more a page wide. Up to ten conditions are told apart by shape and colour.
    """
    table = agreement.reset_index() if "measure" not in agreement else agreement
    if "over" in table:
        table = table[table["over"] == "conditions"]
    table = table.set_index("measure").sort_values("srocc", ascending=False, kind="stable", na_position="last")
    measures = [name for name in table.index if name in set(points["measure"])][:_MOST_PANELS]
    abreast, width = _IN_COLUMN if len(measures) <= _MOST_IN_COLUMN else _ON_PAGE
    abreast = min(abreast, len(measures))
    down = -(-len(measures) // abreast)
    conditions = list(dict.fromkeys(points["condition"].astype(str)))
    looks = dict(zip(conditions, LINE_STYLES, strict=False)) if len(conditions) <= _MOST_NAMED else {}
    columns = 2 if width == COLUMN else 4
    figure = Figure(figsize=(width, 0.35 + 1.55 * down + 0.14 * -(-len(looks) // columns)), layout="constrained")
    grid = figure.subplots(down, abreast, sharey=True, squeeze=False)
    for axes, measure in panels(grid, measures):
        here = points[points["measure"] == measure]
        if {"low", "high"} <= set(here.columns):
            axes.vlines(here["value"], here["low"], here["high"], color=SOFT, linewidth=0.6)
        for row in here.itertuples():
            colour, marker, _ = looks.get(str(row.condition), (BLUE, "o", "-"))
            axes.plot(row.value, row.score, marker, color=colour, markersize=3.6)
        axes.margins(x=0.12, y=0.1)
        axes.locator_params(axis="x", nbins=4)
        axes.grid(True, color=PALE, linewidth=0.6)
        axes.set_axisbelow(True)
        bare(axes, "top", "right")
        row = table.loc[measure]
        heading = str(row["heading"]) if "heading" in table and pd.notna(row["heading"]) else str(measure)
        title = f"{shortened(heading, _LONGEST)}\n{_correlation(row)}"
        axes.set_title(title, fontsize=SMALLEST, pad=3, parse_math=False)
    figure.supylabel("score, logits", fontsize="medium")
    figure.supxlabel("mean of the measure over sources", fontsize="medium")
    if looks:
        lines = [
            Line2D([], [], color=colour, marker=marker, markersize=3.6, linestyle="none", label=label)
            for label, (colour, marker, _) in zip(shortened_apart(looks), looks.values(), strict=True)
        ]
        plain_legend(figure, lines, columns=columns)
    return drawing_of(figure, "objective")


def _correlation(row: pd.Series) -> str:
    if not np.isfinite(row["srocc"]):
        return "SROCC not defined"
    ends = row.get("srocc_low", np.nan), row.get("srocc_high", np.nan)
    interval = f" [{signed(ends[0])}, {signed(ends[1])}]" if np.isfinite(ends).all() else ""
    return f"SROCC {signed(row['srocc'])}{interval}"
