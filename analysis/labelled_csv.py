"""What tables of votes and of scores share: read the CSV, check its columns and labels, name what is wrong."""

import re
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.errors import AnalysisError

__all__ = ["Row", "first_true", "read_labelled_csv", "refuse_unknown", "require_columns", "text_labels"]

# Neither a page nor a drawing can hold them.
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")

Row = Callable[[int], str]


def read_labelled_csv(
    path: Path, *, labels: tuple[str, ...], of: str, header: str, error: type[AnalysisError]
) -> pd.DataFrame:
    """The file as it stands, the columns `labels` as categories of text, empty fields as gaps.

    of, header: what the rows are and the columns that they need, for messages. Raises `error`.
    """
    if not path.is_file():
        found = "is a folder" if path.is_dir() else "does not exist"
        raise error(f"{path} {found}; give the path of a CSV of {of} with the header {header}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            return pd.read_csv(
                path,
                dtype=dict.fromkeys(labels, "category"),
                keep_default_na=False,
                na_values=[""],
                encoding="utf-8-sig",
                index_col=False,
                low_memory=False,
                float_precision="round_trip",
            )
    except pd.errors.EmptyDataError:
        raise error(f"{path} is empty; expected a CSV of {of} with the header {header}") from None
    except UnicodeDecodeError:
        raise error(f"{path} is not UTF-8 text; save the {of} as a CSV in UTF-8") from None
    except (pd.errors.ParserError, pd.errors.ParserWarning) as problem:
        detail = " ".join(str(problem).removeprefix("Error tokenizing data. C error:").split())
        raise error(f"{path} is not a CSV with the same number of fields in every row: {detail}") from None
    except OSError as problem:
        raise error(f"{path} cannot be read: {problem.strerror or problem}") from None


def require_columns(
    frame: pd.DataFrame, columns: Mapping[str, str], *, name: str, each: str, error: type[AnalysisError]
) -> None:
    """Raise `error` unless every one of `columns` (name -> meaning) is there once; each: what a row is."""
    repeated = frame.columns[frame.columns.duplicated()]
    if len(repeated):
        raise error(f"{name} has the column {repeated[0]} twice; keep one of them")
    missing = [column for column in columns if column not in frame]
    if missing:
        wanted = "; ".join(f"{column}: {columns[column]}" for column in missing)
        found = ", ".join(str(column) for column in frame.columns) or "none"
        raise error(f"{name} lacks {len(missing)} column(s) that every {each} needs ({wanted}); it has: {found}")
    if len(frame) == 0:
        raise error(f"{name} has a header and no {each}s; expected one row per {each}")


def text_labels(values: pd.Series, row: Row, *, meaning: str | None, error: type[AnalysisError]) -> pd.Series:
    """The column as categories of text without spaces around them.

    meaning: what the column holds, said where one is empty; None where it may be empty.
    """
    if not isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype("category")
    if values.cat.categories.inferred_type != "string":
        values = values.cat.rename_categories([str(label) for label in values.cat.categories])
    codes = values.cat.codes.to_numpy()
    labels = values.cat.categories
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
        raise error(f"{row(at)}: {values.name} is {labels[codes[at]]!r}; remove the control characters from the label")
    at = first_true(np.isin(codes, padded)) if padded else None
    if at is not None:
        raise error(f"{row(at)}: {values.name} is {labels[codes[at]]!r}; remove the spaces around the label")
    return values


def refuse_unknown(values: pd.Series, allowed: tuple[str, ...], row: Row, *, error: type[AnalysisError]) -> None:
    """Raise `error` at the first label that is none of `allowed`."""
    unknown = [code for code, label in enumerate(values.cat.categories) if label not in allowed]
    at = first_true(np.isin(values.cat.codes.to_numpy(), unknown)) if unknown else None
    if at is not None:
        expected = ", ".join(allowed[:-1]) + " or " + allowed[-1]
        raise error(f"{row(at)}: {values.name} is {values.iloc[at]!r}; expected {expected}")


def first_true(mask: np.ndarray) -> int | None:
    """Position of the first True, None where there is none."""
    return int(np.argmax(mask)) if mask.any() else None
