"""The fast way into a large CSV: files without quotes, cut at their commas by NumPy, repeated labels decoded once.

A file that is anything else (quotes, rows of unequal length, another separator) is left to `analysis.labelled_csv`,
which reads the same columns from it and says what is wrong.
"""

import io
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.iso_times import parse_fields

__all__ = ["read_plain"]

_COMMA, _NEWLINE, _RETURN = b",\n\r"
# In no plain header.
_ODD = (b'"', b"\r", b"\0")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_CHUNK = 1 << 24
_MIXER = np.uint64(0x9E3779B97F4A7C15)
_MASKS = np.array([(1 << 8 * kept) - 1 for kept in range(9)], dtype=np.uint64)
# Of the rows of a first part: with more different fields than this a column is read field by field.
_MANY = 0.5


def read_plain(
    path: Path, *, needed: Collection[str], known: Collection[str], labels: Collection[str], times: Collection[str]
) -> pd.DataFrame | None:
    """The columns `known` of a plain CSV, or None where the file is not that plain or lacks one of the `needed`.

    labels: columns that come as categories of text; times: those that come as UTC times where all of their fields are
    ISO 8601 times or empty, and as text where not. Other known ones are numbers, booleans or text as pandas infers
    them. Raises OSError.
    """
    with open(path, "rb") as file:
        header = file.readline().removeprefix(_BYTE_ORDER_MARK).rstrip(b"\r\n")
        try:
            names = header.decode().split(",")
        except UnicodeDecodeError:
            return None
        if len(names) < 2 or len(set(names)) < len(names) or not all(names) or any(odd in header for odd in _ODD):
            return None
        if not set(needed) <= set(names):
            return None
        columns = {name: _TimeColumn() if name in times else _TextColumn() for name in names if name in known}
        by_place = [columns.get(name) for name in names]
        for part in _parts(file):
            if not _take(part, by_place):
                return None
    if not next(iter(columns.values())).parts:
        return None
    del by_place
    # Each is let go as soon as it is finished: a large table would be there twice.
    finished = {name: columns.pop(name).finished(name in labels) for name in list(columns)}
    return pd.DataFrame(finished, copy=False)


def _typed(lines: bytes) -> np.ndarray:
    """What pandas makes of a column of fields, as `_lines_at` gives them."""
    # The second column, which is empty, keeps an empty field from being an empty line.
    options = {"keep_default_na": False, "na_values": [""], "low_memory": False, "float_precision": "round_trip"}
    return pd.read_csv(io.BytesIO(b"x,y\n" + lines), usecols=["x"], **options)["x"].to_numpy()


def _lines_of(texts: list[str]) -> bytes:
    return "".join(f"{text},\n" for text in texts).encode()


def _lines_at(buffer: np.ndarray, start: np.ndarray, length: np.ndarray) -> bytes:
    """Fields of a part, each with a comma and the end of a line behind it."""
    # 4 bytes can number the bytes of a part.
    size = (length + 2).astype(np.int32)
    end = np.cumsum(size, dtype=np.int32)
    letters = buffer[np.arange(size.sum(), dtype=np.int32) + np.repeat(start.astype(np.int32) - (end - size), size)]
    letters[end - 2], letters[end - 1] = _COMMA, _NEWLINE
    return letters.tobytes()


def _parts(file) -> Iterator[bytes]:
    """The rest of the file in parts of whole lines."""
    while block := file.read(_CHUNK):
        part = block + file.readline()
        yield part if part.endswith(b"\n") else part + b"\n"


def _take(part: bytes, columns: Sequence["_TextColumn | _TimeColumn | None"]) -> bool:
    """Whether the part is plain, and then its fields are in the columns; None in place of one that is passed over."""
    if b'"' in part or b"\0" in part or not _is_text(part):
        return False
    # Words of 8 bytes are read at the beginning of a field, and may reach beyond the end.
    buffer = np.frombuffer(part + bytes(64), dtype=np.uint8)
    newline = buffer == _NEWLINE
    ends = np.flatnonzero(newline | (buffer == _COMMA))
    if len(ends) % len(columns):
        return False
    ends = ends.reshape(-1, len(columns))
    if not newline[ends[:, -1]].all() or np.count_nonzero(newline) != len(ends):
        return False
    starts = np.concatenate([[0], ends[:-1, -1] + 1])
    if (ends[:, 0] == starts).all():
        return False
    for place, column in enumerate(columns):
        if column is None:
            continue
        if place:
            starts = ends[:, place - 1] + 1
        end = ends[:, place]
        if place == len(columns) - 1:
            end = end - (buffer[end - 1] == _RETURN)
        column.take(part, buffer, starts, end - starts)
    return b"\r" not in part or part.count(b"\r") == part.count(b"\r\n")


