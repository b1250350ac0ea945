"""Figures of gains: metrics under attacks, gain against strength, and transfer between metrics."""

from collections.abc import Iterable, Iterator

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from analysis.drawing import FAINT, INK, LINE_STYLES, SOFT, draw_cells, label_ticks, signed, styled, svg_text
from analysis.labels import shortened

__all__ = ["gains_svg", "panels", "strength_svg", "transfer_by_attack_svg", "transfer_svg"]

_CELL_WIDTH, _CELL_HEIGHT = 0.58, 0.36
_PANELS_ABREAST = 3
_MOST_LINES_WITH_BARS = 4


@styled
def gains_svg(gains: pd.DataFrame, *, what: str) -> str:
    """Heat map of `gains`, metrics (rows) by attacks (columns), NaN where there is none; what: the number's name."""
    figure = Figure(figsize=_size(gains, _CELL_WIDTH, _CELL_HEIGHT), layout="constrained")
    axes = figure.add_subplot()
    _draw_gains(axes, gains, limit=_limit(gains), size=8)
    _say(figure, f"{what}; orange: raised by the attack, blue: lowered")
    return svg_text(figure, "gains")


@styled
def strength_svg(strengths: pd.DataFrame, *, what: str) -> str:
    """Gain against the attack's strength in multiples of its default: a panel for each attack, a line for each metric.

    strengths: `attack, metric, strength, multiple, gain, low, high`.
    """
    attacks, metrics = (list(strengths[column].unique()) for column in ("attack", "metric"))
    styles = dict(zip(sorted(metrics), LINE_STYLES * (1 + len(metrics) // len(LINE_STYLES)), strict=False))
    abreast = min(_PANELS_ABREAST, len(attacks))
    down = -(-len(attacks) // abreast)
    legend_rows = -(-len(metrics) // 4)
    figure = Figure(figsize=(1.2 + 2.75 * abreast, 0.7 + 2.3 * down + 0.22 * legend_rows), layout="constrained")
    grid = figure.subplots(down, abreast, sharey=True, squeeze=False)
    for axes, attack in panels(grid, attacks):
        of_attack = strengths[strengths["attack"] == attack]
        for metric, line in of_attack.groupby("metric", sort=True, observed=True):
            colour, marker, dashes = styles[metric]
            if len(metrics) <= _MOST_LINES_WITH_BARS:
                axes.vlines(line["multiple"], line["low"], line["high"], color=colour, linewidth=1, alpha=0.5)
            axes.plot(
                line["multiple"],
                line["gain"],
                color=colour,
                marker=marker,
                linestyle=dashes,
                markersize=4.5,
                linewidth=1.4,
            )
        axes.set_xscale("log", base=2)
        multiples = sorted(of_attack["multiple"].unique())
        axes.set_xticks(_apart(multiples), [f"{multiple:.3g}\N{MULTIPLICATION SIGN}" for multiple in _apart(multiples)])
        axes.xaxis.minorticks_off()
        axes.margins(x=0.12)
        axes.axhline(0, color=FAINT, linewidth=1, zorder=0)
        axes.yaxis.grid(True, color="#eef1f4", linewidth=0.8)
        axes.set_axisbelow(True)
        default = of_attack.loc[of_attack["multiple"] == 1, "strength"].iloc[0]
        axes.set_title(
            f"{shortened(attack)}\n1\N{MULTIPLICATION SIGN} is {default:.3g}", fontsize=8.5, parse_math=False
        )
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
    figure.supylabel(what, fontsize=9)
    figure.supxlabel("strength, in multiples of the attack's default", fontsize=9)
    handles = [
        figure.gca().plot(
            [], [], color=colour, marker=marker, linestyle=dashes, markersize=4.5, label=shortened(metric)
        )[0]
        for metric, (colour, marker, dashes) in styles.items()
    ]
    legend = figure.legend(handles=handles, loc="outside upper center", ncols=min(4, len(metrics)), frameon=False)
    for text in legend.get_texts():
        text.set_parse_math(False)
    return svg_text(figure, "strength")


@styled
def transfer_svg(gains: pd.DataFrame, *, what: str) -> str:
    """Heat map of `gains`: rows are the metrics that were attacked, columns those that scored the result."""
    figure = Figure(figsize=_size(gains, _CELL_WIDTH, _CELL_HEIGHT, named=True), layout="constrained")
    axes = figure.add_subplot()
    _draw_gains(axes, gains, limit=_limit(gains), size=8)
    _outline_own(axes, gains)
    axes.set_xlabel("scored by", fontsize=8.5)
    axes.set_ylabel("made against", fontsize=8.5)
    _say(figure, f"{what}; outlined: the metric attacked")
    return svg_text(figure, "transfer")


@styled
def transfer_by_attack_svg(gains: dict[str, pd.DataFrame], *, what: str) -> str:
    """As `transfer_svg` for each attack, in small and in one colour scale."""
    limit = _limit(pd.concat(gains.values()))
    width, height = _size(max(gains.values(), key=lambda matrix: matrix.size), 0.42, 0.26)
    abreast = min(_PANELS_ABREAST, len(gains))
    down = -(-len(gains) // abreast)
    figure = Figure(figsize=(0.4 + width * abreast, 0.6 + height * down), layout="constrained")
    grid = figure.subplots(down, abreast, sharex=True, sharey=True, squeeze=False)
    for axes, attack in panels(grid, list(gains)):
        _draw_gains(axes, gains[attack], limit=limit, size=6.5)
        _outline_own(axes, gains[attack])
        axes.set_title(shortened(attack), fontsize=8.5, parse_math=False)
    figure.supxlabel("scored by", fontsize=8.5)
    figure.supylabel("made against", fontsize=8.5)
    _say(figure, what)
    return svg_text(figure, "transfer_by_attack")


def panels(grid: np.ndarray, names: list[str]) -> Iterator[tuple]:
    """(axes, name) for each name; what is left of the grid is hidden, with labels below the last panel of a column."""
    for axes, name in zip(grid.flat, names, strict=False):
        axes.tick_params(labelbottom=True)
        yield axes, name
    for axes in grid.flat[len(names) :]:
        axes.set_visible(False)


def _draw_gains(axes, gains: pd.DataFrame, *, limit: float, size: float) -> None:
    texts = [[signed(value, 2 if abs(value) < 10 else 0) for value in row] for row in gains.to_numpy()]
    # The house's orange warns: a gain is what an attacker wants.
    draw_cells(axes, -gains.to_numpy(), texts, limit=limit, size=size)
    axes.set_aspect(_CELL_HEIGHT / _CELL_WIDTH, anchor="NW")
    label_ticks(axes.yaxis, np.arange(len(gains)), gains.index)
    label_ticks(axes.xaxis, np.arange(len(gains.columns)), gains.columns, slanted=True)


def _size(gains: pd.DataFrame, cell_width: float, cell_height: float, *, named: bool = False) -> tuple[float, float]:
    """Inches of a figure whose cells have the given size, with room for their names; named: the axes have names too."""
    rows, columns = gains.shape
    letters, slanted = (max(len(shortened(name)) for name in axis) for axis in (gains.index, gains.columns))
    width = 0.3 + max(0.085 * letters, 0.06 * slanted) + cell_width * columns + 0.25 * named
    return max(
        width, 4.4 if cell_width == _CELL_WIDTH else 0
    ), 0.7 + cell_height * rows + 0.055 * slanted + 0.25 * named


def _say(figure: Figure, sentence: str) -> None:
    figure.suptitle(sentence, fontsize=8.5, color=SOFT, x=0.01, ha="left")


def _limit(gains: pd.DataFrame) -> float:
    """Where the colour is full: one huge gain must not leave all others white."""
    sizes = np.abs(gains.to_numpy()[np.isfinite(gains.to_numpy())])
    return (float(np.quantile(sizes, 0.9)) or float(sizes.max()) or 1.0) if sizes.size else 1.0


def _outline_own(axes, gains: pd.DataFrame) -> None:
    for i, target in enumerate(gains.index):
        if target in gains.columns:
            j = list(gains.columns).index(target)
            axes.plot(
                np.array([-0.46, 0.46, 0.46, -0.46, -0.46]) + j,
                np.array([-0.46, -0.46, 0.46, 0.46, -0.46]) + i,
                color=INK,
                linewidth=1,
            )


def _apart(multiples: Iterable[float]) -> list[float]:
    """Those far enough from each other to be labelled."""
    kept: list[float] = []
    for multiple in multiples:
        if not kept or multiple / kept[-1] > 1.3 or multiple == 1:
            kept = [other for other in kept if multiple / other > 1.3]
            kept.append(multiple)
    return kept
