"""Tables that leave the house: one list of columns makes a table, its header and its data dictionary."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

__all__ = ["Column", "dictionary_of", "frame_of", "moment"]


@dataclass(frozen=True)
class Column:
    """A column: its name, pandas type, meaning, and how to read it from a row's facts.

    `free_text`: people outside, or researchers, write what stands there (see `export.write_table`).
    """

    name: str
    dtype: str
    description: str
    value: Callable
    free_text: bool = False


def frame_of(columns: Sequence[Column], rows: Iterable):
    """Return a pandas.DataFrame with a row for each of the facts `rows`."""
    # Imported here: pandas takes a second, and the participants' pages do not need it.
    import pandas

    rows = list(rows)
    return pandas.DataFrame(
        {column.name: pandas.array([column.value(row) for row in rows], dtype=column.dtype) for column in columns}
    )


def dictionary_of(columns: Sequence[Column]) -> list[dict[str, str]]:
    """Return name, type and meaning of every column."""
    return [{"name": column.name, "type": column.dtype, "description": column.description} for column in columns]


def moment(when: datetime | None) -> str | None:
    """Return a moment as the tables have it: UTC, ISO 8601, to the millisecond."""
    return when.isoformat(timespec="milliseconds") if when else None
