"""Write a study's ranking as files: tables, figure and one self-contained page."""

from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from analysis.document import describe_ranking
from analysis.errors import InvalidOption
from analysis.figures import forest_svg, preference_svg
from analysis.files import csv_text, json_text, write_files
from analysis.fit import fit_bradley_terry
from analysis.options import check_seed
from analysis.page import render_page
from analysis.result import BradleyTerryResult
from analysis.votes import validate_votes

__all__ = ["ReportFiles", "write_report"]


@dataclass(frozen=True, eq=False)
class ReportFiles:
    """Paths of what was written, the fitted ranking, and `document`: what ranking.json holds."""

    ranking_csv: Path
    comparisons_csv: Path
    ranking_json: Path
    forest_svg: Path
    report_html: Path
    result: BradleyTerryResult = field(repr=False)
    document: dict = field(repr=False)


def write_report(
    votes: pd.DataFrame,
    out: str | Path,
    *,
    title: str,
    seed: int = 0,
    level: float = 0.95,
    target_metric: str | None = None,
) -> ReportFiles:
    """Rank the conditions of a vote table; write ranking.csv, comparisons.csv, ranking.json, forest.svg, report.html.

    votes: as `validate_votes` takes them; ties count as half wins, intervals are clustered by participant.
    out: a folder, made if missing. Nothing is written unless everything could be computed, and each file is replaced
    in one step. The same votes, title, seed and level give the same bytes on the same installation.
    title: heading of the page. seed: of the random halves of participants whose agreement the page reports.
    level: of all intervals. target_metric: which to rank where the votes hold several.
    Raises AnalysisError (unreadable votes, scores that the votes do not determine, a folder that cannot be written).
    """
    check_seed(seed)
    table = _select(validate_votes(votes), target_metric)
    result = fit_bradley_terry(table)
    comparisons = result.compare(level=level)
    ranking, document = describe_ranking(table, result, title=title, seed=seed, level=level)
    reference = document["reference"]
    order = list(ranking.index)
    forest = forest_svg(ranking, reference=reference, level=level)
    preference = preference_svg(result.probabilities().loc[order, order], _clearly_different(comparisons, order, level))
    contents = {
        "ranking.csv": csv_text(ranking.reset_index()),
        "comparisons.csv": csv_text(comparisons),
        "ranking.json": json_text(document),
        "forest.svg": forest,
        "report.html": render_page(document, forest=forest, preference=preference),
    }
    paths = write_files(contents, Path(out))
    return ReportFiles(**{path.name.replace(".", "_"): path for path in paths}, result=result, document=document)


def _select(table: pd.DataFrame, target_metric: str | None) -> pd.DataFrame:
    if target_metric is None:
        return table
    known = list(table["target_metric"].cat.categories) if "target_metric" in table else []
    if target_metric not in known:
        raise InvalidOption(
            f"no vote has the target metric {target_metric!r}; the votes name {', '.join(known) or 'none'}"
        )
    return table[(table["target_metric"] == target_metric).to_numpy()]


def _clearly_different(comparisons: pd.DataFrame, order: list[str], level: float) -> pd.DataFrame:
    clear = pd.DataFrame(False, index=order, columns=order)
    for row in comparisons[comparisons["p_adjusted"] < 1 - level].itertuples():
        clear.loc[row.first, row.second] = clear.loc[row.second, row.first] = True
    return clear
