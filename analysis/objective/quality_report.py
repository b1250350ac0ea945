"""Files of the table of objective quality."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd

from analysis.files import csv_text, write_files
from analysis.objective.quality_table import MEASURES, QualityTable
from analysis.tables import latex_table, markdown_table

__all__ = ["write_quality_report"]


def write_quality_report(tables: Sequence[QualityTable], out: str | Path) -> list[Path]:
    """Write objective.csv (in the units of the manifest), objective.md and objective.tex into `out`.

    Each holds all tables; in the CSV the columns of `about`, the same in all, tell them apart.
    Raises AnalysisError where the folder cannot be written.
    """
    contents = {
        "objective.csv": csv_text(pd.DataFrame(_rows(tables))),
        "objective.md": "\n".join(markdown_table(quality.table) for quality in tables),
        "objective.tex": "\n".join(latex_table(quality.table) for quality in tables),
    }
    return write_files(contents, Path(out))


def _rows(tables: Sequence[QualityTable]) -> Iterator[dict]:
    for quality in tables:
        for row in quality.conditions:
            estimates = {
                f"{measure.key}_{part}": getattr(row.estimates[measure.key], part)
                for measure in MEASURES
                for part in ("mean", "low", "high", "n")
            }
            mark = {True: "true", False: "false", None: None}[row.speed_matched]
            yield (
                quality.about | {"condition": row.condition, "sources": row.sources, "speed_matched": mark} | estimates
            )
