"""Write a study's ranking as files: everything as JSON, tables, figures, methods and one self-contained page."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from analysis.drawing import Drawing
from analysis.errors import AnalysisError
from analysis.files import csv_text, json_text, write_files
from analysis.options import check_choice, check_level, check_resamples, check_seed
from analysis.page import render_page
from analysis.ranking.result import BradleyTerryResult
from analysis.report.document import describe_analysis
from analysis.report.figures import FIGURES, report_figures
from analysis.report.main_ranking import GENERALISE
from analysis.report.methods import describe_methods
from analysis.report.ranking_tables import comparison_table, ranking_frame, ranking_table
from analysis.report.section_tables import objective_table, section_tables
from analysis.report.study_analysis import Missing, ReportOptions, StudyAnalysis, analyse_study
from analysis.report.study_votes import votes_digest
from analysis.report.words import boxes_sentence, report_words
from analysis.tables import Table, latex_table, markdown_table, markdown_text
from analysis.votes import OPTIONAL_COLUMNS, REQUIRED_COLUMNS, validate_votes

__all__ = ["ReportFiles", "write_report"]

# Tables that get files of their own; the others are in the page, and their numbers in results.json.
TABLES = ("ranking", "comparisons", "sources", "metrics", "participants", "objective")
# What earlier versions wrote beside the page.
_FORMER = ("ranking.csv", "comparisons.csv", "ranking.json", "forest.svg")


@dataclass(frozen=True, eq=False)
class ReportFiles:
    """Paths of what was written, the fitted ranking, and `document`: what results.json holds.

    tables: by file name, such as "ranking.csv"; figures: such as "forest.pdf". boxes: a sentence about characters that
    the figures show as boxes, as this machine has no font for them; empty where there are none.
    """

    report_html: Path
    results_json: Path
    methods_md: Path
    tables: dict[str, Path]
    figures: dict[str, Path]
    boxes: str
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
    ties: str = "davidson",
    generalise: str | None = None,
    screening: str = "as-given",
    objective: pd.DataFrame | None = None,
    resamples: int = 1000,
    file: str | Path | None = None,
) -> ReportFiles:
    """Rank the conditions of a vote table and write report.html, results.json, methods.md, tables/ and figures/.

    votes: as `validate_votes` takes them. out: a folder, made if missing. Nothing is written unless the ranking could
    be computed, each file is replaced in one step, and those of an earlier report that this one lacks are removed. The
    same votes, options and installation give the same bytes. Parts of the report that the votes do not allow say why.
    title: heading of the page. seed: of everything drawn at random. level: of all intervals. target_metric: which to
    rank; without it several are pooled, and each is ranked as well.
    ties: as `fit_bradley_terry` takes it. generalise: "sources" for intervals that hold for other clips too,
    "these-sources" for those shown; None: "sources" where there are at least 5. screening: a name of SCREENING_RULES.
    objective: what `read_objective` read from manifests. resamples: of the bootstrap and of correlations.
    file: where the votes were read from; its name and SHA-256 go into the report.
    Raises AnalysisError (unreadable votes, scores that the votes do not determine, a folder that cannot be written).
    """
    check_seed(seed)
    check_level(level)
    check_resamples(resamples)
    if generalise is not None:
        check_choice("generalise", generalise, GENERALISE)
    table = validate_votes(votes)
    # Others are of no use here, and every selection of rows would copy them.
    table = table[[column for column in table if column in REQUIRED_COLUMNS or column in OPTIONAL_COLUMNS]]
    options = ReportOptions(seed, level, target_metric, ties, generalise, screening, resamples)
    analysis = analyse_study(table, options, objective)
    frame = ranking_frame(analysis)
    document = describe_analysis(analysis, frame, title=title, source=_source(table, file))
    tables = {"ranking": ranking_table(analysis, frame), "comparisons": comparison_table(analysis)}
    tables |= section_tables(analysis)
    if (found := objective_table(analysis)) is not None:
        tables["objective"] = found
    drawings = report_figures(analysis, frame)
    boxes = boxes_sentence("".join(sorted({letter for drawing in drawings.values() for letter in drawing.boxes})))
    methods = describe_methods(analysis, document)
    contents = {"results.json": json_text(document), "methods.md": _methods_text(methods, title)}
    contents |= _table_files(analysis, frame, tables) | _figure_files(drawings)
    contents["report.html"] = render_page(
        document,
        tables=tables,
        figures={name: drawing.svg for name, drawing in drawings.items()},
        words=report_words(analysis, document)
        | {"methods": methods, "files": _summary_of(contents), "boxes_sentence": boxes},
    )
    folder = Path(out)
    paths = dict(zip(contents, write_files(contents, folder), strict=True))
    _remove_older(folder, kept=set(contents))
    return ReportFiles(
        report_html=paths["report.html"],
        results_json=paths["results.json"],
        methods_md=paths["methods.md"],
        tables={path.name: path for name, path in paths.items() if name.startswith("tables/")},
        figures={path.name: path for name, path in paths.items() if name.startswith("figures/")},
        boxes=boxes,
        result=analysis.main.result,
        document=document,
    )


def _source(table: pd.DataFrame, file: str | Path | None) -> dict:
    known = {"rows": len(table), "sha256": votes_digest(table), "file": None, "file_sha256": None}
    if file is not None:
        path = Path(file)
        known |= {"file": path.name, "file_sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    return known


def _table_files(analysis: StudyAnalysis, frame: pd.DataFrame, tables: dict[str, Table]) -> dict[str, str]:
    exact = {
        "ranking": frame.reset_index(),
        "comparisons": analysis.comparisons,
        "participants": analysis.votes.screening.participants,
    }
    if not isinstance(analysis.content, Missing):
        exact["sources"] = analysis.content.by_source
    if not isinstance(analysis.metrics, Missing):
        exact["metrics"] = analysis.metrics.table()
    if "objective" in tables:
        found = {metric: record for metric, record in analysis.objective.items() if not isinstance(record, Missing)}
        parts = [record.table.assign(target_metric=metric) for metric, record in found.items()]
        exact["objective"] = pd.concat(parts, ignore_index=True)
    files = {}
    for name in TABLES:
        if name in exact:
            files[f"tables/{name}.csv"] = csv_text(exact[name], digits=17)
        if name in tables:
            files[f"tables/{name}.md"] = markdown_table(tables[name])
            files[f"tables/{name}.tex"] = latex_table(tables[name])
    return files


def _figure_files(drawings: dict[str, Drawing]) -> dict[str, str | bytes]:
    files = {}
    for name, drawing in drawings.items():
        files |= drawing.files(f"figures/{name}")
    return files


def _methods_text(paragraphs: tuple[str, ...], title: str) -> str:
    # Square brackets are the places to fill in, which markdown_text would escape.
    return "\n\n".join([f"# {markdown_text(title)}: methods", *paragraphs]) + "\n"


def _summary_of(names: Iterable[str]) -> list[str]:
    """File names for a footer: folders with the kinds of files in them."""
    found: dict[str, dict[str, None]] = {}
    for name in names:
        folder, _, file = name.rpartition("/")
        found.setdefault(folder, {})[file.partition(".")[0] if folder else file] = None
    return [*found.pop(""), *(f"{folder}/ ({', '.join(files)})" for folder, files in found.items())]


def _remove_older(folder: Path, *, kept: set[str]) -> None:
    known = [f"tables/{name}.{kind}" for name in TABLES for kind in ("csv", "md", "tex")]
    known += [f"figures/{name}.{kind}" for name in FIGURES for kind in ("svg", "pdf")]
    for name in {*known, *_FORMER} - kept:
        try:
            (folder / name).unlink(missing_ok=True)
        except OSError as error:
            raise AnalysisError(f"an older {name} in {folder} cannot be removed: {error.strerror}") from None
