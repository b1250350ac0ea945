"""Interval width against votes: measured, and what more votes would give."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from analysis.drawing import (
    BLUE,
    COLUMN,
    FAINT,
    INK,
    ORANGE,
    PALE,
    SOFT,
    Drawing,
    bare,
    drawing_of,
    plain_legend,
    printed,
)
from analysis.report.width_curve import WidthCurve

__all__ = ["draw_width"]

_FARTHEST = 64


@printed
def draw_width(curve: WidthCurve) -> Drawing:
    """Measured half-widths (dots), the line of 1 / sqrt(votes) through that of all votes, and the target.

    A column wide. The line is dashed beyond the votes that there are. Both axes are logarithmic: the line is straight.
    """
    figure = Figure(figsize=(COLUMN, 2.6), layout="constrained")
    axes = figure.add_subplot()
    points = curve.points
    first, last = float(points["votes"].min()), float(curve.n_votes)
    end = float(np.clip(1.5 * curve.needed, 2 * last, _FARTHEST * last))
    within, beyond = np.array([min(first, last / 2), last]), np.array([last, end])
    axes.plot(within, curve.expected(within), color=INK, linewidth=1)
    axes.plot(beyond, curve.expected(beyond), color=INK, linewidth=1, linestyle=(0, (4, 3)))
    axes.axvspan(last, end, color=PALE, linewidth=0, zorder=0)
    axes.plot(
        points["votes"], points["widest"], "^", color=SOFT, markerfacecolor="white", markersize=3.5, markeredgewidth=0.8
    )
    axes.plot(points["votes"], points["half_width"], "o", color=BLUE, markersize=4)
    axes.axhline(curve.target, color=ORANGE, linewidth=1.2, linestyle=(0, (1, 1.5)))
    if curve.needed <= end:
        axes.plot(curve.needed, curve.target, "D", color=ORANGE, markerfacecolor="white", markersize=4.5, zorder=4)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(within[0] / 1.15, end)
    lowest = min(curve.target, float(curve.expected(end)), points["half_width"].min())
    axes.set_ylim(lowest / 1.25, points["widest"].max() * 1.2)
    for axis, text in ((axes.xaxis, lambda value, _: f"{value:,.0f}".replace(",", "\u202f")), (axes.yaxis, _plain)):
        axis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=12))
        axis.set_major_formatter(FuncFormatter(text))
        axis.set_minor_formatter(NullFormatter())
    axes.minorticks_off()
    axes.grid(True, color=FAINT, linewidth=0.3)
    axes.set_axisbelow(True)
    bare(axes, "top", "right")
    how = "the first votes in time" if curve.order == "presented_at" else "votes of random participants"
    axes.set_xlabel(f"{how}\n(shaded: more than there are)")
    axes.set_ylabel(f"half-width of the {100 * curve.level:g} %\ninterval of a pair, logits")
    needed = f"{curve.needed:,}".replace(",", "\u202f")
    handles = [
        Line2D([], [], color=BLUE, marker="o", linestyle="none", markersize=4, label="measured, median pair"),
        Line2D(
            [],
            [],
            color=SOFT,
            marker="^",
            markerfacecolor="white",
            linestyle="none",
            markersize=3.5,
            label="measured, widest",
        ),
        Line2D([], [], color=INK, linewidth=1, label="1/\u221avotes (then dashed)"),
        Line2D([], [], color=ORANGE, linewidth=1.2, linestyle=(0, (1, 1.5)), marker="D", markersize=4, mfc="white"),
    ]
    handles[-1].set_label(f"target {curve.target:.2f}: about {needed} votes")
    plain_legend(figure, handles, columns=2)
    return drawing_of(figure, "width")


def _plain(value: float, _) -> str:
    return f"{value:g}"
