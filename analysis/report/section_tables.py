"""The tables of a report's later sections, rounded for people."""

import pandas as pd

from analysis.drawing import signed
from analysis.report.ranking_tables import frame_table, interval_cells
from analysis.report.study_analysis import Missing, StudyAnalysis
from analysis.report.summary import p_value, percent
from analysis.tables import NOTHING, Table

__all__ = ["metric_table", "objective_table", "participant_table", "section_tables", "source_table"]

_INTERVALS = {
    "report": "In this report",
    "independent_votes": "Independent votes",
    "participants": "By participant",
    "two_way": "By participant and source",
    "bootstrap_participants": "Bootstrap, participants",
    "bootstrap_both": "Bootstrap, both",
}
_MOST_RESIDUALS = 12
_SHOWN_DECISIONS = ("remove", "down-weight", "set aside")


def section_tables(analysis: StudyAnalysis) -> dict[str, Table]:
    """Tables by name; those of parts that could not be computed are absent."""
    found = {
        "intervals": (analysis.intervals, _intervals),
        "separation": (analysis.separation, _separation),
        "ties": (analysis.tie_models, _ties),
        "rules": (analysis.rules, _rules),
        "residuals": (analysis.goodness, _residuals),
        "metrics": (analysis.metrics, lambda _: metric_table(analysis)),
        "sources": (analysis.content, lambda _: source_table(analysis)),
        "participants": (analysis.votes.screening, lambda _: participant_table(analysis)),
    }
    tables = {name: make(record) for name, (record, make) in found.items() if not isinstance(record, Missing)}
    return {name: table for name, table in tables.items() if table is not None and table.rows}


def metric_table(analysis: StudyAnalysis) -> Table | None:
    """Scores of each target metric's ranking beside each other."""
    if isinstance(analysis.metrics, Missing):
        return None
    fits = {group.group: group.result for group in analysis.metrics.groups if group.result is not None}
    order = analysis.main.result.to_frame(analysis.options.level).index
    return _beside(
        {"Pooled": analysis.main.result, **fits},
        order,
        caption="Scores (ranks) by target metric, in logits, each with its own sum of scores = 0.",
        label="tab:metrics",
    )


def source_table(analysis: StudyAnalysis) -> Table | None:
    """Scores of each condition on each source, drawn to the pooled ones as far as the votes do not tell them apart."""
    if (
        isinstance(analysis.content, Missing)
        or analysis.content.by_source is None
        or not len(analysis.content.by_source)
    ):
        return None
    long = analysis.content.by_source
    order = list(analysis.main.result.to_frame().index)
    votes = long.groupby("source", sort=False, observed=True)["n_votes"].sum() // 2
    wide = long.pivot(index="source", columns="condition", values="score").reindex(columns=order).loc[votes.index]
    rows = tuple(
        (
            str(source),
            f"{votes[source]:.0f}",
            *(NOTHING if pd.isna(score) else signed(score) for score in wide.loc[source]),
        )
        for source in wide.index
    )
    return Table(
        ("Source", "Votes", *order),
        rows,
        caption="Scores on each source in logits, shrunk to the pooled ranking.",
        label="tab:sources",
    )


def participant_table(analysis: StudyAnalysis) -> Table | None:
    """Participants who do not count in full, with the reason."""
    people = analysis.votes.screening.participants
    people = people[people["decision"].isin(_SHOWN_DECISIONS).to_numpy()]
    checked = people[["verification_right", "n_verification"]].to_numpy()
    people = people.assign(verification=[f"{right} of {asked} right" if asked else "none" for right, asked in checked])
    columns = {
        "participant": ("Participant", str),
        "n_votes": ("Votes", "{:.0f}".format),
        "verification": ("Verification pairs", str),
        "p_honest": ("P(honest)", "{:.2f}".format),
        "weight": ("Weight", "{:.2f}".format),
        "decision": ("Decision", str),
        "reason": ("Reason", str),
    }
    return frame_table(
        people,
        {name: shown for name, shown in columns.items() if name in people},
        caption=f"Participants who do not count in full under the rule {analysis.votes.screening.rule}.",
        label="tab:participants",
    )


