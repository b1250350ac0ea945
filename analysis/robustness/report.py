"""Write the robustness of metrics as files: tables, figures and one self-contained page."""

from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from analysis.errors import AnalysisError
from analysis.files import csv_text, json_text, write_files
from analysis.options import check_level, check_seed
from analysis.robustness.distribution_figure import distributions_svg
from analysis.robustness.document import describe_robustness
from analysis.robustness.figures import gains_svg, strength_svg, transfer_by_attack_svg, transfer_svg
from analysis.robustness.numbers import robustness_table, strength_table, tabled_rows, transfer_table
from analysis.robustness.page import render_robustness_page
from analysis.robustness.score_domains import Domain, transformed
from analysis.robustness.score_table import ALL, ITERATIVE, UNIVERSAL, validate_scores
from analysis.robustness.tables import robustness_tables, transfer_tables
from analysis.tables import latex_table, markdown_table, markdown_text

__all__ = ["RobustnessFiles", "write_robustness_report"]

_ABSOLUTE, _RELATIVE = "Absolute gain", "Relative gain"


@dataclass(frozen=True, eq=False)
class RobustnessFiles:
    """Paths of what was written, and `document`: what robustness.json holds.

    None: the scores were all of one strength (strength_*), were all by the metric attacked (transfer_*), or transfer
    was measured for one attack only (transfer_by_attack_svg).
    """

    robustness_csv: Path
    robustness_md: Path
    robustness_tex: Path
    robustness_json: Path
    robustness_html: Path
    gains_svg: Path
    distributions_svg: Path
    strength_csv: Path | None = None
    strength_svg: Path | None = None
    transfer_csv: Path | None = None
    transfer_md: Path | None = None
    transfer_tex: Path | None = None
    transfer_svg: Path | None = None
    transfer_by_attack_svg: Path | None = None
    document: dict = field(repr=False, default_factory=dict)


def write_robustness_report(
    scores: pd.DataFrame,
    out: str | Path,
    *,
    domain: str = "raw",
    reference_metric: str | None = None,
    transport: str | Path | None = None,
    level: float = 0.95,
    seed: int = 0,
    title: str = "Robustness of quality metrics",
) -> RobustnessFiles:
    """Judge every metric of a score table; write the files of RobustnessFiles.

    scores: as `validate_scores` takes them. out: a folder, made if missing. Nothing is written unless everything could
    be computed, each file is replaced in one step, and those of an earlier report that this one lacks are removed. The
    same scores, options and installation give the same bytes.
    domain: "raw", "quantile" (to the domain of `reference_metric`, one of the table's) or "neural" (to that of MDTVSFA
    by the benchmark's published maps in the file `transport`). level: of all intervals. seed: of the bootstrap.
    Raises AnalysisError (unreadable scores, options that do not fit, a folder that cannot be written).
    """
    check_level(level)
    check_seed(seed)
    scores, into = transformed(validate_scores(scores), domain, reference_metric=reference_metric, transport=transport)
    rows = tabled_rows(scores)
    table = robustness_table(rows, level=level, seed=seed)
    strengths = strength_table(scores, level=level)
    transfer = transfer_table(scores, level=level)
    document = describe_robustness(table, strengths, transfer, domain=into, title=title, level=level, seed=seed)
    figures = _figures(rows, table, strengths, transfer, into)
    contents = {
        "robustness.csv": _exact_csv(table),
        "robustness.md": _markdown(document, table, level, into),
        "robustness.tex": "\n".join(
            latex_table(found) for found in robustness_tables(table, level=level, domain=into.sentence, stacked=True)
        ),
        "robustness.json": json_text(document),
    }
    if len(strengths):
        contents["strength.csv"] = _exact_csv(strengths)
    of_transfer = transfer_tables(transfer, domain=into.sentence) if len(transfer) else []
    if of_transfer:
        contents["transfer.csv"] = _exact_csv(transfer)
        contents["transfer.md"] = "\n".join(map(markdown_table, of_transfer))
        contents["transfer.tex"] = "\n".join(map(latex_table, of_transfer))
    contents |= figures
    contents["robustness.html"] = render_robustness_page(
        document,
        robustness_tables(table, level=level, domain=into.sentence),
        of_transfer,
        {name.removesuffix(".svg"): svg for name, svg in figures.items()},
        files=sorted(contents),
    )
    paths = {path.name.replace(".", "_"): path for path in write_files(contents, Path(out))}
    _remove_older(Path(out), kept=set(paths))
    return RobustnessFiles(**paths, document=document)


