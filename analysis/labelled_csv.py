"""What tables of votes and of scores share: read the CSV, check its columns and labels, name what is wrong."""

import csv
import re
import warnings
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.errors import AnalysisError

__all__ = [
    "Row",
    "first_true",
    "read_labelled_csv",
    "refuse_unknown",
    "require_columns",
    "text_labels",
    "without_empty_end",
]

# Neither a page nor a drawing can hold them, or nobody sees them: two labels that look alike would be two conditions.
_INVISIBLE = r"\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u2028-\u202e\u2060-\u2069\ufeff\ufffe\uffff"
_CONTROL = re.compile(rf"[{_INVISIBLE}\n]")
# In labels that are joined by line ends: one that is empty, padded or has such a letter.
_SUSPECT = re.compile(rf"^$|^\s|\s$|[{_INVISIBLE}]", re.MULTILINE)
# More than any header of a table that people made.
_LONGEST_HEADER = 1 << 20
_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}
_MOST_COLUMNS_NAMED = 12

Row = Callable[[int], str]


def read_labelled_csv(
    path: Path,
    *,
    labels: tuple[str, ...],
    of: str,
    header: str,
    error: type[AnalysisError],
    texts: tuple[str, ...] = (),
) -> pd.DataFrame:
    """The file as it stands, the columns `labels` as categories of text, empty fields as gaps.

    texts: columns that come as text and not as what they look like. of, header: what the rows are and the columns that
    they need, for messages. Empty rows at the end, as spreadsheets write them, are left out. Raises `error`.
    """
    if not path.is_file():
        found = "is a folder" if path.is_dir() else "does not exist"
        raise error(f"{path} {found}; give the path of a CSV of {of} with the header {header}")
    try:
        _check_header(path, of, header, error)
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            table = pd.read_csv(
                path,
                dtype=dict.fromkeys(labels, "category") | dict.fromkeys(texts, object),
                keep_default_na=False,
                na_values=[""],
                encoding="utf-8-sig",
                index_col=False,
                low_memory=False,
                float_precision="round_trip",
                # They are rows to a spreadsheet, and count in the numbers of rows that messages give.
                skip_blank_lines=False,
            )
        _check_rows(path, len(table), error)
    except pd.errors.EmptyDataError:
        raise error(f"{path} is empty; expected a CSV of {of} with the header {header}") from None
    except UnicodeDecodeError:
        raise error(_not_utf8(path, of)) from None
    except (pd.errors.ParserError, pd.errors.ParserWarning) as problem:
        raise error(_uneven(path, " ".join(str(problem).split()), header)) from None
    except OSError as problem:
        raise error(f"{path} cannot be read: {problem.strerror or problem}") from None
    return without_empty_end(table)


def require_columns(
    frame: pd.DataFrame, columns: Mapping[str, str], *, name: str, each: str, error: type[AnalysisError], example: str
) -> None:
    """Raise `error` unless every one of `columns` (name -> meaning) is there once.

    each: what a row is; example: a row of those columns.
    """
    repeated = frame.columns[frame.columns.duplicated()]
    if len(repeated):
        raise error(f"{name} has the column {repeated[0]} twice; keep one of them")
    missing = [column for column in columns if column not in frame]
    if missing:
        wanted = "; ".join(f"{column}: {columns[column]}" for column in missing)
        found = [str(column) for column in frame.columns]
        said = ", ".join(found[:_MOST_COLUMNS_NAMED]) or "none"
        if len(found) > _MOST_COLUMNS_NAMED:
            said += f" and {len(found) - _MOST_COLUMNS_NAMED} more"
        spelled = {column.strip().casefold().replace(" ", "_"): column for column in found}
        rename = ", ".join(f"{spelled[column]!r} to {column}" for column in missing if column in spelled)
        if all(column in spelled for column in missing):
            raise error(f"{name} spells the names of {len(missing)} column(s) otherwise; rename {rename}")
        hint = f"rename {rename}; " if rename else ""
        raise error(
            f"{name} lacks {len(missing)} column(s) that every {each} needs ({wanted}); it has: {said}; "
            f"{hint}such a table begins with the line {','.join(columns)} and goes on like {example}"
        )
    if len(frame) == 0:
        raise error(f"{name} has a header and no {each}s; expected one row per {each}")


def text_labels(values: pd.Series, row: Row, *, meaning: str | None, error: type[AnalysisError]) -> pd.Series:
    """The column as categories of text without spaces around them.

    meaning: what the column holds, said where one is empty; None where it may be empty.
    """
    if not isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype("category")
    if values.cat.categories.inferred_type not in ("string", "empty"):
        values = values.cat.rename_categories([str(label) for label in values.cat.categories])
    codes = values.cat.codes.to_numpy()
    labels = values.cat.categories
    joined = "\n".join(labels)
    if (meaning is None or codes.min(initial=0) >= 0) and (
        (not _SUSPECT.search(joined) and joined.count("\n") == max(len(labels) - 1, 0)) or not len(labels)
    ):
        return values
    blank = [code for code, label in enumerate(labels) if not label.strip()]
    if blank and meaning is None:
        return text_labels(values.cat.remove_categories(labels[blank]), row, meaning=None, error=error)
    unprintable = [code for code, label in enumerate(labels) if _CONTROL.search(label)]
    padded = [code for code, label in enumerate(labels) if label.strip() and label != label.strip()]
    empty = None if meaning is None else first_true((codes < 0) | np.isin(codes, blank))
    if empty is not None:
        raise error(f"{row(empty)}: {values.name} is empty; expected {meaning}")
    at = first_true(np.isin(codes, unprintable)) if unprintable else None
    if at is not None:
        raise error(
            f"{row(at)}: {values.name} is {labels[codes[at]]!a}; remove the characters that cannot be seen (line "
            "breaks, tabs, zero-width spaces and the like) from the label"
        )
    at = first_true(np.isin(codes, padded)) if padded else None
    if at is not None:
        raise error(f"{row(at)}: {values.name} is {labels[codes[at]]!r}; remove the spaces around the label")
    return values