def objective_table(analysis: StudyAnalysis) -> Table | None:
    """Correlation of every objective measure with the scores."""
    if isinstance(analysis.objective, Missing):
        return None
    found = {metric: record for metric, record in analysis.objective.items() if not isinstance(record, Missing)}
    if not found:
        return None
    several = len(found) > 1
    rows = []
    for metric, record in found.items():
        for _, row in record.table.iterrows():
            name = row.get("heading", row["measure"])
            place = f"{name}, {row['over']}" + (f", {metric}" if several else "")
            rows.append((place, f"{row['n']:.0f}", *(_correlation(row, kind) for kind in ("srocc", "plcc", "krocc"))))
    return Table(
        ("Measure", "n", "SROCC", "PLCC", "KROCC"),
        tuple(rows),
        caption=f"Correlation of objective measures with the scores, {100 * analysis.options.level:g} % intervals.",
        label="tab:objective",
    )


def _correlation(row: pd.Series, kind: str) -> str:
    if pd.isna(row[kind]):
        return NOTHING
    if pd.isna(row[f"{kind}_low"]):
        return signed(row[kind])
    return f"{signed(row[kind])} ({interval_cells(row[f'{kind}_low'], row[f'{kind}_high'])})"


def _intervals(frame: pd.DataFrame) -> Table:
    kinds = [name for name in _INTERVALS if f"{name}_low" in frame]
    rows = tuple(
        (condition, *(interval_cells(row[f"{kind}_low"], row[f"{kind}_high"]) for kind in kinds))
        for condition, row in frame.iterrows()
    )
    return Table(
        ("Condition", *(_INTERVALS[kind] for kind in kinds)),
        rows,
        caption="Intervals of the scores under different assumptions, in logits.",
        label="tab:intervals",
    )


def _separation(frame: pd.DataFrame) -> Table:
    columns = {
        "pair": ("Neighbours", str),
        "difference": ("Difference", signed),
        "needed": ("Votes needed in all", _votes),
        "more": ("More than now", _votes),
    }
    if "participants" in frame:
        columns["participants"] = ("Participants", _votes)
    if "sources" in frame:
        columns["sources"] = ("Sources", _votes)
    named = frame.assign(pair=[f"{first} over {second}" for first, second in frame[["first", "second"]].to_numpy()])
    return frame_table(
        named, columns, caption="Votes that would separate neighbours in the ranking.", label="tab:votes"
    )


def _votes(count: float) -> str:
    return "1 million and more" if count >= 1e6 else f"{count:,.0f}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def _ties(record) -> Table:
    names = {"davidson": "Davidson", "rao-kupper": "Rao–Kupper", "half": "Half wins"}
    rows = tuple(
        (condition, *(f"{signed(row[f'score_{ties}'])} ({row[f'rank_{ties}']:.0f})" for ties in record.models))
        for condition, row in record.table.iterrows()
    )
    return Table(
        ("Condition", *(names[ties] for ties in record.models)),
        rows,
        caption="Scores (ranks) under each model of ties.",
        label="tab:ties",
    )


def _rules(rankings) -> Table | None:
    fits = {ruled.title: ruled.result for ruled in rankings if ruled.result is not None}
    if not fits:
        return None
    order = max((result.to_frame() for result in fits.values()), key=len).index
    return _beside(fits, order, caption="Scores (ranks) under each screening rule, in logits.", label="tab:rules")


def _beside(fits: dict, order: pd.Index, *, caption: str, label: str) -> Table:
    frames = {name: result.to_frame() for name, result in fits.items()}
    rows = tuple(
        (
            condition,
            *(
                f"{signed(frame.loc[condition, 'score'])} ({frame.loc[condition, 'rank']})"
                if condition in frame.index
                else NOTHING
                for frame in frames.values()
            ),
        )
        for condition in order
    )
    return Table(("Condition", *frames), rows, caption=caption, label=label)


def _residuals(record) -> Table | None:
    frame = record.residuals.dropna(subset="residual")
    frame = frame.reindex(frame["residual"].abs().sort_values(ascending=False, kind="stable").index)[:_MOST_RESIDUALS]
    named = frame.assign(pair=[f"{first} over {second}" for first, second in frame[["first", "second"]].to_numpy()])
    columns = {
        "pair": ("Pair", str),
        "votes": ("Votes", "{:.0f}".format),
        "expected": ("Expected", percent),
        "observed": ("Observed", percent),
        "residual": ("Residual", signed),
        "p_adjusted": ("p, Holm", p_value),
    }
    return frame_table(named, columns, caption="Pairs that the model describes worst.", label="tab:residuals")
