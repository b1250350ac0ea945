"""The ranking under each screening rule side by side: does the answer depend on whose votes count?"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import pandas as pd
from scipy.stats import kendalltau

from analysis.errors import AnalysisError, EverybodyRemoved
from analysis.options import check_choice, check_level
from analysis.participants.crowd import Crowd, gather_crowd
from analysis.participants.screening import SCREENING_RULES, Screening, apply_rule
from analysis.participants.screening_judges import DOWN_WEIGHT, REMOVE
from analysis.participants.screening_rules import ScreeningRule
from analysis.ranking.counts import CodedVotes, code_votes
from analysis.ranking.fit import fit_bradley_terry, require_one_question
from analysis.ranking.result import BradleyTerryResult
from analysis.votes import validate_votes

__all__ = ["RuleRanking", "rank_under_rules"]


@dataclass(frozen=True, eq=False)
class RuleRanking:
    """A rule of SCREENING_RULES and the ranking that it leaves.

    participants: whose votes count; removed, down_weighted: how many the rule decided so about.
    votes: rows that count; effective_votes: the sum of their weights. ranking: a row per condition, best first: rank,
    score, low, high, moved (places up, or down where negative, from the main ranking). kendall_tau: of the scores with
    those of the main ranking, None where one of them is missing. result, ranking: None where why_not says why.
    """

    rule: str
    version: int
    title: str
    description: str
    participants: int
    removed: int
    down_weighted: int
    votes: int
    effective_votes: float
    ranking: pd.DataFrame | None = field(repr=False)
    kendall_tau: float | None
    result: BradleyTerryResult | None = field(repr=False, metadata={"plain": False})
    why_not: str | None


def rank_under_rules(
    votes: pd.DataFrame,
    *,
    ties: str = "davidson",
    cluster: str | None = "participant",
    level: float = 0.95,
    main: str = "as-given",
    rank: Callable[[CodedVotes], BradleyTerryResult] | None = None,
) -> tuple[RuleRanking, ...]:
    """Rank the conditions under every rule of SCREENING_RULES, in its order.

    votes: as `validate_votes` takes them, about one target metric. ties, cluster: as `fit_bradley_terry` takes them.
    level: of the intervals. main: the rule that the others are compared with. rank: fits the votes that a rule leaves;
    without it `fit_bradley_terry` does.
    Raises InvalidVotes, InvalidOption; a rule that leaves no ranking says why in `why_not`.
    """
    check_level(level)
    check_choice("main", main, tuple(SCREENING_RULES))
    table = validate_votes(votes)
    require_one_question(table[(table["kind"] == "test").to_numpy()] if "kind" in table else table)
    crowds = {whole: gather_crowd(table, everybody=whole) for whole in (False, True)}
    rank = rank or partial(fit_bradley_terry, ties=ties, cluster=cluster)
    ranked = {name: _rank(rule, crowds[rule.everybody], table, rank) for name, rule in SCREENING_RULES.items()}
    return tuple(_described(rule, *ranked[name], ranked[main][1], level) for name, rule in SCREENING_RULES.items())


def _rank(
    rule: ScreeningRule, crowd: Crowd, table: pd.DataFrame, rank: Callable[[CodedVotes], BradleyTerryResult]
) -> tuple[Screening | None, BradleyTerryResult | AnalysisError]:
    """The screening (None where the rule could not judge), and the fit or what prevents it."""
    screening = None
    try:
        screening = apply_rule(rule, crowd)
        counted = screening.counted(table)
        weight = counted["participant"].map(screening.weights).to_numpy(dtype=float)
        coded = code_votes(counted)
        return screening, rank(coded if (weight == 1).all() else coded.weighted(weight))
    except EverybodyRemoved as error:
        return error.screening, error
    except AnalysisError as error:
        return screening, error


def _described(
    rule: ScreeningRule,
    screening: Screening | None,
    fitted: BradleyTerryResult | AnalysisError,
    main: BradleyTerryResult | AnalysisError,
    level: float,
) -> RuleRanking:
    result = None if isinstance(fitted, AnalysisError) else fitted
    compared = None if isinstance(main, AnalysisError) else main
    people = screening.participants if screening else pd.DataFrame(columns=["weight", "n_votes", "decision"])
    counts = people["weight"] > 0
    return RuleRanking(
        rule=rule.name,
        version=rule.version,
        title=rule.title,
        description=rule.description,
        participants=int(counts.sum()),
        removed=int((people["decision"] == REMOVE).sum()),
        down_weighted=int((people["decision"] == DOWN_WEIGHT).sum()),
        votes=int(people.loc[counts, "n_votes"].sum()),
        effective_votes=float((people["weight"] * people["n_votes"]).sum()),
        ranking=None if result is None else _ranking(result, compared, level),
        kendall_tau=None if result is None or compared is None else _tau(result, compared),
        result=result,
        why_not=None if result else str(fitted),
    )


def _ranking(result: BradleyTerryResult, main: BradleyTerryResult | None, level: float) -> pd.DataFrame:
    table = result.scores.rename("score").to_frame().join(result.interval(level))
    table.insert(0, "rank", _ranks(result.scores))
    moved = np.nan if main is None else _ranks(main.scores).reindex(table.index) - table["rank"]
    return table.assign(moved=moved).sort_values("rank", kind="stable").rename_axis("condition")


def _ranks(scores: pd.Series) -> pd.Series:
    """1 for the highest score; equal ones share the best of their places."""
    return scores.rank(method="min", ascending=False).astype(int)


def _tau(result: BradleyTerryResult, main: BradleyTerryResult) -> float | None:
    """Of the conditions that both rank; None with fewer than two."""
    both = result.scores.index.intersection(main.scores.index)
    tau = float(kendalltau(result.scores[both], main.scores[both]).statistic) if len(both) > 1 else np.nan
    return None if np.isnan(tau) else tau