def _is_text(part: bytes) -> bool:
    try:
        return part.isascii() or bool(part.decode())
    except UnicodeDecodeError:
        return False


class _TextColumn:
    """Fields of one column: codes of the different ones, or every one where nearly all differ."""

    def __init__(self):
        self.parts: list[np.ndarray] = []
        self.codes: dict[bytes, int] = {}
        self.lines: list[bytes] | None = None

    def take(self, part: bytes, buffer: np.ndarray, start: np.ndarray, length: np.ndarray) -> None:
        if self.lines is None:
            codes, first = _same_fields(buffer, start, length)
            if not self.parts and len(first) > _MANY * len(start) and len(start) > 1000:
                self.lines = []
            else:
                fields = [part[a : a + n] for a, n in zip(start[first].tolist(), length[first].tolist(), strict=True)]
                place = np.array([self.codes.setdefault(field, len(self.codes)) for field in fields])
                self.parts.append(place.astype(_narrowest(len(self.codes)))[codes])
        if self.lines is not None:
            self.lines.append(_lines_at(buffer, start, length))
            self.parts.append(start[:0])

    def finished(self, as_label: bool):
        if self.lines is not None:
            lines, self.lines = b"".join(self.lines), []
            if as_label:
                return pd.Categorical([text or None for text in lines.decode().split(",\n")[:-1]])
            return _typed(lines)
        codes = np.concatenate(self.parts)
        texts = [field.decode() for field in self.codes]
        if not as_label:
            return _typed(_lines_of(texts))[codes]
        order = sorted((code for code, text in enumerate(texts) if text), key=texts.__getitem__)
        place = np.full(len(texts), -1, dtype=_narrowest(len(texts)))
        place[order] = np.arange(len(order))
        return pd.Categorical.from_codes(place[codes], [texts[code] for code in order], validate=False)


class _TimeColumn:
    """Times of one column as int64 nanoseconds, or its texts from the first part on that has something else."""

    def __init__(self):
        self.parts: list[np.ndarray] = []
        self.plain = _TextColumn()
        self.are_times = True

    def take(self, part: bytes, buffer: np.ndarray, start: np.ndarray, length: np.ndarray) -> None:
        times = parse_fields(part, buffer, start, length) if self.are_times else None
        if times is not None:
            self.parts.append(times)
            return
        if self.are_times:
            self.are_times = False
            self.plain.lines = [_lines_of(["" if np.isnat(moment) else str(moment) for moment in self._moments()])]
        self.plain.take(part, buffer, start, length)
        self.parts.append(start[:0])

    def finished(self, as_label: bool):
        if not self.are_times:
            # As they stand in the file, and not as the numbers that they may look like.
            return self.plain.finished(True)
        return pd.DatetimeIndex(self._moments()).tz_localize("UTC")

    def _moments(self) -> np.ndarray:
        return np.concatenate([*self.parts, np.empty(0, dtype=np.int64)]).view("datetime64[ns]")


def _narrowest(codes: int) -> type:
    """Integers for so many codes and for -1."""
    return next(kind for kind in (np.int8, np.int16, np.int32) if codes <= np.iinfo(kind).max)


def _same_fields(buffer: np.ndarray, start: np.ndarray, length: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Codes of equal fields (rows,), and the row where each code is first met."""
    words = np.ndarray(len(buffer) - 7, dtype=np.uint64, buffer=buffer, strides=(1,))
    longest = int(length.max(initial=0))
    pieces = [
        words[np.minimum(start + at, len(words) - 1)] & _MASKS[np.clip(length - at, 0, 8)]
        for at in range(0, max(longest, 1), 8)
    ]
    mixed = pieces[0]
    for piece in pieces[1:]:
        mixed = (mixed ^ (mixed >> np.uint64(29))) * _MIXER + piece
    codes, kinds = pd.factorize(mixed)
    first = np.empty(len(kinds), dtype=np.int64)
    first[codes[::-1]] = np.arange(len(codes))[::-1]
    if len(pieces) > 1 and any((piece != piece[first][codes]).any() for piece in pieces):
        # Two fields share a mixed word, which hardly ever happens.
        rows = np.column_stack(pieces)
        _, first, codes = np.unique(rows, axis=0, return_index=True, return_inverse=True)
    return codes, first
