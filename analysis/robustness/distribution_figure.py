"""Score distributions before and after each attack, a panel for each metric."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from scipy.ndimage import gaussian_filter1d

from analysis.drawing import BLUE, ORANGE, label_ticks, styled, svg_text
from analysis.robustness.figures import panels

__all__ = ["distributions_svg"]

Scores = Mapping[tuple[str, str], tuple[np.ndarray, np.ndarray]]

_BINS = 192
_HEIGHT = 0.82


@styled
def distributions_svg(scores: Scores, *, metrics: Mapping[str, str], attacks: Sequence[str], axis: str) -> str:
    """Densities of the clear (blue) and the attacked (orange) scores, one row for each attack.

    scores: (metric, attack) -> (clear, attacked), each (n,); a pair may be missing. Each density is as high as its row,
    ticks below it stand at the medians. metrics: name -> heading of its panel. axis: what the scores are.
    """
    abreast = min(3, len(metrics))
    down = -(-len(metrics) // abreast)
    figure = Figure(
        figsize=(1.8 + max(2.9 * abreast, 3.6), 0.9 + down * (0.75 + 0.3 * max(len(attacks), 2))), layout="constrained"
    )
    grid = figure.subplots(down, abreast, sharey=True, squeeze=False)
    for axes, metric in panels(grid, list(metrics)):
        here = {attack: scores[metric, attack] for attack in attacks if (metric, attack) in scores}
        ends = np.array([np.quantile(values, [0.005, 0.995]) for pair in here.values() for values in pair])
        low, high = ends[:, 0].min(), ends[:, 1].max()
        margin = 0.08 * (high - low) or 0.5
        for base, attack in enumerate(attacks):
            if attack in here:
                for values, colour in zip(here[attack], (BLUE, ORANGE), strict=True):
                    _draw_density(axes, values, base, colour, (low - margin, high + margin))
        axes.set(xlim=(low - margin, high + margin), ylim=(len(attacks) - 0.7, -1))
        axes.set_title(metrics[metric], fontsize=9, parse_math=False)
        axes.tick_params(axis="y", length=0)
        axes.locator_params(axis="x", nbins=5)
        for side in ("top", "right", "left"):
            axes.spines[side].set_visible(False)
    for axes in grid[:, 0]:
        label_ticks(axes.yaxis, np.arange(len(attacks)), attacks)
    figure.supxlabel(f"{axis}\nblue before, orange after the attack, ticks at the medians", fontsize=8.5)
    return svg_text(figure, "distributions")


def _draw_density(axes, values: np.ndarray, base: int, colour: str, ends: tuple[float, float]) -> None:
    """A Gaussian kernel estimate with Silverman's bandwidth, on a histogram so that a million scores take no time."""
    counts, edges = np.histogram(np.clip(values, *ends), _BINS, ends)
    low, high = np.quantile(values, [0.25, 0.75])
    spread = min(values.std(), (high - low) / 1.349) or values.std()
    bandwidth = 0.9 * spread * len(values) ** -0.2 / (edges[1] - edges[0])
    density = gaussian_filter1d(counts.astype(float), max(bandwidth, 1.0), mode="constant")
    centres = (edges[:-1] + edges[1:]) / 2
    top = base - _HEIGHT * density / density.max()
    axes.fill_between(centres, base, top, color=colour, alpha=0.35, linewidth=0)
    axes.plot(centres, top, color=colour, linewidth=0.9)
    axes.plot([np.median(values)] * 2, [base, base + 0.14], color=colour, linewidth=2, solid_capstyle="butt")
