"""Objective measures of stimuli, from the manifests of stimulus sets, and whether they are those of the votes."""

import difflib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.errors import InvalidObjective
from analysis.objective.manifest_figures import read_manifest_figures
from analysis.objective.quality_table import MEASURES
from analysis.votes import counted_votes, validate_votes

__all__ = ["KEYS", "ObjectiveCheck", "check_objective", "measures_of", "read_objective", "validate_objective"]

KEYS = ["target_metric", "source", "condition"]
# How many unknown stimuli a message names.
_NAMED = 3


@dataclass(frozen=True, eq=False)
class ObjectiveCheck:
    """What a table of measures has beside the votes. stimuli, with_votes: numbers of stimuli; without_votes: the
    others, with the columns of KEYS that the table has.
    """

    stimuli: int
    with_votes: int
    without_votes: pd.DataFrame


def read_objective(paths: str | Path | Sequence[str | Path]) -> pd.DataFrame:
    """One row per stimulus of the sets: target_metric, source, condition, and one column per measure found.

    paths: files manifest.json, or folders that hold one. The measures are those of `quality` and gain_delivered, in
    the units of the manifest; NaN where a number does not exist. A stimulus that several manifests describe alike is
    there once, and a measure that only one of them has is taken from that. Raises InvalidObjective: unreadable,
    another format version, a field missing or of the wrong kind, or manifests that contradict each other.
    """
    sources: dict[str, tuple[str, str]] = {}
    found: dict[tuple, tuple[dict, str]] = {}
    for path in [paths] if isinstance(paths, (str, Path)) else list(paths):
        manifest = read_manifest_figures(Path(path))
        for name, sha256 in manifest.sources:
            _agree(sources.setdefault(name, (sha256, manifest.file)), sha256, manifest.file, name)
        for key, figures in manifest.stimuli:
            known, where = found.setdefault(key, ({}, manifest.file))
            _merge(known, where, figures, manifest.file, key)
    if not found:
        raise InvalidObjective(
            "no manifest was given, or none has a stimulus; give the manifest.json of a stimulus set"
        )
    frame = pd.DataFrame([dict(zip(KEYS, key, strict=True)) | figures for key, (figures, _) in found.items()])
    known = [measure.key for measure in MEASURES if measure.key in frame]
    others = sorted(set(frame) - {*KEYS, *known})
    frame = frame[[*KEYS, *known, *others]].astype(dict.fromkeys([*known, *others], float))
    return frame.dropna(axis="columns", how="all").sort_values(KEYS, kind="stable", ignore_index=True)


def validate_objective(objective: pd.DataFrame) -> pd.DataFrame:
    """Check a table of measures and return a copy: source, condition, perhaps target_metric, and numbers (or NaN).

    Raises InvalidObjective: no such column, no measure, what is no number, or a stimulus twice.
    """
    if not isinstance(objective, pd.DataFrame) or not {"source", "condition"} <= set(objective):
        found = list(objective) if isinstance(objective, pd.DataFrame) else type(objective).__name__
        raise InvalidObjective(
            f"expected a DataFrame with the columns source, condition and one per measure, got {found}; "
            "read_objective makes one from manifests"
        )
    keys = [key for key in KEYS if key in objective]
    measures = measures_of(objective)
    if not measures or not len(objective):
        raise InvalidObjective(
            "the table of objective measures has no measure or no stimulus; give at least one of each"
        )
    table = objective.reset_index(drop=True)
    for measure in measures:
        numbers = pd.to_numeric(table[measure], errors="coerce").astype(float)
        bad = (numbers.isna() & table[measure].notna()) | np.isinf(numbers)
        if bad.any():
            at = int(bad.to_numpy().argmax())
            raise InvalidObjective(
                f"{measure} of {_named(table.loc[at, keys])} is {table[measure][at]!r}; expected a finite number, or "
                "nothing where there is none"
            )
        table[measure] = numbers
    table[keys] = table[keys].astype(str)
    twice = table.duplicated(keys)
    if twice.any():
        at = int(twice.to_numpy().argmax())
        raise InvalidObjective(f"{_named(table.loc[at, keys])} is there twice; keep one row for each stimulus")
    return table[[*keys, *measures]]


def measures_of(objective: pd.DataFrame) -> list[str]:
    """The columns that are measures."""
    return [str(column) for column in objective if column not in KEYS]


