"""The score table of a robustness benchmark: read it, check it once, name what is wrong with its row."""

import re
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.errors import InvalidScores
from analysis.labelled_csv import Row, first_true, read_labelled_csv, refuse_unknown, require_columns, text_labels

__all__ = [
    "ALL",
    "ITERATIVE",
    "SCORE_COLUMNS",
    "SETTINGS",
    "UNIVERSAL",
    "is_score_table",
    "is_universal",
    "read_scores",
    "validate_scores",
]

SCORE_COLUMNS = {
    "target_metric": "the metric that the attack raised",
    "metric": "the metric that gave the scores; another than the target only where transfer was measured",
    "lower_better": "`true` or `false`: whether lower scores of `metric` mean better quality",
    "attack": "the attack, as its condition is labelled",
    "setting": "which strength of the attack: `default`, `low`, `high`, or `set` for a stimulus set's own",
    "strength": "the attack's strength in its own unit",
    "dataset": "the data set that the source belongs to",
    "source": "the clip or picture",
    "frame": "number of the frame in the source",
    "clear": "the score before the attack, as the metric gives it",
    "attacked": "the score after the attack",
}
SETTINGS = ("default", "low", "high", "set")
# What a report calls all attacks, and the benchmark's two kinds of them; all data sets are "all" as well.
ALL, ITERATIVE, UNIVERSAL = "all", "iterative", "universal"

# What can still be squared and summed, and what a float counts without gaps.
_LARGEST, _MOST_FRAMES = 1e100, 2**53

_LABELS = ("target_metric", "metric", "lower_better", "attack", "setting", "dataset", "source")
_KEY = ["target_metric", "metric", "attack", "setting", "dataset", "source", "frame"]
_HEADER = ",".join(SCORE_COLUMNS)
_EXAMPLE = "maniqa,maniqa,false,fgsm,default,2,set1,bikes,0,61.2,66.9"
_RESERVED = {"attack": (ALL, ITERATIVE, UNIVERSAL), "dataset": (ALL,)}


def is_universal(attack: str) -> bool:
    """Whether the attack is one of the benchmark's universal perturbations: its name holds `uap`."""
    return "uap" in attack


def is_score_table(path: str | Path) -> bool:
    """Whether the file's header has a column that only score tables have; False where it cannot be read."""
    try:
        with open(path, encoding="utf-8-sig") as file:
            return not {"clear", "attacked", "lower_better"}.isdisjoint(re.findall(r"\w+", file.readline()))
    except (OSError, UnicodeDecodeError):
        return False


def read_scores(path: str | Path) -> pd.DataFrame:
    """Read a CSV of scores and return it as `validate_scores` does.

    path: comma-separated UTF-8 text with a header, one row per attacked frame. Raises InvalidScores with the row as a
    spreadsheet numbers it (the header is row 1).
    """
    path = Path(path)
    frame = read_labelled_csv(path, labels=_LABELS, of="scores", header=_HEADER, error=InvalidScores)
    return _validated(frame, lambda position: f"{path.name}, row {position + 2}", str(path))


def validate_scores(scores: pd.DataFrame) -> pd.DataFrame:
    """Check a score table and return a copy with typed columns; the input is left alone.

    scores: one row per attacked frame with the columns of SCORE_COLUMNS, and any others, which are kept. Label columns
    come back as categories of text, `lower_better` as bool, `frame` as int64, `strength`, `clear` and `attacked` as
    float64. Raises InvalidScores; rows are counted from 1.
    """
    if not isinstance(scores, pd.DataFrame):
        raise InvalidScores(
            f"expected a pandas DataFrame of scores, got {type(scores).__name__}; use read_scores for a file"
        )
    return _validated(scores, lambda position: f"score table, row {position + 1}", "the score table")


def _validated(frame: pd.DataFrame, row: Row, name: str) -> pd.DataFrame:
    require_columns(frame, SCORE_COLUMNS, name=name, each="score", error=InvalidScores, example=_EXAMPLE)
    frame = frame.copy(deep=False).reset_index(drop=True)
    for column in _LABELS:
        if column != "lower_better":
            frame[column] = text_labels(frame[column], row, meaning=SCORE_COLUMNS[column], error=InvalidScores)
    refuse_unknown(frame["setting"], SETTINGS, row, error=InvalidScores)
    for column, reserved in _RESERVED.items():
        taken = first_true(frame[column].isin(reserved).to_numpy())
        if taken is not None:
            raise InvalidScores(
                f"{row(taken)}: {column} is {frame[column].iloc[taken]!r}, which the report uses for several taken "
                "together; give it another name"
            )
    frame["lower_better"] = _directions(frame, row)
    for column in ("strength", "clear", "attacked"):
        frame[column] = _numbers(frame[column], row)
    frame["frame"] = _frame_numbers(frame["frame"], row)
    negative = first_true((frame["strength"] < 0).to_numpy())
    if negative is not None:
        raise InvalidScores(f"{row(negative)}: strength is {frame['strength'].iloc[negative]:g}; expected at least 0")
    twice = first_true(frame.duplicated(_KEY).to_numpy())
    if twice is not None:
        found = ", ".join(f"{column} {frame[column].iloc[twice]}" for column in _KEY)
        raise InvalidScores(f"{row(twice)}: the same frame twice ({found}); keep one row for each")
    return frame


def _directions(frame: pd.DataFrame, row: Row) -> pd.Series:
    values = frame["lower_better"]
    if values.dtype != bool:
        text = text_labels(values, row, meaning="true or false", error=InvalidScores)
        text = text.map(str.lower).astype("category")  # spreadsheets write TRUE
        refuse_unknown(text, ("true", "false"), row, error=InvalidScores)
        values = text == "true"
    usual = values.groupby(frame["metric"], observed=True).transform("first")
    other = first_true((values != usual).to_numpy())
    if other is not None:
        metric = frame["metric"].iloc[other]
        raise InvalidScores(
            f"{row(other)}: lower_better of metric {metric!r} is not what it is in the rows before; "
            "a metric has one direction"
        )
    return values


def _numbers(values: pd.Series, row: Row) -> pd.Series:
    numbers = pd.to_numeric(values, errors="coerce").astype(np.float64)
    at = first_true(~(numbers.abs() < _LARGEST).to_numpy())
    if at is not None:
        found = "empty" if pd.isna(values.iloc[at]) else values.iloc[at]
        raise InvalidScores(
            f"{row(at)}: {values.name} is {found}; expected a finite number, below {_LARGEST:g} in size"
        )
    return numbers


def _frame_numbers(values: pd.Series, row: Row) -> pd.Series:
    numbers = _numbers(values, row)
    at = first_true(((numbers < 0) | (numbers % 1 != 0) | (numbers >= _MOST_FRAMES)).to_numpy())
    if at is not None:
        raise InvalidScores(f"{row(at)}: frame is {values.iloc[at]}; expected a whole number of at least 0")
    return numbers.astype(np.int64)
