"""The output folder of a benchmark: finished jobs under the hash of all that decides them, and what is made of them.

DIR/scores.csv         one row per frame, setting, metric; written in one step
DIR/benchmark.json     what was run
DIR/.work/cells/       results of jobs
DIR/.work/sources/     what looking into the sources found
"""

import contextlib
import csv
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from stimuli.benchmark_cells import Cell, CellResult
from stimuli.errors import SetConflict
from stimuli.writing import locked, open_whole, write_whole

__all__ = ["BenchmarkFolder"]


class BenchmarkFolder:
    """An output folder, locked while open. Use `BenchmarkFolder.open`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._cells = path / ".work" / "cells"
        self._sources = path / ".work" / "sources"
        self._clear: dict[str, CellResult] = {}

    @classmethod
    @contextlib.contextmanager
    def open(cls, path: Path) -> Iterator["BenchmarkFolder"]:
        """Lock the folder, making it where it is missing.

        Raises: SetConflict where another run is at work, or the folder holds other files.
        """
        folder = cls(path)
        if path.exists() and not path.is_dir():
            raise SetConflict(f"{path} is a file; give --out a folder.")
        if path.is_dir() and any(path.iterdir()) and not folder._cells.is_dir():
            raise SetConflict(f"{path} is not empty and was not begun by evaluate_robustness; choose another --out.")
        folder._cells.mkdir(parents=True, exist_ok=True)
        folder._sources.mkdir(exist_ok=True)
        with locked(path):
            yield folder

    def result(self, cell: Cell) -> CellResult | None:
        """Of a job that was done, with or without failures."""
        key = cell.fingerprint
        if key in self._clear:
            return self._clear[key]
        document = _read(self._cells / f"{key}.json")
        if document is None:
            return None
        result = CellResult.from_document(document["result"])
        self._remember(cell, result)
        return result

    def keep(self, cell: Cell, result: CellResult) -> None:
        """A job's result, and beside it what the job was."""
        document = {"cell": cell.label, "result": result.to_document()}
        write_whole(self._cells / f"{cell.fingerprint}.json", json.dumps(document, allow_nan=False).encode())
        self._remember(cell, result)

    def _remember(self, cell: Cell, result: CellResult) -> None:
        """Scores of frames as they are: every comparison asks for them, and there are few."""
        if cell.attack is None:
            self._clear[cell.fingerprint] = result

    def known(self, key: str, find: Callable[[], dict]) -> dict:
        """What was found under `key` by an earlier run, or is found now."""
        path = self._sources / f"{key}.json"
        document = _read(path)
        if document is None:
            document = find()
            write_whole(path, json.dumps(document).encode())
        return document

    def write_table(self, columns: Iterable[str], rows: Iterable[tuple]) -> int:
        """scores.csv; returns the number of rows."""
        written = 0
        with open_whole(self.path / "scores.csv", "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(columns)
            for row in rows:
                writer.writerow(row)
                written += 1
        return written

    def write_document(self, document: dict) -> None:
        """benchmark.json."""
        write_whole(self.path / "benchmark.json", (json.dumps(document, indent=2, allow_nan=False) + "\n").encode())


def _read(path: Path) -> dict | None:
    try:
        return json.loads(path.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return None
