"""Figures of a ranking as SVG text: drawn without pyplot, letters as paths, same input same bytes.

Colours are of Okabe & Ito's palette, told apart by people with any colour vision; shape and numbers repeat what colour
says, so that a grey print loses nothing.
"""

import functools
import io
import warnings

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

__all__ = ["forest_svg", "preference_svg"]

BLUE, ORANGE, INK, FAINT = "#0072B2", "#D55E00", "#1f2933", "#c3ccd5"
_LONGEST_LABEL = 26
_STYLE = {
    "svg.fonttype": "path",
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}


def _styled(draw):
    @functools.wraps(draw)
    def drawn(*args, **options) -> str:
        with matplotlib.rc_context(_STYLE):
            return draw(*args, **options)

    return drawn


@_styled
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
        numbers = f"{_signed(row['score'])}  [{_signed(row['low'])}, {_signed(row['high'])}]"
        axes.annotate(
            numbers,
            (1.02, height),
            xycoords=("axes fraction", "data"),
            va="center",
            fontsize=8.5,
            annotation_clip=False,
        )
    _label_ticks(axes.yaxis, heights, ranking.index)
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
    return _svg(figure, "forest")


@_styled
def preference_svg(probabilities: pd.DataFrame, clear: pd.DataFrame) -> str:
    """Heat map of P(row preferred over column) in percent.

    probabilities: (n, n) in the order to draw; clear: (n, n) bool, True where the two differ clearly (drawn bold).
    """
    count = len(probabilities)
    values = 100 * probabilities.to_numpy()
    side = max(3.4, 1.9 + 0.5 * count)
    figure = Figure(figsize=(side + 0.6, side - 0.5), layout="constrained")
    axes = figure.add_subplot()
    shades = LinearSegmentedColormap.from_list("preference", [ORANGE, "#ffffff", BLUE])
    shown = np.ma.masked_array(values, np.eye(count, dtype=bool))
    # A mesh and not an image: drawn as outlines, with no compressed pixels whose bytes hang on the library.
    edges = np.arange(count + 1) - 0.5
    axes.pcolormesh(edges, edges, shown, cmap=shades, vmin=0, vmax=100, edgecolors="white", linewidth=2)
    axes.set(xlim=(-0.5, count - 0.5), ylim=(count - 0.5, -0.5), aspect="equal")
    size = float(np.clip(11 - 0.25 * count, 5, 10))
    for i in range(count):
        for j in range(count):
            if i == j:
                continue
            bold = bool(clear.iat[i, j])
            ink = "white" if abs(values[i, j] - 50) > 32 else INK
            axes.text(
                j,
                i,
                f"{values[i, j]:.0f}",
                ha="center",
                va="center",
                fontsize=size,
                color=ink,
                weight="bold" if bold else "normal",
            )
    _label_ticks(axes.yaxis, np.arange(count), probabilities.index)
    _label_ticks(axes.xaxis, np.arange(count), probabilities.columns)
    for label in axes.get_xticklabels():
        label.set(rotation=40, ha="right", rotation_mode="anchor")
    axes.set_xlabel("… over this one", fontsize=8.5)
    axes.set_ylabel("votes for this one …", fontsize=8.5)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    return _svg(figure, "preference")


def _label_ticks(axis, positions: np.ndarray, labels: pd.Index) -> None:
    short = [label if len(label) <= _LONGEST_LABEL else label[: _LONGEST_LABEL - 1] + "…" for label in labels]
    axis.set_ticks(positions, short)
    for text in axis.get_ticklabels():
        # A condition may be called "$5": it is a name and not a formula.
        text.set_parse_math(False)


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "\N{MINUS SIGN}")


def _svg(figure: Figure, salt: str) -> str:
    FigureCanvasSVG(figure)
    text = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": salt}), warnings.catch_warnings():
        # A letter that the font lacks is drawn as a box; the table beside the figure shows it as it is.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    return text.getvalue()
