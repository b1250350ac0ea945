"""The votes that a report is about: one target metric or all, screened, counted."""

import hashlib
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from analysis.errors import InvalidOption, InvalidVotes
from analysis.participants.screening import SCREENING_RULES, Screening, screen_participants
from analysis.ranking.counts import CodedVotes, code_votes
from analysis.votes import REQUIRED_COLUMNS, counted_votes

__all__ = ["StudyVotes", "gather_votes", "votes_digest"]


@dataclass(frozen=True, eq=False)
class StudyVotes:
    """table: every row of the selected target metric (none set aside under a rule that counts everybody).
    counted: those that the ranking counts, without people of weight 0. coded: the counted votes as codes, with the
    weights of the screening. metrics: target metrics of the counted votes, by name; where they are several, `table` and
    `counted` lack the column and are about all of them, and `by_metric` is `counted` with it.
    """

    table: pd.DataFrame
    counted: pd.DataFrame
    coded: CodedVotes
    metrics: tuple[str, ...]
    by_metric: pd.DataFrame | None = field(repr=False)
    screening: Screening = field(repr=False)

    @property
    def of_counted_people(self) -> pd.DataFrame:
        """Rows of `table`, of every kind, by participants whose votes count."""
        people = self.counted["participant"].unique()
        return self.table[self.table["participant"].isin(people).to_numpy()]

    @property
    def conditions_without_votes(self) -> tuple[str, ...]:
        """Conditions that test votes of `table` show and no counted one does."""
        tests = self.table[(self.table["kind"] == "test").to_numpy()] if "kind" in self.table else self.table
        shown = set(tests["left"].unique()) | set(tests["right"].unique())
        return tuple(sorted(shown - set(self.coded.conditions)))

    @property
    def removed_votes(self) -> int:
        """How many votes the screening took out of those that the table itself would have counted."""
        return len(counted_votes(self.table)) - len(self.counted)


def gather_votes(table: pd.DataFrame, *, target_metric: str | None, screening: str) -> StudyVotes:
    """Select, screen and count the votes of a validated table.

    Raises InvalidOption (no such target metric or rule), EverybodyRemoved, InvalidVotes (no vote counts, or only some
    name a target metric).
    """
    table = _select(table, target_metric)
    screened = screen_participants(table, screening)
    if SCREENING_RULES[screening].everybody and "use" in table:
        table = table.assign(use=True)
    counted = screened.counted(table)
    if len(counted) == 0:
        raise InvalidVotes("no vote counts: every row is of another kind than `test` or has `use` false")
    weight = counted["participant"].astype(str).map(screened.weights).fillna(1.0).to_numpy(dtype=float)
    _require_metrics(counted)
    metrics, by_metric = _metrics(counted), None
    if len(metrics) > 1:
        by_metric = counted
        table, counted = (votes.drop(columns="target_metric") for votes in (table, counted))
    coded = code_votes(counted)
    return StudyVotes(
        table=table,
        counted=counted,
        coded=coded if (weight == 1).all() else coded.weighted(weight),
        metrics=metrics,
        by_metric=by_metric,
        screening=screened,
    )


def votes_digest(table: pd.DataFrame) -> str:
    """SHA-256 of what an analysis reads of a validated table, row by row; whichever way the table was stored."""
    digest = hashlib.sha256()
    for name in (*REQUIRED_COLUMNS, "target_metric", "kind", "expected"):
        if name in table:
            labels, codes = table[name].cat.categories, table[name].cat.codes
            digest.update("\x1f".join([name, *labels]).encode() + codes.to_numpy().astype("<i4").tobytes())
    for name, kind in (("use", "<i1"), ("response_ms", "<f8")):
        if name in table:
            digest.update(name.encode() + table[name].to_numpy().astype(kind).tobytes())
    return digest.hexdigest()


def _select(table: pd.DataFrame, target_metric: str | None) -> pd.DataFrame:
    if target_metric is None:
        return table
    known = list(table["target_metric"].cat.categories) if "target_metric" in table else []
    if target_metric not in known:
        raise InvalidOption(
            f"no vote has the target metric {target_metric!r}; the votes name {', '.join(known) or 'none'}"
        )
    return table[(table["target_metric"] == target_metric).to_numpy()]


def _require_metrics(counted: pd.DataFrame) -> None:
    """Votes that name no metric among others that do could be about any."""
    if "target_metric" not in counted:
        return
    unnamed = counted["target_metric"].isna().to_numpy()
    if unnamed.any() and not unnamed.all():
        first = counted.iloc[int(np.argmax(unnamed))]
        raise InvalidVotes(
            f"target_metric is empty in {unnamed.sum()} of the {len(counted)} counted votes, the first by participant "
            f"{str(first['participant'])!r} on source {str(first['source'])!r}; name it in every row, or leave the "
            "column out"
        )


def _metrics(counted: pd.DataFrame) -> tuple[str, ...]:
    if "target_metric" not in counted:
        return ()
    return tuple(np.unique(counted["target_metric"].dropna().astype(str)))
