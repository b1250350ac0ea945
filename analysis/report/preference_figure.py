"""Heat map of win probabilities, with a mark where two conditions are told apart."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from analysis.drawing import (
    COLUMN,
    INK,
    PAGE,
    SMALLEST,
    SOFT,
    Drawing,
    draw_cells,
    drawing_of,
    label_ticks,
    printed,
)
from analysis.labels import shortened

__all__ = ["draw_preferences"]

_LONGEST = 18
# Inches, of a cell in a column and on a page: below the smaller number its digits have no room.
_COLUMN_CELLS, _PAGE_CELLS = (0.19, 0.26), (0.135, 0.3)
_DENSE = 6.5  # points, of the numbers in the smallest cells


@printed
def draw_preferences(probabilities: pd.DataFrame, comparisons: pd.DataFrame, *, level: float) -> Drawing:
    """P(row preferred over column) in percent, a triangle in the corner where the two are told apart.

    A column wide; up to a page where a column has no room for the numbers (wider still beyond some 40 conditions).
    probabilities: (n, n) in the order to draw; comparisons: first, second, p_adjusted (Holm), marked below 1 - level.
    """
    names = list(probabilities.index)
    count = len(names)
    values = 100 * probabilities.to_numpy()
    apart = np.zeros((count, count), dtype=bool)
    place = {name: k for k, name in enumerate(names)}
    for row in comparisons[comparisons["p_adjusted"] < 1 - level].itertuples():
        if row.first in place and row.second in place:
            apart[place[row.first], place[row.second]] = apart[place[row.second], place[row.first]] = True
    letters = 0.058 * max(len(shortened(name, _LONGEST)) for name in names)
    beside = 0.35 + letters
    in_column, on_page = ((width - beside) / count for width in (COLUMN, PAGE))
    narrow = in_column >= _COLUMN_CELLS[0]
    cell = float(np.clip(in_column, *_COLUMN_CELLS) if narrow else np.clip(on_page, *_PAGE_CELLS))
    width = COLUMN if narrow else beside + cell * count
    figure = Figure(figsize=(width, 0.6 + 0.72 * letters + cell * count), layout="constrained")
    axes = figure.add_subplot()
    shown = np.where(np.eye(count, dtype=bool), np.nan, values - 50)
    size = _DENSE if cell < _COLUMN_CELLS[0] else SMALLEST
    draw_cells(axes, shown, [[f"{value:.0f}" for value in row] for row in values], limit=50, size=size, gap=3 * cell)
    for i, j in np.argwhere(apart):
        dark = shown[i, j] > 32 or shown[i, j] < -42.5
        corner = [(j + 0.44, i - 0.44), (j + 0.44, i - 0.16), (j + 0.16, i - 0.44)]
        axes.fill(*np.transpose(corner), color="white" if dark else INK, linewidth=0)
    axes.set_aspect("equal", anchor="NW")
    label_ticks(axes.yaxis, np.arange(count), names, longest=_LONGEST)
    label_ticks(axes.xaxis, np.arange(count), names, slanted=True, longest=_LONGEST)
    axes.set_ylabel("% of votes for this …")
    axes.set_xlabel("… over this")
    figure.suptitle(
        f"marked: told apart (p < {1 - level:.3g} after Holm)", fontsize=SMALLEST, color=SOFT, x=0.01, ha="left"
    )
    return drawing_of(figure, "preferences")
