"""Heat map of win probabilities, with a mark where two conditions are told apart."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from analysis.drawing import INK, SOFT, Drawing, draw_cells, drawing_of, label_ticks, styled

__all__ = ["draw_preferences"]

_PAGE = 7.0


@styled
def draw_preferences(probabilities: pd.DataFrame, comparisons: pd.DataFrame, *, level: float) -> Drawing:
    """P(row preferred over column) in percent, a triangle in the corner where the two are told apart.

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
    letters = 0.075 * max(min(len(name), 26) for name in names)
    cell = float(np.clip((_PAGE - 0.6 - letters) / count, 0.25, 0.46))
    width = max(0.6 + letters + cell * count, 3.6)
    figure = Figure(figsize=(width, 0.85 + 0.72 * letters + cell * count), layout="constrained")
    axes = figure.add_subplot()
    shown = np.where(np.eye(count, dtype=bool), np.nan, values - 50)
    draw_cells(axes, shown, [[f"{value:.0f}" for value in row] for row in values], limit=50, bold=apart)
    for i, j in np.argwhere(apart):
        dark = shown[i, j] > 32 or shown[i, j] < -42.5
        corner = [(j + 0.44, i - 0.44), (j + 0.44, i - 0.19), (j + 0.19, i - 0.44)]
        axes.fill(*np.transpose(corner), color="white" if dark else INK, linewidth=0)
    axes.set_aspect("equal", anchor="NW")
    label_ticks(axes.yaxis, np.arange(count), names)
    label_ticks(axes.xaxis, np.arange(count), names, slanted=True)
    axes.set_ylabel("% of votes for this …", fontsize=8.5)
    axes.set_xlabel("… over this", fontsize=8.5)
    figure.suptitle(
        f"marked and bold: told apart (p < {1 - level:.3g} after Holm)", fontsize=8, color=SOFT, x=0.01, ha="left"
    )
    return drawing_of(figure, "preferences")