def _exact_csv(table: pd.DataFrame) -> str:
    """To the last digit, truths written as in the table of scores."""
    return csv_text(table.assign(lower_better=table["lower_better"].map({True: "true", False: "false"})), digits=17)


def _markdown(document: dict, table: pd.DataFrame, level: float, domain: Domain) -> str:
    parts = [f"# {markdown_text(document['title'])}\n", f"{markdown_text(document['answer'])}\n"]
    parts += [markdown_table(found) for found in robustness_tables(table, level=level, domain=domain.sentence)]
    return "\n".join(parts)


def _figures(
    rows: pd.DataFrame, table: pd.DataFrame, strengths: pd.DataFrame, transfer: pd.DataFrame, domain: Domain
) -> dict[str, str]:
    overall = table[table["dataset"] == ALL]
    single = overall[~overall["attack"].isin([ALL, ITERATIVE, UNIVERSAL])]
    metrics = {
        metric: f"{metric} (lower is better)" if lower_better else metric
        for metric, lower_better in single.groupby("metric", sort=False)["lower_better"].first().items()
    }
    attacks = list(single["attack"].unique())
    pairs = {
        (metric, attack): (cell["clear"].to_numpy(), cell["attacked"].to_numpy())
        for (metric, attack), cell in rows.groupby(["metric", "attack"], observed=True)
    }
    axis = "score" if domain.reference_metric is None else f"score in the domain of {domain.reference_metric}"
    figures = {
        "gains.svg": gains_svg(_matrix(single, "metric", "attack", "absolute_gain"), what=_ABSOLUTE),
        "distributions.svg": distributions_svg(pairs, metrics=metrics, attacks=attacks, axis=axis),
    }
    if len(strengths):
        gains = strengths.rename(
            columns={"absolute_gain": "gain", "absolute_gain_low": "low", "absolute_gain_high": "high"}
        )
        figures["strength.svg"] = strength_svg(gains, what=_ABSOLUTE)
    if len(transfer):
        matrices = {
            attack: _matrix(cell, "target_metric", "metric", "relative_gain")
            for attack, cell in transfer.groupby("attack", sort=False)
        }
        together = matrices.pop(ALL, None)
        if together is None:
            figures["transfer.svg"] = transfer_svg(next(iter(matrices.values())), what=_RELATIVE)
        else:
            figures["transfer.svg"] = transfer_svg(together, what=f"{_RELATIVE}, all attacks together")
            figures["transfer_by_attack.svg"] = transfer_by_attack_svg(matrices, what=_RELATIVE)
    return figures


def _matrix(cells: pd.DataFrame, rows: str, columns: str, value: str) -> pd.DataFrame:
    matrix = cells.pivot(index=rows, columns=columns, values=value)
    return matrix.loc[cells[rows].unique(), cells[columns].unique()]


def _remove_older(folder: Path, *, kept: set[str]) -> None:
    for name in RobustnessFiles.__dataclass_fields__:
        stem, _, suffix = name.rpartition("_")
        if name != "document" and name not in kept:
            try:
                (folder / f"{stem}.{suffix}").unlink(missing_ok=True)
            except OSError as error:
                raise AnalysisError(
                    f"an older {stem}.{suffix} in {folder} cannot be removed: {error.strerror}"
                ) from None
