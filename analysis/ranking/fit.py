"""Fit scores of conditions to votes."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.stats import t as student_t

from analysis.errors import InvalidOption, InvalidVotes
from analysis.options import check_choice
from analysis.ranking.counts import TIE, CodedVotes, PairCounts, code_votes, pair_counts
from analysis.ranking.covariance import clustered_covariance, require_spread, two_way_covariance
from analysis.ranking.existence import require_finite_scores
from analysis.ranking.likelihood import Estimate, inverse_information, maximise_likelihood
from analysis.ranking.result import BradleyTerryResult, Effect
from analysis.ranking.shrinkage import estimate_ridge
from analysis.votes import counted_votes, validate_votes

__all__ = ["CLUSTERS", "MODELS", "TIES", "coded_votes", "fit_bradley_terry", "modelled_pairs", "require_one_question"]

TIES = ("davidson", "rao-kupper", "half")
CLUSTERS = ("participant", "source", "two-way", None)
MODELS = ("bradley-terry", "thurstone")


def fit_bradley_terry(
    votes: pd.DataFrame | CodedVotes,
    *,
    ties: str = "davidson",
    cluster: str | None = "participant",
    model: str = "bradley-terry",
    position: bool = False,
    ridge: float | str = 0.0,
    weights: Mapping[str, float] | None = None,
) -> BradleyTerryResult:
    """Maximum-likelihood scores of the conditions.

    votes: a vote table (checked by `validate_votes`; counted are the rows of kind `test` whose `use` is not false), or
        codes (`CodedVotes`), of which all count.
    ties: "davidson" and "rao-kupper" model ties with one more parameter (Davidson 1970, JASA 65, 317-328; Rao & Kupper
        1967, JASA 62, 194-204); "half" counts a tie as half a win for each side. Votes without a tie give the same
        scores in all three. The model "thurstone" counts halves.
    cluster: what the standard errors allow for. "participant": a participant's votes hang together (sandwich with
        P / (P - 1), which software with an uncorrected sandwich, CR0, leaves out; t quantiles with P - 1 degrees of
        freedom); "source": those on a source do; "two-way": both
        (Cameron, Gelbach & Miller 2011, JBES 29, 238-249), for conclusions about new sources, with min(P, S) - 1
        degrees of freedom; None: independent votes (inverse Fisher information, normal quantiles).
    model: "bradley-terry" (logits), or "thurstone" (Case V, in JOD).
    position: whether a bias to the left is estimated along with the scores.
    ridge: at least 0; the fit maximises log L - ridge / 2 * sum of squared scores, which is a normal prior of variance
        1 / ridge and draws the scores together. It gives finite scores to separated conditions, and names them.
        "estimated" finds it from the votes (empirical Bayes; the result holds the number): for few votes, and for
        pairs that were chosen by the votes before them. The standard errors take it as given.
    weights: how much each participant's votes count, by label; those not named count once. 0 leaves them out. Codes
        have theirs within (`CodedVotes.weighted`).
    Raises InvalidVotes, InvalidOption, DisconnectedConditions, SeparatedConditions, CovarianceUnavailable,
    NotConverged.
    """
    check_choice("ties", ties, TIES)
    check_choice("cluster", cluster, CLUSTERS)
    check_choice("model", model, MODELS)
    if ridge != "estimated" and (isinstance(ridge, str) or not 0 <= ridge < np.inf):
        raise InvalidOption(f"ridge is {ridge!r}; expected a finite number of at least 0, or 'estimated'")
    coded = coded_votes(votes, weights)
    pooled = coded.pooled()
    pairs, family = modelled_pairs(pooled, ties=ties, model=model, position=position)
    _require_two_conditions_each(pooled, coded)
    held = require_finite_scores(
        pairs, coded.conditions, family=family, ridge=np.inf if ridge == "estimated" else ridge
    )
    ridge = estimate_ridge(pairs, family=family) if ridge == "estimated" else ridge
    estimate = maximise_likelihood(pairs, family=family, ridge=ridge)
    inverse = inverse_information(estimate, pairs)
    covariance, degrees = _covariance(coded, cluster, estimate, inverse)
    n = len(coded.conditions)
    cells = pooled if coded.weight is None else np.bincount(coded.cell, minlength=len(pooled))
    return BradleyTerryResult(
        conditions=coded.conditions,
        estimates=estimate.scores,
        estimate_covariance=covariance[:n, :n],
        cells=cells,
        model=model,
        ties="half" if model == "thurstone" else ties,
        tie_parameter=_tie_parameter(ties, model, estimate),
        tie_log_error=None if estimate.tie is None else _standard_error(covariance, inverse, n),
        position=_position(estimate, covariance, inverse, degrees),
        tie_position_covariance=float(covariance[n, n + 1]) if position and estimate.tie is not None else None,
        ridge=float(ridge),
        held_by_ridge=held,
        cluster=cluster,
        degrees_of_freedom=float(degrees),
        n_votes=len(coded.cell),
        n_ties=int(cells[TIE::3].sum()),
        n_participants=coded.n_participants,
        n_sources=coded.n_sources,
        log_likelihood=estimate.log_likelihood,
        iterations=estimate.iterations,
        unit="jod" if model == "thurstone" else "logit",
    )


def modelled_pairs(pooled: np.ndarray, *, ties: str, model: str, position: bool) -> tuple[PairCounts, str]:
    """The pairs of counts per cell (3 n^2,) as a likelihood takes them, and the name of its family."""
    pairs = pair_counts(pooled, ordered=position)
    if model == "thurstone" or ties == "half":
        return pairs.halved(), model
    return pairs, ties if pairs.tied.any() else model


def coded_votes(votes: pd.DataFrame | CodedVotes, weights: Mapping[str, float] | None = None) -> CodedVotes:
    """What `fit_bradley_terry` counts of a vote table, with the participants' weights; codes stay as they are."""
    if isinstance(votes, CodedVotes):
        if weights is not None:
            raise InvalidOption("weights name the participants of a table; for codes use CodedVotes.weighted")
        return votes
    table = counted_votes(validate_votes(votes))
    require_one_question(table)
    if weights is None:
        return code_votes(table)
    factor = table["participant"].astype(str).map(weights).fillna(1.0).to_numpy(dtype=float)
    if not ((factor >= 0) & np.isfinite(factor)).all():
        raise InvalidOption("a weight is negative or no number; expected finite numbers of at least 0")
    kept = factor > 0
    if not kept.any():
        raise InvalidVotes("no vote counts: every participant has the weight 0")
    return code_votes(table[kept]).weighted(factor[kept])


