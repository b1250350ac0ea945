"""The vote table: read it, check it once, name what is wrong with its row."""

from pathlib import Path

import numpy as np
import pandas as pd

from analysis.errors import InvalidVotes
from analysis.iso_times import parse_times
from analysis.labelled_csv import (
    Row,
    first_true,
    read_labelled_csv,
    refuse_unknown,
    require_columns,
    text_labels,
    without_empty_end,
)
from analysis.plain_csv import read_plain

__all__ = ["CHOICES", "KINDS", "OPTIONAL_COLUMNS", "REQUIRED_COLUMNS", "counted_votes", "read_votes", "validate_votes"]

REQUIRED_COLUMNS = {
    "participant": "a pseudonym of who voted, one per person",
    "source": "the clean clip that the pair was made from",
    "left": "the condition shown on the left, such as `reference` or `fgsm`",
    "right": "the condition shown on the right",
    "choice": "`left`, `right` or `tie`",
}
OPTIONAL_COLUMNS = {
    "target_metric": "the no-reference metric that the conditions attack",
    "kind": "`test`, `verification`, `repeat`, `null` or `training`; without the column every vote is a test",
    "expected": "the right answer of a verification pair: `left`, `right` or `tie`",
    "response_ms": "milliseconds from the end of the clips to the answer",
    "presented_at": "when the pair was shown: ISO 8601, in UTC where it names no zone",
    "voted_at": "when the answer came, likewise",
    "session": "the participant's visit",
    "trial": "the number of the showing in the visit",
    "presentation": "how the pair was shown: `side-by-side`, `sequential` or `toggle`",
    "playback_ok": "whether both clips played cleanly",
    "use": "whether the vote counts in the ranking; without the column every vote does",
    "reason": "why a vote does not count",
    "origin": "`real` or `simulated` participant; the report says how many were simulated",
}
CHOICES = ("left", "right", "tie")
KINDS = ("test", "verification", "repeat", "null", "training")

_LABELS = ("participant", "source", "left", "right", "choice", "target_metric", "kind", "expected")
# Text that is not checked; as categories, since it repeats.
_REMARKS = ("session", "trial", "presentation", "reason", "origin")
_TIMES = ("presented_at", "voted_at")
_TRUTH = {"true": True, "1": True, "1.0": True, "yes": True, "false": False, "0": False, "0.0": False, "no": False}
_HEADER = "participant,source,left,right,choice"
_EXAMPLE = "p001,bikes,reference,fgsm,left"


def read_votes(path: str | Path) -> pd.DataFrame:
    """Read a CSV of votes and return it as `validate_votes` does.

    path: comma-separated UTF-8 text with a header, one row per vote. Labels stay text (`001` is not 1, `null` is a
    kind and not a gap). Columns that are neither in REQUIRED_COLUMNS nor in OPTIONAL_COLUMNS are left out;
    `validate_votes` of a table that was read otherwise keeps them.
    Raises InvalidVotes with the row as a spreadsheet numbers it (the header is row 1).
    """
    path = Path(path)
    labels, known = _LABELS + _REMARKS, REQUIRED_COLUMNS | OPTIONAL_COLUMNS
    try:
        frame = read_plain(path, needed=REQUIRED_COLUMNS, known=known, labels=labels, times=_TIMES)
    except OSError:
        # Said in words below.
        frame = None
    if frame is None:
        frame = read_labelled_csv(path, labels=labels, texts=_TIMES, of="votes", header=_HEADER, error=InvalidVotes)
        _require_columns(frame, str(path))
        frame = frame[[column for column in frame if column in known]]
    frame = without_empty_end(frame)
    return _validated(frame, lambda position: f"{path.name}, row {position + 2}", str(path))


