"""The tables of a robustness report as text cells: overall, by attack, by data set, metric by metric, and transfer."""

import numpy as np
import pandas as pd

from analysis.robustness.numbers import MEASURES
from analysis.robustness.score_table import ALL
from analysis.tables import NOTHING, Table

__all__ = ["HEADINGS", "robustness_tables", "transfer_tables"]

_DOWN, _UP = "\N{NO-BREAK SPACE}\N{DOWNWARDS ARROW}", "\N{NO-BREAK SPACE}\N{UPWARDS ARROW}"
HEADINGS = {
    "absolute_gain": f"Absolute gain{_DOWN}",
    "relative_gain": f"Relative gain{_DOWN}",
    "robustness": f"R{_UP}",
    "wasserstein": f"Wasserstein{_DOWN}",
    "energy": f"Energy{_DOWN}",
    "relative_gain_raw": f"Raw relative gain{_DOWN}",
}


def robustness_tables(table: pd.DataFrame, *, level: float, domain: str, stacked: bool = False) -> list[Table]:
    """What `robustness_table` found, as tables to print.

    domain: the sentence that every caption ends with. stacked: intervals stand below their means, which keeps tables
    narrow, and not beside them.
    """
    ends = f"{100 * level:g} % intervals in brackets; arrows point to what resists raising (R: any change). {domain}"
    metrics, attacks = list(table["metric"].unique()), list(table["attack"].unique())
    datasets = [dataset for dataset in table["dataset"].unique() if dataset != ALL]
    overall = table[table["dataset"] == ALL]
    tables = [
        _measures(
            overall[overall["attack"] == ALL],
            by=["metric"],
            caption=f"Robustness of each metric, the smallest absolute gain first; bold: the best, of gains and "
            f"distances among the metrics that were not lowered; {ends}"
            if len(metrics) > 1
            else f"Robustness of {metrics[0]}; {ends}",
            label="tab:robustness",
            stacked=stacked,
            bold=len(metrics) > 1,
        )
    ]
    if len(metrics) > 1 and len(attacks) > 2:
        tables.append(_gains(overall, metrics, attacks, domain))
    if len(datasets) > 1:
        tables.append(
            _measures(
                table[(table["attack"] == ALL) & (table["dataset"] != ALL)],
                by=["metric", "dataset"],
                caption=f"Robustness by data set, all attacks together; {ends}",
                label="tab:robustness-datasets",
                stacked=stacked,
            )
        )
    for number, metric in enumerate(metrics, start=1):
        tables.append(
            _measures(
                overall[overall["metric"] == metric],
                by=["attack"],
                caption=f"Robustness of {metric} to each attack, in order of their mean gain over the metrics; {ends}",
                label=f"tab:robustness-metric-{number}",
                stacked=stacked,
            )
        )
    return tables


def transfer_tables(transfer: pd.DataFrame, *, domain: str) -> list[Table]:
    """Relative gains of each scoring metric (columns) by the metric attacked (rows), one table for each attack."""
    tables = []
    for number, attack in enumerate(transfer["attack"].unique(), start=1):
        gains = transfer[transfer["attack"] == attack].pivot(
            index="target_metric", columns="metric", values="relative_gain"
        )
        whose = "all attacks together" if attack == ALL else attack
        tables.append(
            Table(
                columns=("made against", *(f"by {metric}" for metric in gains.columns)),
                rows=tuple((target, *map(_number, row)) for target, row in zip(gains.index, gains.values, strict=True)),
                caption=f"Transfer of {whose}: relative gain of the metric that scores (columns) on what was made "
                f"against another (rows). {domain}",
                label=f"tab:transfer-{number}",
                bold=frozenset(
                    (i, j)
                    for i, target in enumerate(gains.index)
                    for j, metric in enumerate(gains.columns, start=1)
                    if target == metric
                ),
            )
        )
    return tables


def _measures(
    rows: pd.DataFrame, *, by: list[str], caption: str, label: str, stacked: bool, bold: bool = False
) -> Table:
    measures = [measure for measure in MEASURES if rows[measure].notna().any()]
    cells: list[tuple[str, ...]] = []
    marked = set()
    best = _best(rows) if bold else {}
    for index, row in rows.iterrows():
        names = [str(row[column]) for column in by]
        means = [_number(row[measure]) for measure in measures]
        spans = [_span(row[f"{measure}_low"], row[f"{measure}_high"]) for measure in measures]
        marked |= {(len(cells), len(by) + 1 + j) for j, measure in enumerate(measures) if best.get(measure) == index}
        if stacked:
            cells += [(*names, str(row["n"]), *means), (*[""] * (len(by) + 1), *spans)]
        else:
            both = (f"{mean} {span}".strip() for mean, span in zip(means, spans, strict=True))
            cells.append((*names, str(row["n"]), *both))
    return Table(
        columns=(*(column.replace("dataset", "data set") for column in by), "n", *(HEADINGS[m] for m in measures)),
        rows=tuple(cells),
        caption=caption,
        label=label,
        bold=frozenset(marked),
    )


def _best(rows: pd.DataFrame) -> dict[str, object]:
    """Index of the best row by measure; none for the raw relative gain, of which no two metrics share the scale."""
    held = rows[rows["absolute_gain_high"] >= 0]
    if held.empty:
        return {}
    lowest = {
        measure: held[measure].idxmin() for measure in ("absolute_gain", "relative_gain", "wasserstein", "energy")
    }
    return lowest | {"robustness": rows["robustness"].idxmax()}


def _gains(overall: pd.DataFrame, metrics: list[str], attacks: list[str], domain: str) -> Table:
    gains = overall.pivot(index="attack", columns="metric", values="absolute_gain").loc[attacks, metrics]
    return Table(
        columns=("attack", *metrics),
        rows=tuple((attack, *map(_number, row)) for attack, row in zip(attacks, gains.to_numpy(), strict=True)),
        caption=f"Absolute gain of each metric (columns) under each attack (rows). {domain}",
        label="tab:robustness-attacks",
    )


def _number(value: float) -> str:
    # Adding zero takes the sign off a negative zero.
    return NOTHING if np.isnan(value) else f"{round(value, 3) + 0.0:.3f}".replace("-", "\N{MINUS SIGN}")


def _span(low: float, high: float) -> str:
    return "" if np.isnan(low) else f"({_number(low)}, {_number(high)})"
