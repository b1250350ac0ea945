"""Writing a table and its data dictionary to files."""

import importlib.util
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from studyserver.columns import Column, dictionary_of
from studyserver.errors import ExportUnavailable
from studyserver.files import write_whole

__all__ = ["ExportResult", "csv_text", "write_table"]

# What makes a spreadsheet take a cell for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class ExportResult:
    """The files written and the number of rows."""

    rows: int
    file: Path
    dictionary: Path


def write_table(table, columns: Sequence[Column], out: Path) -> ExportResult:
    """Write a table (pandas.DataFrame) as csv, json or parquet, by the name's ending, with its data dictionary.

    In csv, free text that a spreadsheet would run as a formula gets an apostrophe in front. Both files appear whole
    or not at all. Raises ExportUnavailable for another ending, for parquet without pyarrow, and where the folder
    cannot be written.
    """
    writers = {
        ".csv": lambda path: _harmless(table, columns).to_csv(path, index=False, lineterminator="\n"),
        ".json": lambda path: table.to_json(path, orient="records", indent=1),
        ".parquet": lambda path: table.to_parquet(path, index=False, engine="pyarrow"),
    }
    writer = writers.get(out.suffix.lower())
    if writer is None:
        raise ExportUnavailable(f"the file's name must end in .csv, .json or .parquet, got {out.name!r}")
    if out.suffix.lower() == ".parquet" and importlib.util.find_spec("pyarrow") is None:
        raise ExportUnavailable("writing parquet needs the package pyarrow: pip install pyarrow, or choose .csv")
    dictionary = out.with_name(f"{out.stem}_dictionary.json")
    meanings = json.dumps(dictionary_of(columns), indent=2, ensure_ascii=False) + "\n"
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        write_whole(out, writer)
        write_whole(dictionary, lambda path: path.write_text(meanings))
    except OSError as error:
        raise ExportUnavailable(f"cannot write {out}: {error.strerror or error}; choose another --out") from error
    return ExportResult(rows=len(table), file=out, dictionary=dictionary)


def csv_text(table, columns: Sequence[Column]) -> str:
    """Return a table as the text of a csv file, as `write_table` writes it."""
    return _harmless(table, columns).to_csv(index=False, lineterminator="\n")


def _harmless(table, columns: Sequence[Column]):
    """Return a copy in which no free text begins like a formula."""
    table = table.copy()
    for column in columns:
        if column.free_text:
            runs = table[column.name].str.startswith(_FORMULA).fillna(False)
            table[column.name] = table[column.name].mask(runs, "'" + table[column.name])
    return table