def refuse_unknown(values: pd.Series, allowed: tuple[str, ...], row: Row, *, error: type[AnalysisError]) -> None:
    """Raise `error` at the first label that is none of `allowed`."""
    unknown = [code for code, label in enumerate(values.cat.categories) if label not in allowed]
    codes = values.cat.codes.to_numpy()
    wrong = np.isin(codes, unknown) if unknown else np.zeros(0, dtype=bool)
    at = first_true(wrong)
    if at is not None:
        expected = ", ".join(allowed[:-1]) + " or " + allowed[-1]
        others = int(wrong.sum()) - 1
        more = f" ({others} more row(s) have another label too)" if others else ""
        raise error(f"{row(at)}: {values.name} is {values.iloc[at]!r}; expected {expected}, spelled like this{more}")


def first_true(mask: np.ndarray) -> int | None:
    """Position of the first True, None where there is none."""
    return int(np.argmax(mask)) if mask.any() else None


def _check_header(path: Path, of: str, header: str, error: type[AnalysisError]) -> None:
    with open(path, "rb") as file:
        line = file.readline(_LONGEST_HEADER)
    if line[:2] in (b"\xff\xfe", b"\xfe\xff") or line.count(b"\0") > len(line) // 4:
        raise error(f"{path} is UTF-16 text and not UTF-8; save it as 'CSV UTF-8 (comma delimited)'")
    # Some programs end lines with a carriage return alone.
    text = re.split("[\r\n]", line.decode("utf-8-sig"), maxsplit=1)[0]
    if line and not text.strip():
        raise error(f"{path}, row 1 is empty; the first row has to be the header {header}")
    if "," not in text:
        for separator, name in _SEPARATORS.items():
            if separator in text:
                raise error(
                    f"{path} has {name} between its fields and not commas; save the {of} with commas and decimal "
                    "points (a spreadsheet set to English does; so does pandas: "
                    f"read_csv(..., sep={separator!r}, decimal=',').to_csv(..., index=False))"
                )
    counts = Counter(next(csv.reader([text]), []))
    for name, count in counts.items():
        if name and count > 1:
            raise error(f"{path} has the column {name} twice; keep one of them")


def _not_utf8(path: Path, of: str) -> str:
    sentence = f"{path} is not UTF-8 text"
    row = 1
    with open(path, "rb") as file:
        for line in file:
            try:
                line.decode()
            except UnicodeDecodeError as problem:
                around = line[max(problem.start - 12, 0) : problem.end + 12].decode("latin-1").strip()
                if b"\0" not in line and around.isprintable():
                    sentence = f"{path}, row {row} is not UTF-8 text (near {around!r}, read as Latin-1)"
                break
            row += 1
    return f"{sentence}; save the {of} as 'CSV UTF-8 (comma delimited)'"


def _uneven(path: Path, problem: str, header: str) -> str:
    sentence = f"{path} is not a CSV with the same number of fields in every row"
    with open(path, encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(file)
        try:
            names = next(rows, [])
            expected = len(names)
            found = next(((at, len(row)) for at, row in enumerate(rows, 2) if len(row) > expected), None)
        except csv.Error:
            found = None
    opened = re.search(r"EOF inside string starting at row (\d+)", problem)
    if opened is not None:
        # Counted from 0 at the header.
        return f"{path}, row {int(opened[1]) + 1}: a quote is opened and never closed; close it"
    if found is None:
        return f"{sentence}: {problem.removeprefix('Error tokenizing data. C error: ')}"
    missing = [name for name in header.split(",") if name not in names]
    if missing:
        return f"{path}, row 1 does not name the column(s) {', '.join(missing)}; it has to be the header {header}"
    return (
        f"{sentence}: row {found[0]} has {found[1]} and not {expected}; put text that holds a comma into double "
        "quotes, and write numbers with a decimal point"
    )


def _check_rows(path: Path, rows: int, error: type[AnalysisError]) -> None:
    """What pandas passes over: NUL, at which it cuts a field off; an open quote, which hides rows up to the next."""
    lines = 0
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            if b"\0" in block:
                row = lines + 1 + block[: block.index(b"\0")].count(b"\n")
                raise error(f"{path}, row {row} holds a NUL byte, as no text does; write the file again")
            lines += block.count(b"\n") + block.count(b"\r") - block.count(b"\r\n")
    if lines <= rows + 1:
        return
    with open(path, encoding="utf-8-sig", newline="") as file:
        records = csv.reader(file, strict=True)
        good = 0
        try:
            for _ in records:
                good += 1
        except csv.Error:
            raise error(
                f"{path}, row {good + 1}: a quote is opened and not closed before the next comma or the end of the "
                "row; close it, or write a quote inside of a text twice"
            ) from None


def without_empty_end(table: pd.DataFrame) -> pd.DataFrame:
    """The table without empty rows at its end, as spreadsheets write them."""
    end = len(table)
    while end and table.iloc[end - 1].isna().all():
        end -= 1
    return table.iloc[:end]
