"""The tables of a report: exact ones for programs, rounded ones for people."""

import numpy as np
import pandas as pd

from analysis.drawing import signed
from analysis.report.study_analysis import Missing, StudyAnalysis
from analysis.report.summary import counted, p_value, percent
from analysis.tables import NOTHING, Table

__all__ = ["comparison_table", "frame_table", "interval_cells", "ranking_frame", "ranking_table"]


def ranking_frame(analysis: StudyAnalysis) -> pd.DataFrame:
    """One row per condition, best first: scores, intervals, ranks, JOD and preference over the reference.

    Index condition. rank, rank_low, rank_high; score, standard_error, low, high in the gauge and unit of the ranking;
    low_participants, high_participants: the same for new people judging the same sources; jod, jod_low, jod_high:
    against the reference where it is ranked, else in the ranking's gauge; against_reference, against_reference_low,
    against_reference_high: probability of being preferred (only where the reference is ranked); wins, losses, ties.
    """
    result, level, reference = analysis.main.result, analysis.options.level, analysis.reference
    table = result.to_frame(level)
    by_participant = analysis.main.by_participant.interval(level).add_suffix("_participants")
    jod = result.in_jod() if reference is None else result.in_jod().anchored(reference)
    parts = [table, by_participant, jod.scores.rename("jod"), jod.interval(level).add_prefix("jod_")]
    if not isinstance(analysis.ranks, Missing):
        parts.append(analysis.ranks[["low", "high"]].add_prefix("rank_"))
    if reference is not None:
        against = result.probability_against(reference, level=level).add_prefix("against_reference_")
        parts.append(against.rename(columns={"against_reference_probability": "against_reference"}))
    return pd.concat([part.reindex(table.index) for part in parts], axis=1)


def ranking_table(analysis: StudyAnalysis, frame: pd.DataFrame) -> Table:
    """The ranking for people."""
    result, reference = analysis.main.result, analysis.reference
    level = f"{100 * analysis.options.level:g} %"
    columns = ["Condition", "Score", "s.e.", f"{level} interval", "Rank"]
    if "rank_low" in frame:
        columns.append("Rank, interval")
    columns.append("JOD" if reference is None else f"JOD against {reference}")
    if reference is not None:
        columns.append(f"Preferred over {reference}")
    columns += ["Won", "Lost", "Tied"]
    rows = []
    for condition, row in frame.iterrows():
        cells = [
            condition,
            signed(row["score"]),
            f"{row['standard_error']:.2f}",
            interval_cells(row["low"], row["high"]),
        ]
        cells.append(f"{row['rank']:.0f}")
        if "rank_low" in frame:
            cells.append(_ranks(row["rank_low"], row["rank_high"]))
        cells.append(NOTHING if condition == reference else signed(row["jod"]))
        if reference is not None:
            cells.append(
                NOTHING
                if condition == reference
                else f"{percent(row['against_reference'])} ({percent(row['against_reference_low'])} to "
                f"{percent(row['against_reference_high'])})"
            )
        rows.append((*cells, *(f"{row[name]:.0f}" for name in ("wins", "losses", "ties"))))
    return Table(
        tuple(columns),
        tuple(rows),
        caption=f"Scores in logits ({result.gauge}) with {level} intervals; "
        f"{counted(result.n_votes, 'vote')} of {counted(result.n_participants, 'participant')} on "
        f"{counted(result.n_sources, 'source')}.",
        label="tab:ranking",
    )


def comparison_table(analysis: StudyAnalysis) -> Table:
    """Every pair, the higher score first; pairs told apart are bold."""
    level = analysis.options.level
    rows, bold = [], set()
    for i, row in enumerate(analysis.comparisons.itertuples()):
        apart = row.p_adjusted < 1 - level
        if apart:
            bold.add((i, 6))
        rows.append(
            (
                f"{row.first} over {row.second}",
                signed(row.difference),
                f"{row.standard_error:.2f}",
                percent(row.probability),
                f"{percent(row.low)} to {percent(row.high)}",
                p_value(row.p),
                p_value(row.p_adjusted),
            )
        )
    return Table(
        ("Pair", "Difference", "s.e.", "Preferred", f"{100 * level:g} % interval", "p", "p, Holm"),
        tuple(rows),
        caption=f"Differences of scores in logits, and how often the first is preferred. Bold: told apart (p below "
        f"{1 - level:g} after Holm's adjustment for {counted(len(rows), 'pair')}).",
        label="tab:comparisons",
        bold=frozenset(bold),
    )


def frame_table(frame: pd.DataFrame, columns: dict[str, tuple], *, caption: str, label: str) -> Table:
    """Some columns of a frame as text. columns: name in the frame -> (heading, format of one value)."""
    rows = [
        tuple(NOTHING if _gap(value) else show(value) for value, (_, show) in zip(row, columns.values(), strict=True))
        for row in frame[list(columns)].itertuples(index=False)
    ]
    return Table(tuple(heading for heading, _ in columns.values()), tuple(rows), caption=caption, label=label)


def interval_cells(low: float, high: float) -> str:
    """Two signed numbers as an interval."""
    return f"{signed(low)} to {signed(high)}"


def _ranks(low: float, high: float) -> str:
    return f"{low:.0f}" if low == high else f"{low:.0f} to {high:.0f}"


def _gap(value) -> bool:
    return value is None or value is pd.NA or (isinstance(value, (float, np.floating)) and not np.isfinite(value))