def _covariance(
    coded: CodedVotes, cluster: str | None, estimate: Estimate, inverse: np.ndarray
) -> tuple[np.ndarray, float]:
    if cluster is None:
        return inverse, np.inf
    fitted = {"estimate": estimate, "inverse": inverse}
    if cluster == "participant":
        degrees = coded.n_participants - 1
        covariance = clustered_covariance(coded, coded.participant, coded.n_participants, of="participant", **fitted)
    elif cluster == "source":
        degrees = coded.n_sources - 1
        covariance = clustered_covariance(coded, coded.source, coded.n_sources, of="source", **fitted)
    else:
        degrees = min(coded.n_participants, coded.n_sources) - 1
        covariance = two_way_covariance(coded, **fitted)
    n = len(coded.conditions)
    require_spread(covariance[:n, :n], inverse[:n, :n])
    return covariance, degrees


def _tie_parameter(ties: str, model: str, estimate: Estimate) -> float | None:
    if ties == "half" or model == "thurstone":
        return None
    without = 0.0 if ties == "davidson" else 1.0
    return without if estimate.tie is None else float(np.exp(estimate.tie))


def _position(estimate: Estimate, covariance: np.ndarray, inverse: np.ndarray, degrees: float) -> Effect | None:
    if estimate.left_bias is None:
        return None
    error = _standard_error(covariance, inverse, -1)
    return Effect(estimate.left_bias, error, float(2 * student_t.sf(abs(estimate.left_bias) / error, degrees)))


def _standard_error(covariance: np.ndarray, inverse: np.ndarray, place: int) -> float:
    """Participants who tie, or lean to the left, all alike show no spread to judge by: NaN."""
    variance = covariance[place, place]
    return float(np.sqrt(variance)) if variance > 1e-9 * inverse[place, place] else np.nan


def _require_two_conditions_each(pooled: np.ndarray, coded: CodedVotes) -> None:
    n = len(coded.conditions)
    alike = pooled.reshape(n * n, 3)[:: n + 1]
    if alike.any():
        condition = int(np.flatnonzero(alike.any(axis=1))[0])
        at = int(np.flatnonzero(coded.cell // 3 == condition * (n + 1))[0])
        raise InvalidVotes(
            f"vote {at + 1} compares {coded.conditions[condition]!r} with itself; a pair needs two conditions"
        )


def require_one_question(table: pd.DataFrame) -> None:
    """Raise InvalidVotes unless there are counted votes, all about one target metric."""
    if len(table) == 0:
        raise InvalidVotes("no vote counts: every row is of another kind than `test` or has `use` false")
    if "target_metric" in table:
        metrics = list(table["target_metric"].cat.remove_unused_categories().cat.categories)
        if len(metrics) > 1:
            raise InvalidVotes(
                f"the votes are about {len(metrics)} target metrics ({', '.join(metrics)}) and a ranking is about one; "
                "select the rows of one, or drop the column target_metric to pool them"
            )
