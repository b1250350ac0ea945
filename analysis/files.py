"""Files of a report: the same content gives the same bytes, and none is ever half written."""

import json
import os
import tempfile
from pathlib import Path

import pandas as pd

from analysis.errors import AnalysisError

__all__ = ["csv_text", "json_text", "write_files"]


def csv_text(table: pd.DataFrame, *, digits: int = 12) -> str:
    """CSV without the index, numbers to `digits` digits (17 lose nothing)."""
    return table.to_csv(index=False, float_format=f"%.{digits}g", lineterminator="\n")


def json_text(document: dict) -> str:
    """JSON as the reports write it."""
    return json.dumps(document, indent=2, allow_nan=False, ensure_ascii=False) + "\n"


def write_files(contents: dict[str, str | bytes], folder: Path) -> list[Path]:
    """Write each text (in UTF-8) or bytes under its name into `folder`, made if missing; each replaced in one step.

    A name may have a folder in front (`tables/ranking.csv`), which is made too.

    Raises AnalysisError where the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            target = folder / name
            target.parent.mkdir(exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(content.encode() if isinstance(content, str) else content)
                    file.flush()
                    os.fsync(file.fileno())
                os.chmod(temporary, 0o644)
                os.replace(temporary, target)
            except BaseException:
                Path(temporary).unlink(missing_ok=True)
                raise
    except OSError as error:
        raise AnalysisError(
            f"the report cannot be written to {folder}: {error.strerror or error}; choose another folder"
        ) from None
    return [folder / name for name in contents]
