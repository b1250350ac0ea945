"""Participants' reliability: one point each, and who does not count in full and why."""

import re
import textwrap

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from analysis.drawing import (
    BLUE,
    COLUMN,
    FAINT,
    INK,
    ORANGE,
    PALE,
    SMALLEST,
    SOFT,
    Drawing,
    bare,
    drawing_of,
    plain_legend,
    printed,
)
from analysis.labels import shortened

__all__ = ["draw_participants"]

# decision -> (what the legend calls it, colour, marker); drawn in this order, so that few stand upon many.
_LOOKS = {
    "keep": ("kept", BLUE, "o"),
    "cannot judge": ("kept, too little to judge by", SOFT, "s"),
    "set aside": ("set aside by the table", INK, "+"),
    "down-weight": ("counted less", "#E69F00", "^"),
    "remove": ("removed", ORANGE, "x"),
}
_MOST_NAMED = 6
_MOST_REASONS = 5
_MEASURES = {
    "z_likelihood": "agreement with all others\n(z of the likelihood)",
    "p_honest": "probability of attention",
    "left_share": "share of answers on the left",
}
_LINE = 60


@printed
def draw_participants(people: pd.DataFrame, *, threshold: float | None = None, title: str = "") -> Drawing:
    """Agreement with the others beside the response time and the share of verification pairs answered rightly.

    A column wide.

    people: as `Screening.participants`; used are participant, decision, reason, n_votes and, where they have numbers,
    z_likelihood (p_honest or left_share without it), median_ms, n_verification, verification_right. threshold: of the
    agreement, drawn as a line. Without times and verification pairs people stand in the order of their agreement. Up to
    six people who do not count in full are named with their reason below, more are
    counted by reason.
    """
    measure = next((name for name in _MEASURES if name in people and people[name].notna().any()), None)
    y = people[measure].to_numpy(dtype=float) if measure else np.zeros(len(people))
    panels = _panels(people, y)
    notes = _notes(people)
    legend_rows = -(-people["decision"].nunique() // 2)
    height = 2.1 + 0.14 * legend_rows + 0.125 * len(notes) + 0.16 * bool(title)
    figure = Figure(figsize=(COLUMN, height), layout="constrained")
    grid = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    if measure == "z_likelihood":
        # A few far out must not press all others together.
        y = np.clip(y, *_fences(y))
    size = float(np.clip(18 * (30 / max(len(people), 1)) ** 0.4, 5, 18))
    decisions = people["decision"].to_numpy()
    for axes, (name, x) in zip(grid, panels, strict=True):
        for decision, (_, colour, marker) in _LOOKS.items():
            here = (decisions == decision) & np.isfinite(x) & np.isfinite(y)
            face = {"facecolors": "none"} if marker in "os" else {}
            axes.scatter(
                x[here],
                y[here],
                s=size * (1.3 if marker in "x+^" else 1),
                marker=marker,
                linewidths=0.8 if len(people) < 150 else 0.6,
                edgecolors=colour if marker not in "x+" else None,
                c=colour if marker in "x+^" else None,
                **face,
            )
        axes.set_xlabel(name)
        axes.grid(True, color=PALE, linewidth=0.6)
        axes.set_axisbelow(True)
        bare(axes, "top", "right")
        if threshold is not None:
            axes.axhline(threshold, color=INK, linewidth=1, linestyle=(0, (4, 3)))
        elif measure == "z_likelihood":
            axes.axhline(0, color=FAINT, linewidth=1, zorder=0)
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=name.startswith("participants")))
        if name.startswith("median"):
            _in_seconds(axes, x)
        if name.startswith("verification"):
            axes.set_xlim(-0.08, 1.08)
            axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "25", "50", "75", "100 %"])
    grid[0].set_ylabel(_MEASURES.get(measure, ""))
    counts = people["decision"].value_counts()
    # Who has no vote that counts has no agreement with others.
    drawn = {decision: np.isfinite(y[decisions == decision]).any() for decision in counts.index}
    plain_legend(
        figure,
        [
            Line2D(
                [],
                [],
                color=colour,
                marker=marker,
                markersize=4,
                linestyle="none",
                markerfacecolor="white" if marker in "os" else colour,
                label=f"{words} ({counts[decision]}{'' if drawn[decision] else ', not drawn'})",
            )
            for decision, (words, colour, marker) in _LOOKS.items()
            if decision in counts.index
        ],
        columns=2,
        title=title or None,
    )
    if notes:
        text = figure.supxlabel("\n".join(notes), fontsize=SMALLEST, color=SOFT, x=0.01, ha="left")
        text.set_parse_math(False)
        text.set_multialignment("left")
    return drawing_of(figure, "participants")


def _panels(people: pd.DataFrame, agreement: np.ndarray) -> list[tuple[str, np.ndarray]]:
    """What stands along the horizontal axes, with the numbers (people,)."""
    panels = []
    if "median_ms" in people and people["median_ms"].notna().any():
        panels.append(
            ("median time\nto an answer, s", np.clip(people["median_ms"].to_numpy(dtype=float) / 1000, 0.01, None))
        )
    if "n_verification" in people and (people["n_verification"] > 0).any():
        asked = people["n_verification"].to_numpy(dtype=float)
        share = np.divide(people["verification_right"], asked, out=np.full(len(people), np.nan), where=asked > 0)
        # People with equal shares stand side by side, in the order of their rows.
        jitter = (np.arange(len(people)) * 0.618034 % 1 - 0.5) * min(0.1, 0.02 * np.sqrt(len(people)))
        panels.append(("verification pairs\nanswered rightly", share + jitter))
    if not panels:
        order = np.argsort(np.argsort(agreement, kind="stable"), kind="stable")
        panels.append(("participants, by rising agreement", order + 1.0))
    return panels


def _fences(values: np.ndarray) -> tuple[float, float]:
    low, middle, high = np.nanquantile(values, [0.02, 0.5, 0.98])
    return middle - 2.5 * max(middle - low, 1), middle + 2.5 * max(high - middle, 1)


def _in_seconds(axes, x: np.ndarray) -> None:
    spread = np.nanmax(x) / np.nanmin(x)
    if spread < 1.5:
        return
    axes.set_xscale("log")
    axes.set_xlim(np.nanmin(x) / 1.15, np.nanmax(x) * 1.15)
    subs = range(1, 10) if spread < 3 else (1, 2, 5) if spread < 60 else (1,)
    axes.xaxis.set_major_locator(LogLocator(subs=subs, numticks=12))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.minorticks_off()


def _notes(people: pd.DataFrame) -> list[str]:
    """Lines that say why somebody does not count in full."""
    touched = people[people["decision"].isin(["remove", "down-weight", "set aside"])]
    words = {"remove": "removed", "down-weight": "counted less", "set aside": "set aside"}
    if len(touched) <= _MOST_NAMED:
        sentences = [
            f"{shortened(str(row.participant))} {words[row.decision]}: {row.reason}" for row in touched.itertuples()
        ]
    else:
        # Reasons that differ in their numbers alone are one reason.
        kinds = touched["reason"].astype(str).map(lambda reason: re.sub(r"\d+([.,]\d+)*", "…", reason.split(";")[0]))
        groups = (touched["decision"].map(words) + ": " + kinds).value_counts()
        sentences = [f"{count} {reason}" for reason, count in groups.head(_MOST_REASONS).items()]
        if len(groups) > _MOST_REASONS:
            sentences.append(f"{groups.iloc[_MOST_REASONS:].sum()} for other reasons")
    return [line for sentence in sentences for line in textwrap.wrap(sentence, _LINE, subsequent_indent="    ")]
