"""The page of a robustness report."""

from collections.abc import Mapping, Sequence

from analysis.page import fill_template, inline_svg
from analysis.robustness.score_table import ALL
from analysis.tables import Table

__all__ = ["render_robustness_page"]


def render_robustness_page(
    document: dict,
    tables: Sequence[Table],
    transfer_tables: Sequence[Table],
    figures: Mapping[str, str],
    *,
    files: Sequence[str],
) -> str:
    """HTML of a report that needs nothing but itself.

    document: as robustness.json holds it; figures: name -> SVG text; files: names of what is written beside the page.
    """
    return fill_template(
        "robustness.html",
        **document,
        notes=[row for row in document["scores"] if row["note"] and _is_own_line(row, document)],
        tables=tables,
        transfer_tables=transfer_tables,
        figures={name: inline_svg(svg) for name, svg in figures.items()},
        files=files,
    )


def _is_own_line(row: dict, document: dict) -> bool:
    """Whether no other row says the same: kinds of attacks repeat "all" or attacks, a single data set "all"."""
    attacks, datasets = document["attacks"], document["datasets"]
    return row["attack"] in (ALL, *attacks) and (row["dataset"] == ALL or len(datasets) > 1)
