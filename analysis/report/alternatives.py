"""The same votes under other assumptions: what of the ranking hangs on them."""

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

import numpy as np
import pandas as pd

from analysis.errors import AnalysisError, NotConverged
from analysis.ranking.counts import CodedVotes, pair_counts
from analysis.ranking.fit import TIES, fit_bradley_terry
from analysis.ranking.result import BradleyTerryResult, Effect

__all__ = [
    "CrossCheck",
    "Nothing",
    "PositionFit",
    "TieModels",
    "compare_tie_models",
    "cross_check",
    "interval_table",
    "position_fit",
]


class Nothing(AnalysisError):
    """The question does not arise with these votes; the message says why."""


@dataclass(frozen=True, eq=False)
class TieModels:
    """The ranking under each model of ties.

    table: index condition in the order of the main ranking; score_MODEL and rank_MODEL for every one of `models`, the
    scores in logits and each in its own sense of preference (see BradleyTerryResult). parameters: nu of Davidson, theta
    of Rao and Kupper. log_likelihoods: of Davidson and of Rao and Kupper, which have as many parameters, so that the
    higher fits better; halves are no probability of a tie and have none.
    same_order: whether all give the same ranks.
    """

    models: tuple[str, ...]
    table: pd.DataFrame
    parameters: dict[str, float | None]
    log_likelihoods: dict[str, float | None]
    same_order: bool


@dataclass(frozen=True)
class PositionFit:
    """What a bias to the left does to the ranking.

    bias: logits added to the condition on the left. probability: that the left one of two equals is preferred.
    largest_change: of a score, in logits, when the bias is modelled, and of which condition. same_order: whether the
    ranks stay.
    """

    bias: Effect
    probability: float
    largest_change: float
    condition: str
    same_order: bool


@dataclass(frozen=True)
class CrossCheck:
    """Largest difference, in logits, between the scores by half wins here and those of another library's fit."""

    package: str
    version: str
    function: str
    largest_difference: float


def compare_tie_models(votes: CodedVotes, result: BradleyTerryResult) -> TieModels:
    """Fit each model of ties. Raises Nothing where nobody tied, and what `fit_bradley_terry` raises."""
    if result.n_ties == 0:
        raise Nothing("nobody tied, so that all models of ties give the same scores")
    order = result.to_frame().index
    fits = {ties: fit_bradley_terry(votes, ties=ties, cluster=None) for ties in TIES}
    columns = {}
    for ties, fit in fits.items():
        columns[f"score_{ties}"] = fit.scores[order]
        columns[f"rank_{ties}"] = fit.to_frame()["rank"][order]
    modelled = [ties for ties in TIES if ties != "half"]
    ranks = [tuple(columns[f"rank_{ties}"]) for ties in TIES]
    return TieModels(
        models=TIES,
        table=pd.DataFrame(columns, index=order),
        parameters={ties: fits[ties].tie_parameter for ties in modelled},
        log_likelihoods={ties: fits[ties].log_likelihood for ties in modelled},
        same_order=len(set(ranks)) == 1,
    )


def position_fit(votes: CodedVotes, result: BradleyTerryResult) -> PositionFit:
    """Fit the scores with a bias to the left. Raises Nothing where its uncertainty is unknown, and as the fit does."""
    fit = fit_bradley_terry(votes, ties=result.ties, cluster="participant", position=True)
    if not np.isfinite(fit.position.p):
        raise Nothing("the participants lean to the left so much alike that its uncertainty cannot be estimated")
    change = (fit.scores - result.scores).abs()
    return PositionFit(
        bias=fit.position,
        probability=float(fit.preference(fit.position.value)),
        largest_change=float(change.max()),
        condition=str(change.idxmax()),
        same_order=_order(fit) == _order(result),
    )


def _order(result: BradleyTerryResult) -> list[str]:
    return list(result.scores.sort_values(ascending=False, kind="stable").index)


def cross_check(votes: CodedVotes) -> CrossCheck:
    """The scores by half wins against choix (Maystre), an independent implementation of the same estimate.

    Raises Nothing where choix is not installed.
    """
    try:
        found = version("choix")
        from choix import ilsr_pairwise_dense
    except (PackageNotFoundError, ImportError):
        raise Nothing("choix is not installed") from None
    fit = fit_bradley_terry(votes, ties="half", cluster=None)
    pairs = pair_counts(votes.pooled()).halved()
    n = len(votes.conditions)
    wins = np.zeros((n, n))
    np.add.at(wins, (pairs.first, pairs.second), pairs.for_first)
    np.add.at(wins, (pairs.second, pairs.first), pairs.for_second)
    try:
        theirs = ilsr_pairwise_dense(wins, tol=1e-10)
    except (RuntimeError, ValueError) as error:
        raise NotConverged(f"choix gave no scores: {error}") from None
    difference = np.abs((theirs - theirs.mean()) - (fit.estimates - fit.estimates.mean()))
    return CrossCheck("choix", found, "ilsr_pairwise_dense", float(difference.max()))


def interval_table(rows: dict[str, pd.DataFrame | None], order: pd.Index) -> pd.DataFrame:
    """Intervals of single scores beside each other: index condition, NAME_low and NAME_high for each of `rows`."""
    return pd.DataFrame(
        {
            f"{name}_{end}": interval.loc[order, end]
            for name, interval in rows.items()
            if interval is not None
            for end in ("low", "high")
        },
        index=order,
    )
