"""One ranking per group of votes: per source, or per target metric."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.errors import AnalysisError, InvalidOption, InvalidVotes
from analysis.options import check_level
from analysis.ranking.counts import CodedVotes, cell_codes
from analysis.ranking.fit import coded_votes, fit_bradley_terry
from analysis.ranking.result import BradleyTerryResult
from analysis.votes import counted_votes, validate_votes

__all__ = ["GROUPINGS", "GroupRanking", "GroupRankings", "rank_by", "rank_sources"]

GROUPINGS = ("source", "target_metric")


@dataclass(frozen=True)
class GroupRanking:
    """The ranking of one group, or None and the sentence why there is none. group: "" for all votes together."""

    group: str
    n_votes: int
    n_participants: int
    result: BradleyTerryResult | None
    why_not: str | None


@dataclass(frozen=True)
class GroupRankings:
    """A ranking of each group, in alphabetical order, and one of all votes. level: of the intervals in `table`."""

    by: str
    groups: tuple[GroupRanking, ...]
    pooled: GroupRanking
    level: float

    def table(self) -> pd.DataFrame:
        """Rows of `BradleyTerryResult.to_frame` for each group that has a ranking, with the columns group, condition.

        The scores of a group sum to zero over the conditions that it has.
        """
        there = [ranking for ranking in self.groups if ranking.result is not None]
        if not there:
            return pd.DataFrame(columns=["group", "condition", "rank", "score", "standard_error", "low", "high"])
        frames = [ranking.result.to_frame(self.level).reset_index() for ranking in there]
        for ranking, frame in zip(there, frames, strict=True):
            frame.insert(0, "group", ranking.group)
        return pd.concat(frames, ignore_index=True)

    def failures(self) -> pd.DataFrame:
        """The groups without a ranking: columns group, n_votes, why_not."""
        rows = [(ranking.group, ranking.n_votes, ranking.why_not) for ranking in self.groups if ranking.why_not]
        return pd.DataFrame(rows, columns=["group", "n_votes", "why_not"])


def rank_by(
    votes: pd.DataFrame,
    by: str,
    *,
    ties: str = "davidson",
    cluster: str | None = "participant",
    position: bool = False,
    weights: Mapping[str, float] | None = None,
    level: float = 0.95,
) -> GroupRankings:
    """Fit the votes of each source (or target metric) alone, and all of them together; options as `fit_bradley_terry`.

    by: "source" (votes on several target metrics are pooled) or "target_metric". What keeps one group from being ranked
    is kept as a sentence with it and stops no other. Raises InvalidVotes and InvalidOption.
    """
    check_level(level)
    if by not in GROUPINGS:
        raise InvalidOption(f"by is {by!r}; expected 'source' or 'target_metric'")
    table = counted_votes(validate_votes(votes))
    options = {"ties": ties, "cluster": cluster, "position": position}
    pooled = coded_votes(table.drop(columns="target_metric", errors="ignore"), weights)
    if by == "source":
        groups = rank_sources(pooled, **options)
    else:
        groups = tuple(
            _metric_ranking(str(metric), part.drop(columns="target_metric"), weights, options)
            for metric, part in _by_metric(table)
        )
    return GroupRankings(by, groups, _ranking("", pooled, options), level)


def rank_sources(coded: CodedVotes, **options) -> tuple[GroupRanking, ...]:
    """A ranking of each source of coded votes; options as `fit_bradley_terry`."""
    names = coded.sources or tuple(map(str, range(coded.n_sources)))
    return tuple(_ranking(name, _of_source(coded, code), options) for code, name in enumerate(names))


def _by_metric(table: pd.DataFrame):
    if "target_metric" not in table:
        raise InvalidVotes("the votes have no column target_metric, so there is nothing to group them by; add it")
    empty = int(table["target_metric"].isna().sum())
    if empty:
        raise InvalidVotes(
            f"{empty} of the {len(table)} votes that count name no target_metric; fill the column in, or drop it"
        )
    return table.groupby("target_metric", observed=True, sort=True)


def _metric_ranking(
    metric: str, votes: pd.DataFrame, weights: Mapping[str, float] | None, options: dict
) -> GroupRanking:
    try:
        coded = coded_votes(votes, weights)
    except InvalidVotes as problem:
        return GroupRanking(metric, len(votes), votes["participant"].nunique(), None, str(problem))
    return _ranking(metric, coded, options)


def _of_source(coded: CodedVotes, code: int) -> CodedVotes:
    """The votes on one source, with only the conditions and participants that they name."""
    n, rows = len(coded.conditions), coded.source == code
    cell = coded.cell[rows]
    seen, sides = np.unique(np.concatenate([cell // (3 * n), cell // 3 % n]), return_inverse=True)
    people, participant = np.unique(coded.participant[rows], return_inverse=True)
    return CodedVotes(
        conditions=tuple(coded.conditions[k] for k in seen),
        cell=cell_codes(sides[: len(cell)], sides[len(cell) :], cell % 3, len(seen)),
        participant_code=participant,
        n_participants=len(people),
        source_code=None,
        n_sources=1,
        weight=None if coded.weight is None else coded.weight[rows],
    )


def _ranking(group: str, coded: CodedVotes, options: dict) -> GroupRanking:
    result, why_not = None, None
    try:
        result = fit_bradley_terry(coded, **options)
    except InvalidOption:
        raise
    except AnalysisError as problem:
        why_not = str(problem)
    return GroupRanking(group, len(coded.cell), coded.n_participants, result, why_not)