def check_objective(objective: pd.DataFrame, votes: pd.DataFrame) -> ObjectiveCheck:
    """Whether every stimulus that the counted votes name is in the table.

    The target metric is looked at where both have it. Raises InvalidObjective, which names the stimuli that are
    missing, with the first vote on each (votes are counted from 1) and the closest name.
    """
    table = validate_objective(objective)
    named = _stimuli_of(counted_votes(validate_votes(votes)))
    keys = [key for key in KEYS if key in table and key in named]
    if "target_metric" in table and "target_metric" not in keys:
        metrics = table["target_metric"].unique()
        if len(metrics) > 1:
            raise InvalidObjective(
                f"the manifests are about {len(metrics)} target metrics ({', '.join(metrics)}) and the votes do not "
                "say which is theirs; give the manifests of one, or votes with the column target_metric"
            )
    known = set(map(tuple, table[keys].itertuples(index=False)))
    is_known = np.array([row in known for row in named[keys].itertuples(index=False, name=None)], dtype=bool)
    unknown = named[~is_known]
    if len(unknown):
        said = [_unknown(table, row, keys) for row in unknown.head(_NAMED).to_dict("records")]
        more = f"; and {len(unknown) - _NAMED} more" if len(unknown) > _NAMED else ""
        raise InvalidObjective(
            f"no manifest has {'; nor '.join(said)}{more}; give the manifests of all sets that were shown, and only "
            "votes on them"
        )
    voted = set(named[keys].itertuples(index=False, name=None))
    without = table[[row not in voted for row in table[keys].itertuples(index=False, name=None)]]
    return ObjectiveCheck(len(table), len(table) - len(without), without[_there(table)].reset_index(drop=True))


def _there(table: pd.DataFrame) -> list[str]:
    return [key for key in KEYS if key in table]


def _stimuli_of(votes: pd.DataFrame) -> pd.DataFrame:
    """The stimuli that votes name, as text, in the order of their first vote, whose number is the column `vote`."""
    keys = [key for key in ("target_metric", "source") if key in votes]
    numbers = votes.index if pd.api.types.is_integer_dtype(votes.index) else np.arange(len(votes))
    sides = [
        votes[[*keys, side]].set_axis([*keys, "condition"], axis="columns").assign(vote=np.asarray(numbers) + 1)
        for side in ("left", "right")
    ]
    first = pd.concat(side.drop_duplicates([*keys, "condition"]) for side in sides)
    first = first.sort_values("vote", kind="stable").drop_duplicates([*keys, "condition"], ignore_index=True)
    if "target_metric" in first and first["target_metric"].isna().any():
        vote = int(first.loc[first["target_metric"].isna(), "vote"].iloc[0])
        raise InvalidObjective(f"{_vote(vote)} names no target_metric; fill the column in, or drop it")
    return first.astype(dict.fromkeys([*keys, "condition"], str))


def _unknown(table: pd.DataFrame, row: dict, keys: list[str]) -> str:
    """The stimulus and the vote that names it, and the name that was perhaps meant."""
    near, rest = "", table
    for key in keys:
        here = rest[rest[key] == row[key]]
        if here.empty:
            close = difflib.get_close_matches(row[key], rest[key].unique(), n=1, cutoff=0)
            near = f", closest is the {key.replace('_', ' ')} {close[0]!r}" if close else ""
            break
        rest = here
    return f"{_named({key: row[key] for key in keys})} ({_vote(row['vote'])}{near})"


def _vote(number: int) -> str:
    return f"vote {number}, row {number + 1} of a CSV"


def _named(row) -> str:
    text = f"{row['condition']!r} on {row['source']!r}"
    return f"{text} for {row['target_metric']!r}" if "target_metric" in row else text


def _agree(known: tuple[str, str], sha256: str, file: str, name: str) -> None:
    other, where = known
    if other != sha256:
        both = (
            f"{where} has it with two contents" if where == file else f"{where} and {file} have it with other contents"
        )
        raise InvalidObjective(
            f"the source {name!r} is not the same clip everywhere: {both} (sha256 {other[:12]} and {sha256[:12]}); "
            "rename one of the clips and make its set again, or give one of the sets"
        )


def _merge(known: dict, where: str, figures: dict, file: str, key: tuple) -> None:
    stimulus = _named(dict(zip(KEYS, key, strict=True)))
    for measure, value in figures.items():
        before = known.get(measure, math.nan)
        if not math.isnan(before) and not math.isnan(value) and before != value:
            places = f"{file} gives twice" if where == file else f"{where} and {file} give"
            raise InvalidObjective(
                f"{places} {measure} of {stimulus}, as {before:g} and {value:g}; give one of the sets, or make it again"
            )
        if math.isnan(before):
            known[measure] = value