def validate_votes(votes: pd.DataFrame) -> pd.DataFrame:
    """Check a vote table and return a copy with typed columns; the input is left alone.

    votes: one row per vote with the columns of REQUIRED_COLUMNS, any of OPTIONAL_COLUMNS, and any others, which are
    kept as they are. Label columns come back as categories of text, `left` and `right` with the same categories in
    alphabetical order; `use` as bool, `playback_ok` as nullable boolean, `response_ms` as float, times in UTC. A table
    that has been checked before is checked again, which takes about as long as one count of its votes.
    Raises InvalidVotes; rows are counted from 1.
    """
    if not isinstance(votes, pd.DataFrame):
        raise InvalidVotes(
            f"expected a pandas DataFrame of votes, got {type(votes).__name__}; use read_votes for a file"
        )
    return _validated(votes, lambda position: f"vote table, row {position + 1}", "the vote table")


def counted_votes(votes: pd.DataFrame) -> pd.DataFrame:
    """The rows of a validated table that a ranking counts: kind `test` (or no kind) and `use` not false."""
    keep = np.ones(len(votes), dtype=bool)
    if "kind" in votes:
        keep &= (votes["kind"] == "test").to_numpy()
    if "use" in votes:
        keep &= votes["use"].to_numpy()
    return votes if keep.all() else votes[keep]


def _validated(frame: pd.DataFrame, row: Row, name: str) -> pd.DataFrame:
    _require_columns(frame, name)
    _refuse_empty_rows(frame, row)
    columns = dict(frame.items())
    for column in _LABELS:
        if column in columns:
            required = column in REQUIRED_COLUMNS or column == "kind"
            columns[column] = _labels(columns[column], row, required=required)
    for column, allowed in (("choice", CHOICES), ("kind", KINDS), ("expected", CHOICES)):
        if column in columns:
            refuse_unknown(columns[column], allowed, row, error=InvalidVotes)
    columns["choice"] = _with_categories(columns["choice"], pd.Index(CHOICES))
    conditions = columns["left"].cat.categories
    if not (conditions.equals(columns["right"].cat.categories) and conditions.is_monotonic_increasing):
        conditions = conditions.union(columns["right"].cat.categories, sort=True)
    for side in ("left", "right"):
        columns[side] = _with_categories(columns[side], conditions)
    if "response_ms" in columns:
        columns["response_ms"] = _durations(columns["response_ms"], row)
    for column in _TIMES:
        if column in columns:
            columns[column] = _times(columns[column], row)
    for column in ("use", "playback_ok"):
        if column in columns:
            columns[column] = _truths(columns[column], row, required=column == "use")
    checked = pd.DataFrame(columns, index=frame.index, copy=False)
    _check_pairs(checked, row)
    return checked


def _require_columns(frame: pd.DataFrame, name: str) -> None:
    require_columns(frame, REQUIRED_COLUMNS, name=name, each="vote", error=InvalidVotes, example=_EXAMPLE)


def _refuse_empty_rows(frame: pd.DataFrame, row: Row) -> None:
    empty = np.ones(len(frame), dtype=bool)
    for column in REQUIRED_COLUMNS:
        empty &= frame[column].isna().to_numpy()
        if not empty.any():
            return
    raise InvalidVotes(f"{row(first_true(empty))} is empty; delete the row")


def _labels(values: pd.Series, row: Row, *, required: bool) -> pd.Series:
    meaning = (REQUIRED_COLUMNS | OPTIONAL_COLUMNS)[values.name] if required else None
    return text_labels(values, row, meaning=meaning, error=InvalidVotes)


def _with_categories(values: pd.Series, categories: pd.Index) -> pd.Series:
    return values if values.cat.categories.equals(categories) else values.cat.set_categories(categories)


def _durations(values: pd.Series, row: Row) -> pd.Series:
    if values.dtype.kind in "iuf":
        numbers, gaps = values.astype(float), values.isna()
    else:
        values = _blank_as_gap(values)
        numbers, gaps = pd.to_numeric(values, errors="coerce").astype("Float64").astype(float), values.isna()
    at = first_true(((numbers.isna() & ~gaps) | (numbers < 0) | np.isinf(numbers)).to_numpy())
    if at is not None:
        raise InvalidVotes(
            f"{row(at)}: response_ms is {values.iloc[at]}; expected milliseconds of at least 0 such as 2350 or 2350.5 "
            "(with a decimal point), or nothing"
        )
    return numbers


