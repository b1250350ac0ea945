"""Writing the vote table and its data dictionary to files."""

import importlib.util
import json
from dataclasses import dataclass
from pathlib import Path

from studyserver.errors import ExportUnavailable
from studyserver.files import write_whole
from studyserver.vote_columns import data_dictionary

__all__ = ["ExportResult", "write_vote_table"]


@dataclass(frozen=True)
class ExportResult:
    """The files written and the number of rows."""

    votes: int
    file: Path
    dictionary: Path


def write_vote_table(table, out: Path) -> ExportResult:
    """Write a vote table (pandas.DataFrame) as csv, json or parquet, by the name's ending, with its data dictionary.

    Both files appear whole or not at all. Raises ExportUnavailable for another ending, for parquet without
    pyarrow, and where the folder cannot be written.
    """
    writers = {
        ".csv": lambda path: table.to_csv(path, index=False, lineterminator="\n"),
        ".json": lambda path: table.to_json(path, orient="records", indent=1),
        ".parquet": lambda path: table.to_parquet(path, index=False, engine="pyarrow"),
    }
    writer = writers.get(out.suffix.lower())
    if writer is None:
        raise ExportUnavailable(f"the file's name must end in .csv, .json or .parquet, got {out.name!r}")
    if out.suffix.lower() == ".parquet" and importlib.util.find_spec("pyarrow") is None:
        raise ExportUnavailable("writing parquet needs the package pyarrow: pip install pyarrow, or choose .csv")
    dictionary = out.with_name(f"{out.stem}_dictionary.json")
    columns = json.dumps(data_dictionary(), indent=2, ensure_ascii=False) + "\n"
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        write_whole(out, writer)
        write_whole(dictionary, lambda path: path.write_text(columns))
    except OSError as error:
        raise ExportUnavailable(f"cannot write {out}: {error.strerror or error}; choose another --out") from error
    return ExportResult(votes=len(table), file=out, dictionary=dictionary)
