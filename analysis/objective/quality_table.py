"""The table of objective quality that a paper prints: attacks at one gain, means and intervals over sources."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student_t

from analysis.errors import InvalidQuality
from analysis.options import check_level
from analysis.tables import NOTHING, Table

__all__ = ["MEASURES", "ConditionQuality", "Estimate", "Measure", "QualityTable", "objective_quality"]

_MORE_THAN_ONE_GRADIENT = "\N{DAGGER}"


@dataclass(frozen=True)
class Measure:
    """A column. better: 1 higher, -1 lower, 0 neither. digits: after the point, of the value times `factor`."""

    key: str
    heading: str
    better: int
    digits: int
    factor: float = 1.0


# The four of the IOI paper first.
MEASURES = (
    Measure("ssim", "SSIM", 1, 4),
    Measure("psnr", "PSNR, dB", 1, 2),
    Measure("vif", "VIF", 1, 4),
    Measure("lpips", "LPIPS", -1, 4),
    Measure("temporal_instability", "Temporal instability", -1, 3),
    Measure("mae_star", "MAE*", -1, 1),
    Measure("gain_delivered", "Gain, %", 0, 2, factor=100),
)


@dataclass(frozen=True)
class Estimate:
    """Mean of n values with the ends of its Student-t interval; None where there are too few. missing: values left
    out because they do not exist.
    """

    mean: float | None
    low: float | None
    high: float | None
    n: int
    missing: int


@dataclass(frozen=True)
class ConditionQuality:
    """One condition over its sources. estimates: by key of MEASURES. speed_matched: whether one gradient per frame was
    enough on every source; None where that was not asked.
    """

    condition: str
    sources: int
    speed_matched: bool | None
    estimates: dict[str, Estimate]


@dataclass(frozen=True)
class QualityTable:
    """conditions: the reference first, then attacks in the order of their first row. table: them as it is printed.
    about: what all rows share (metric, target, delivery), by name.
    """

    about: dict[str, object]
    conditions: tuple[ConditionQuality, ...]
    table: Table


def objective_quality(
    rows: Iterable[Mapping],
    *,
    caption: str,
    label: str = "tab:objective",
    about: Mapping[str, object] | None = None,
    level: float = 0.95,
    reference: str = "reference",
) -> QualityTable:
    """Each measure averaged over sources, as text "mean ± half the width of its interval".

    rows: one per stimulus: source, condition, the keys of MEASURES (numbers, None where one does not exist), and
    speed_matched where known. The intervals, mean ± t(n - 1) s / sqrt(n), take sources as independent.
    caption: what was matched; how to read the table is added to it. The best attack of a column is marked among those
    that have the value on every source, since another's mean may come from easier ones.
    Raises InvalidQuality for a key that is missing, a value that is no finite number, a stimulus twice, or no attack.
    """
    check_level(level)
    conditions = sorted(_conditions(rows, level), key=lambda quality: quality.condition != reference)
    attacks = [quality for quality in conditions if quality.condition != reference]
    if not attacks:
        raise InvalidQuality("there is no attack to report on; give sets with stimuli of attacks")
    sources = max(quality.sources for quality in conditions)
    best = [_best(attacks, measure, sources) for measure in MEASURES]
    table = Table(
        columns=("Attack", "Sources", *(_heading(measure) for measure in MEASURES)),
        rows=tuple(
            (
                _name(quality, reference),
                str(quality.sources),
                *(_cell(quality.estimates[measure.key], measure, quality.sources) for measure in MEASURES),
            )
            for quality in conditions
        ),
        caption=" ".join([caption, *_how_to_read(conditions, sources, level, marked=any(best))]),
        label=label,
        bold=frozenset(
            (row, column)
            for row, quality in enumerate(conditions)
            for column, names in enumerate(best, start=2)
            if quality.condition in names
        ),
    )
    return QualityTable(dict(about or {}), tuple(conditions), table)


def _conditions(rows: Iterable[Mapping], level: float) -> list[ConditionQuality]:
    found: dict[str, dict[str, Mapping]] = {}
    for row in rows:
        _check(row)
        stimuli = found.setdefault(row["condition"], {})
        if row["source"] in stimuli:
            raise InvalidQuality(
                f"the condition {row['condition']!r} of the source {row['source']!r} is there twice; give each once"
            )
        stimuli[row["source"]] = row
    return [
        ConditionQuality(
            condition,
            len(stimuli),
            _all_true([row.get("speed_matched") for row in stimuli.values()]),
            {m.key: _estimate([row[m.key] for row in stimuli.values()], level) for m in MEASURES},
        )
        for condition, stimuli in found.items()
    ]


def _check(row: Mapping) -> None:
    for key in ("source", "condition", *(measure.key for measure in MEASURES)):
        if key not in row:
            raise InvalidQuality(f"a row lacks {key!r}; it has {', '.join(map(str, row))}")
    for measure in MEASURES:
        value = row[measure.key]
        number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
        if value is not None and not (number and math.isfinite(value)):
            raise InvalidQuality(
                f"{measure.key} of {row['condition']!r} on {row['source']!r} is {value!r}; expected a finite number, "
                "or None where there is none"
            )


def _estimate(values: list, level: float) -> Estimate:
    there = np.array([value for value in values if value is not None], dtype=float)
    n, missing = len(there), len(values) - len(there)
    if n == 0:
        return Estimate(None, None, None, 0, missing)
    mean = float(there.mean())
    if n == 1:
        return Estimate(mean, None, None, 1, missing)
    reach = float(student_t.ppf((1 + level) / 2, n - 1) * there.std(ddof=1) / np.sqrt(n))
    return Estimate(mean, mean - reach, mean + reach, n, missing)


def _all_true(marks: list[bool | None]) -> bool | None:
    known = [mark for mark in marks if mark is not None]
    return all(known) if known else None


def _best(attacks: list[ConditionQuality], measure: Measure, sources: int) -> set[str]:
    """The conditions with the best mean as it is printed; none where there is nothing to compare."""
    means = {
        quality.condition: round(measure.better * measure.factor * quality.estimates[measure.key].mean, measure.digits)
        for quality in attacks
        if measure.better and quality.estimates[measure.key].n == sources
    }
    return {condition for condition, mean in means.items() if mean == max(means.values())} if len(means) > 1 else set()


def _heading(measure: Measure) -> str:
    arrow = {1: " \N{UPWARDS ARROW}", -1: " \N{DOWNWARDS ARROW}", 0: ""}[measure.better]
    return measure.heading + arrow


def _name(quality: ConditionQuality, reference: str) -> str:
    if quality.condition == reference:
        return f"{reference} (codec only)"
    return quality.condition + (_MORE_THAN_ONE_GRADIENT if quality.speed_matched is False else "")


def _cell(estimate: Estimate, measure: Measure, sources: int) -> str:
    if estimate.mean is None:
        return NOTHING
    text = _number(measure.factor * estimate.mean, measure)
    if estimate.low is not None:
        text += f" \N{PLUS-MINUS SIGN} {_number(measure.factor * (estimate.mean - estimate.low), measure)}"
    return text if estimate.n == sources else f"{text} ({estimate.n})"


def _number(value: float, measure: Measure) -> str:
    # Adding zero takes the sign off a negative zero.
    return f"{round(value, measure.digits) + 0.0:.{measure.digits}f}".replace("-", "\N{MINUS SIGN}")


def _how_to_read(conditions: list[ConditionQuality], sources: int, level: float, *, marked: bool) -> list[str]:
    sentences = [
        f"Means with {100 * level:g} % Student-t intervals over {sources} sources."
        if sources > 1
        else "One source, so no intervals.",
        "SSIM and VIF (pixel domain) are of luma; temporal instability (how much the change varies from one frame to "
        "the next) and MAE* are in 8-bit levels.",
    ]
    if marked:
        sentences.append("The best attack of a column is marked.")
    if any(quality.sources < sources for quality in conditions):
        sentences.append(
            "An attack with fewer sources did not reach the target on the others, or is not in all sets; it is never "
            "marked."
        )
    if any(estimate.n and estimate.missing for quality in conditions for estimate in quality.estimates.values()):
        sentences.append("In brackets: the number of sources where the value exists, if not on all.")
    if any(quality.speed_matched is False for quality in conditions):
        sentences.append(f"{_MORE_THAN_ONE_GRADIENT} More than one gradient per frame.")
    return sentences
