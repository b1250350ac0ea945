"""A recruitment service's list of the people it sent, as the researcher has it."""

import csv
from pathlib import Path

from studyserver.errors import InvalidIdentifiers

__all__ = ["read_identifiers"]


def read_identifiers(path: Path, column: str | None = None) -> list[str]:
    """Return the identifiers in a column of a CSV file with a header: `column`, or the first one.

    Raises InvalidIdentifiers where the file cannot be read, has no such column or names nobody.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.reader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or "it is no CSV file in UTF-8"
        raise InvalidIdentifiers(f"cannot read {path}: {reason}") from None
    header = rows[0] if rows else []
    name = column or (header[0] if header else "")
    if name not in header:
        raise InvalidIdentifiers(f"{path.name} has no column {name!r}; there are: {', '.join(header) or 'none'}")
    at = header.index(name)
    found = [row[at].strip() for row in rows[1:] if len(row) > at and row[at].strip()]
    if not found:
        raise InvalidIdentifiers(f"{path.name} names nobody in its column {name!r}")
    return found