def _times(values: pd.Series, row: Row) -> pd.Series:
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        return values if str(values.dtype) == "datetime64[ns, UTC]" else values.dt.tz_convert("UTC").dt.as_unit("ns")
    if values.dtype.kind == "M":
        return values.dt.tz_localize("UTC").dt.as_unit("ns")
    values = _blank_as_gap(values.astype("string").astype(object))
    times = parse_times(values)
    at = first_true((times.isna() & values.notna()).to_numpy())
    if at is not None:
        raise InvalidVotes(
            f"{row(at)}: {values.name} is {str(values.iloc[at])!r}; expected a date with its time such as "
            "2026-03-01T14:05:09 or 2026-03-01T14:05:09.250+01:00 (ISO 8601), or nothing"
        )
    return times


def _truths(values: pd.Series, row: Row, *, required: bool) -> pd.Series:
    if values.dtype == bool:
        return values if required else values.astype("boolean")
    if values.dtype == "boolean" and not (required and values.isna().any()):
        return values.astype(bool) if required else values
    text = _blank_as_gap(values).astype("string").str.lower()
    truths = text.map(_TRUTH).astype("boolean")
    bad = truths.isna() if required else truths.isna() & text.notna()
    at = first_true(bad.to_numpy(dtype=bool))
    if at is not None:
        found = "empty" if pd.isna(text.iloc[at]) else repr(str(values.iloc[at]))
        raise InvalidVotes(f"{row(at)}: {values.name} is {found}; expected true or false")
    return truths.astype(bool) if required else truths


def _blank_as_gap(values: pd.Series) -> pd.Series:
    return values.mask(values == "") if pd.api.types.is_string_dtype(values.dtype) else values


def _check_pairs(frame: pd.DataFrame, row: Row) -> None:
    kinds = frame.get("kind")
    same = frame["left"].cat.codes.to_numpy() == frame["right"].cat.codes.to_numpy()
    if kinds is not None:
        same &= (kinds != "null").to_numpy()
        lacks = (kinds == "verification").to_numpy()
        if "expected" in frame:
            lacks &= frame["expected"].isna().to_numpy()
        at = first_true(lacks)
        if at is not None:
            raise InvalidVotes(
                f"{row(at)}: a verification vote without `expected`; give the right answer, left or right"
            )
    at = first_true(same)
    if at is not None:
        raise InvalidVotes(
            f"{row(at)}: left and right are both {frame['left'].iloc[at]!r}; "
            "a pair needs two conditions (kind `null` marks a deliberate pair of equals)"
        )
    # The moment of the showing where there is one; that of the answer may be kept to the minute.
    time = next((time for time in _TIMES if time in frame), None)
    if time:
        _refuse_second_votes(frame, [time, "participant", "source", "left", "right"], row)
    if "trial" in frame:
        # Numbers may begin anew with each session.
        visit = ["session"] if "session" in frame else ["source", "left", "right"]
        _refuse_second_votes(frame, ["trial", *visit, "participant"], row)


def _refuse_second_votes(frame: pd.DataFrame, showing: list[str], row: Row) -> None:
    """People may vote on a pair more than once, but one showing gives one vote.

    showing: the columns that name it, the one that tells most apart in front.
    """
    # Few votes share the first column, and only those are looked at further.
    rows = np.flatnonzero(frame[showing[0]].duplicated(keep=False).to_numpy())
    theirs = frame[showing].iloc[rows]
    named_whole = theirs.notna().all(axis=1).to_numpy()
    rows, theirs = rows[named_whole], theirs[named_whole]
    later = theirs.duplicated().to_numpy()
    if later.any():
        at = rows[np.argmax(later)]
        first = rows[np.argmax((theirs == theirs.iloc[np.argmax(later)]).all(axis=1).to_numpy())]
        vote = frame.iloc[at]
        named = ", ".join(f"{column} {str(vote[column])!r}" for column in sorted(showing))
        raise InvalidVotes(
            f"{row(at)}: the same trial twice, as in {row(first).rpartition(', ')[2]} ({named}); "
            "keep one row for each showing"
        )
