"""Times such as 2026-03-01T14:05:09.123+01:00 (ISO 8601), many at once; without a zone they are taken as UTC."""

import re

import numpy as np
import pandas as pd

__all__ = ["parse_fields", "parse_times"]

_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)?")
_ZONED = r".*(?:Z|[+-]\d\d:\d\d)"
# Where the numbers of a time stand, whatever comes behind the minutes.
_NUMBERS = {"year": (0, 4), "month": (5, 7), "day": (8, 10), "hour": (11, 13), "minute": (14, 16)}
_NO_TIME = np.iinfo(np.int64).min
_LONGEST = 35


def parse_times(texts: pd.Series) -> pd.Series:
    """UTC times of a column of text, NaT where a field is empty or is no time."""
    proper = texts.astype("string").str.fullmatch(_TIME.pattern).fillna(False).to_numpy(dtype=bool)
    # Next to times with a zone pandas takes one without for a time of that zone.
    bare = proper & ~texts.astype("string").str.fullmatch(_ZONED).fillna(True).to_numpy(dtype=bool)
    texts = texts.where(~bare, texts + "Z")
    return pd.to_datetime(texts.where(proper), utc=True, format="ISO8601", errors="coerce").dt.as_unit("ns")


def parse_fields(part: bytes, buffer: np.ndarray, start: np.ndarray, length: np.ndarray) -> np.ndarray | None:
    """Nanoseconds since 1970 (rows,) of fields in a text, NaT where one is empty; None where one is no time.

    part: the text; buffer: its bytes with 64 more; start, length: (rows,) of each field. Fields of one length are
    taken together, as most have the same form.
    """
    times = np.full(len(start), _NO_TIME, dtype=np.int64)
    if length.max(initial=0) > _LONGEST:
        return None
    for size in np.unique(length[length > 0]).tolist():
        rows = np.flatnonzero(length == size)
        at = start[rows]
        windows = np.ndarray(len(buffer) - size + 1, dtype=f"V{size}", buffer=buffer, strides=(1,))
        letters = windows[at].view(np.uint8).reshape(-1, size)
        form = part[at[0] : at[0] + size].decode("latin-1")
        found = _of_one_form(letters, form)
        if found is None:
            texts = pd.Series([part[a : a + size].decode("latin-1") for a in at.tolist()])
            parsed = parse_times(texts)
            if parsed.isna().any():
                return None
            found = parsed.dt.tz_localize(None).to_numpy().astype("datetime64[ns]").view(np.int64)
        times[rows] = found
    return times


def _of_one_form(letters: np.ndarray, form: str) -> np.ndarray | None:
    """Times of texts (rows, size) that all look as `form` does, digits aside; None where they do not."""
    if not _TIME.fullmatch(form):
        return None
    digits = np.array([letter.isdigit() for letter in form])
    values = letters - ord("0")
    if (values[:, digits] > 9).any() or (letters[:, ~digits] != np.frombuffer(form.encode(), np.uint8)[~digits]).any():
        return None

    def number(start: int, end: int) -> np.ndarray:
        total = values[:, start].astype(np.int64)
        for place in range(start + 1, end):
            total = 10 * total + values[:, place]
        return total

    parts = {name: number(*span) for name, span in _NUMBERS.items()}
    zone = re.search(r"(Z|[+-]\d\d:\d\d)?$", form[16:]).start() + 16
    second = number(17, 19) if zone >= 19 else np.zeros(len(letters), dtype=np.int64)
    fraction = number(20, zone) * 10 ** (29 - zone) if zone > 20 else 0
    offset = 0
    if zone < len(form) and form[zone] != "Z":
        offset = (number(zone + 1, zone + 3) * 60 + number(zone + 4, zone + 6)) * (1 if form[zone] == "+" else -1)
    months = ((parts["year"] - 1970) * 12 + parts["month"] - 1).view("datetime64[M]")
    days = months.astype("datetime64[D]") + (parts["day"] - 1)
    wrong = (parts["month"] < 1) | (parts["month"] > 12) | (parts["day"] < 1) | (days.astype("datetime64[M]") != months)
    wrong |= (parts["hour"] > 23) | (parts["minute"] > 59) | (second > 59)
    # What nanoseconds in 64 bits can hold.
    wrong |= (parts["year"] < 1700) | (parts["year"] > 2200)
    if wrong.any():
        return None
    minutes = days.view(np.int64) * 1440 + parts["hour"] * 60 + parts["minute"] - offset
    return (minutes * 60 + second) * 10**9 + fraction
