"""The vote table: read it, check it once, name what is wrong with its row."""

from pathlib import Path

import numpy as np
import pandas as pd

from analysis.errors import InvalidVotes
from analysis.labelled_csv import Row, first_true, read_labelled_csv, refuse_unknown, require_columns, text_labels

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
    "presented_at": "when the pair was shown",
    "session": "the participant's visit",
    "playback_ok": "whether both clips played cleanly",
    "use": "whether the vote counts in the ranking; without the column every vote does",
    "reason": "why a vote does not count",
    "origin": "`real` or `simulated` participant; the report says how many were simulated",
}
CHOICES = ("left", "right", "tie")
KINDS = ("test", "verification", "repeat", "null", "training")

_LABELS = ("participant", "source", "left", "right", "choice", "target_metric", "kind", "expected")
_TRUTH = {"true": True, "1": True, "1.0": True, "yes": True, "false": False, "0": False, "0.0": False, "no": False}
_HEADER = "participant,source,left,right,choice"


def read_votes(path: str | Path) -> pd.DataFrame:
    """Read a CSV of votes and return it as `validate_votes` does.

    path: comma-separated UTF-8 text with a header, one row per vote. Labels stay text (`001` is not 1, `null` is a
    kind and not a gap). Raises InvalidVotes with the row as a spreadsheet numbers it (the header is row 1).
    """
    path = Path(path)
    frame = read_labelled_csv(path, labels=_LABELS, of="votes", header=_HEADER, error=InvalidVotes)
    return _validated(frame, lambda position: f"{path.name}, row {position + 2}", str(path))


def validate_votes(votes: pd.DataFrame) -> pd.DataFrame:
    """Check a vote table and return a copy with typed columns; the input is left alone.

    votes: one row per vote with the columns of REQUIRED_COLUMNS, any of OPTIONAL_COLUMNS, and any others, which are
    kept as they are. Label columns come back as categories of text, `left` and `right` with the same categories in
    alphabetical order; `use` as bool, `playback_ok` as nullable boolean, `response_ms` as float.
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
    require_columns(frame, REQUIRED_COLUMNS, name=name, each="vote", error=InvalidVotes)
    frame = frame.copy(deep=False)
    for column in REQUIRED_COLUMNS:
        frame[column] = _labels(frame[column], row, required=True)
    for column in ("target_metric", "kind", "expected"):
        if column in frame:
            frame[column] = _labels(frame[column], row, required=column == "kind")
    refuse_unknown(frame["choice"], CHOICES, row, error=InvalidVotes)
    if "kind" in frame:
        refuse_unknown(frame["kind"], KINDS, row, error=InvalidVotes)
    if "expected" in frame:
        refuse_unknown(frame["expected"], CHOICES, row, error=InvalidVotes)
    frame["choice"] = frame["choice"].cat.set_categories(CHOICES)
    conditions = frame["left"].cat.categories.union(frame["right"].cat.categories, sort=True)
    for side in ("left", "right"):
        frame[side] = frame[side].cat.set_categories(conditions)
    if "response_ms" in frame:
        frame["response_ms"] = _durations(frame["response_ms"], row)
    for column in ("use", "playback_ok"):
        if column in frame:
            frame[column] = _truths(frame[column], row, required=column == "use")
    _check_pairs(frame, row)
    return frame


def _labels(values: pd.Series, row: Row, *, required: bool) -> pd.Series:
    meaning = (REQUIRED_COLUMNS | OPTIONAL_COLUMNS)[values.name] if required else None
    return text_labels(values, row, meaning=meaning, error=InvalidVotes)


def _durations(values: pd.Series, row: Row) -> pd.Series:
    values = _blank_as_gap(values)
    numbers = pd.to_numeric(values, errors="coerce").astype("Float64").astype(float)
    at = first_true(((numbers.isna() & values.notna()) | (numbers < 0) | np.isinf(numbers)).to_numpy())
    if at is not None:
        raise InvalidVotes(
            f"{row(at)}: response_ms is {values.iloc[at]}; expected milliseconds of at least 0, or nothing"
        )
    return numbers


def _truths(values: pd.Series, row: Row, *, required: bool) -> pd.Series:
    if values.dtype == bool:
        return values if required else values.astype("boolean")
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
    if "presented_at" in frame:
        _check_showings(frame, row)


def _check_showings(frame: pd.DataFrame, row: Row) -> None:
    """People may vote on a pair more than once, but one showing gives one vote."""
    shown = frame["presented_at"].notna().to_numpy()
    showing = frame.loc[shown, ["participant", "source", "left", "right", "presented_at"]]
    repeated = np.zeros(len(frame), dtype=bool)
    repeated[shown] = showing.duplicated().to_numpy()
    at = first_true(repeated)
    if at is not None:
        vote = frame.iloc[at]
        raise InvalidVotes(
            f"{row(at)}: the same trial twice (participant {vote['participant']!r}, source {vote['source']!r}, "
            f"shown at {vote['presented_at']}); keep one row for each showing"
        )
