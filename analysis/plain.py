"""Records as plain values: what JSON, and every reader of it, understands."""

import dataclasses
import math
from collections.abc import Mapping
from datetime import date

import numpy as np
import pandas as pd

__all__ = ["plain", "rows"]


def plain(value):
    """Dicts, lists, texts, numbers, truths and None for any record; a number that is not finite becomes None.

    A dataclass becomes a dict of its fields (those whose `metadata` has `plain=False` are left out), a DataFrame a list
    of rows (with its index where that has a name), a Series a dict, an array a list.
    Raises TypeError for anything else: a report must not hold what nobody can read back.
    """
    if value is None or isinstance(value, (bool, str)):
        return str(value) if isinstance(value, str) else value
    if isinstance(value, np.bool_):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return float(value) if math.isfinite(value) else None
    if value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, pd.DataFrame):
        return rows(value)
    if isinstance(value, pd.Series):
        return {str(label): plain(item) for label, item in value.items()}
    if isinstance(value, Mapping):
        return {str(label): plain(item) for label, item in value.items()}
    if isinstance(value, np.ndarray):
        return [plain(item) for item in value.tolist()]
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if dataclasses.is_dataclass(value):
        fields = (field for field in dataclasses.fields(value) if field.metadata.get("plain", True))
        return {field.name: plain(getattr(value, field.name)) for field in fields}
    raise TypeError(f"a report cannot hold a {type(value).__name__}")


def rows(table: pd.DataFrame) -> list[dict]:
    """The rows of a table as dicts; its index is a column of them where it has a name."""
    if any(name is not None for name in table.index.names):
        table = table.reset_index()
    columns = {str(name): [plain(item) for item in table[name].tolist()] for name in table.columns}
    return [dict(zip(columns, items, strict=True)) for items in zip(*columns.values(), strict=True)]
