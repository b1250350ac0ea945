"""Scores under each screening rule side by side: does the answer depend on whose votes count?"""

import textwrap
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.drawing import (
    COLUMN,
    FAINT,
    LINE_STYLES,
    PALE,
    SMALLEST,
    SOFT,
    Drawing,
    bare,
    drawing_of,
    label_ticks,
    plain_legend,
    printed,
)

__all__ = ["draw_rules"]

_LONGEST = 18
_LINE = 58
# Inches: the height of a row, and what rows need for each interval in them.
_ROW, _LANE = 0.2, 0.056


@printed
def draw_rules(rankings: Sequence, *, level: float, reference: str | None = None) -> Drawing:
    """A row for each condition with its score and interval under each rule; a column wide.

    rankings: as `rank_under_rules` gives them; conditions stand in the order of the first that has a ranking. Rules
    that give the same scores are drawn once, those without a ranking are named below. reference: the condition whose
    score under the first rule is drawn as a dashed line.
    """
    without = [ranking.title for ranking in rankings if ranking.result is None]
    fitted = _different([ranking for ranking in rankings if ranking.result is not None])
    frames = [same[0].result.to_frame(level) for same in fitted]
    names = list(dict.fromkeys(name for frame in frames for name in frame.index))
    step = 0.72 / max(len(fitted), 1)
    labels = [_label(same) for same in fitted]
    notes = textwrap.wrap(f"No ranking: {', '.join(without)}", _LINE) if without else []
    lines = sum(1 + label.count("\n") for label in labels) + len(notes)
    height = 0.5 + len(names) * max(_ROW, _LANE * (1 + len(fitted))) + 0.135 * lines
    figure = Figure(figsize=(COLUMN, height), layout="constrained")
    axes = figure.add_subplot()
    heights = dict(zip(names, np.arange(len(names))[::-1], strict=True))
    handles = []
    for k, (label, frame) in enumerate(zip(labels, frames, strict=True)):
        colour, marker, _ = LINE_STYLES[k % len(LINE_STYLES)]
        y = np.array([heights[name] for name in frame.index]) + step * ((len(fitted) - 1) / 2 - k)
        axes.hlines(y, frame["low"], frame["high"], color=colour, linewidth=0.8)
        axes.plot(frame["score"], y, marker, color=colour, markersize=2.8, linestyle="none")
        handles.append(Line2D([], [], color=colour, marker=marker, markersize=3.5, linewidth=0.8, label=label))
    for height in range(1, len(names)):
        axes.axhline(height - 0.5, color=PALE, linewidth=0.6, zorder=0)
    if reference is not None and frames and reference in frames[0].index:
        axes.axvline(frames[0].loc[reference, "score"], color=FAINT, linewidth=1, linestyle=(0, (4, 3)), zorder=0)
    label_ticks(axes.yaxis, np.array(list(heights.values())), names, longest=_LONGEST)
    axes.set_ylim(-0.5, len(names) - 0.5)
    axes.tick_params(axis="y", length=0)
    axes.locator_params(axis="x", nbins=6)
    bare(axes, "top", "right", "left")
    unit = fitted[0][0].result.unit if fitted else "logit"
    axes.set_xlabel(f"score in {'JOD' if unit == 'jod' else 'logits'}, {100 * level:g} % intervals", fontsize=SMALLEST)
    plain_legend(figure, handles, columns=1)
    if notes:
        below = figure.supxlabel("\n".join(notes), fontsize=SMALLEST, color=SOFT, x=0.01, ha="left")
        below.set_multialignment("left")
    return drawing_of(figure, "rules")


def _different(rankings: Sequence) -> list[list]:
    """The rankings in groups of equal scores and equal errors."""
    groups: dict[tuple, list] = {}
    for ranking in rankings:
        result = ranking.result
        errors = result.standard_errors.to_numpy()
        key = (result.conditions, np.round(result.estimates, 9).tobytes(), np.round(errors, 9).tobytes())
        groups.setdefault(key, []).append(ranking)
    return list(groups.values())


def _label(same: list) -> str:
    titles = "; ".join(ranking.title for ranking in same)
    return "\n".join(textwrap.wrap(f"{titles} ({same[0].participants} people)", _LINE))
