"""Fit scores of conditions to votes."""

import numpy as np
import pandas as pd

from analysis.counts import code_votes, pool, wins_and_ties
from analysis.covariance import clustered_covariance, require_spread
from analysis.errors import InvalidOption, InvalidVotes
from analysis.existence import require_finite_scores
from analysis.likelihood import Estimate, inverse_information, maximise_likelihood
from analysis.result import BradleyTerryResult
from analysis.votes import counted_votes, validate_votes

__all__ = ["fit_bradley_terry"]

_TIES = ("half", "davidson")
_CLUSTERS = ("participant", "two-way", None)


def fit_bradley_terry(
    votes: pd.DataFrame, *, ties: str = "half", cluster: str | None = "participant"
) -> BradleyTerryResult:
    """Maximum-likelihood log-strengths of the conditions.

    votes: a vote table (checked by `validate_votes`); counted are the rows of kind `test` whose `use` is not false.
    ties: "half" counts a tie as half a win for each side; "davidson" models ties with one more parameter nu
        (Davidson 1970, JASA 65, 317-328; the scores then have the scale of decided votes).
    cluster: what the standard errors allow for. "participant": a participant's votes hang together (sandwich with
        P / (P - 1), t quantiles with P - 1 degrees of freedom); "two-way": votes on a source hang together as well
        (Cameron, Gelbach & Miller 2011, JBES 29, 238-249), for conclusions about new sources, with min(P, S) - 1
        degrees of freedom; None: independent votes (inverse Fisher information, normal quantiles).
    Raises InvalidVotes, InvalidOption, DisconnectedConditions, SeparatedConditions, CovarianceUnavailable,
    NotConverged.

    Differs: negative eigenvalues that the two-way difference of matrices can have are set to zero.
    """
    if ties not in _TIES:
        raise InvalidOption(f"ties is {ties!r}; expected 'half' or 'davidson'")
    if cluster not in _CLUSTERS:
        raise InvalidOption(f"cluster is {cluster!r}; expected 'participant', 'two-way' or None")
    table = counted_votes(validate_votes(votes))
    _require_one_question(table)

    coded = code_votes(table)
    counts = coded.count_by(coded.participant, coded.n_participants)
    wins, tied = wins_and_ties(pool(counts))
    tallies = pd.DataFrame(
        {"wins": wins.sum(axis=1), "losses": wins.sum(axis=0), "ties": tied.sum(axis=1)},
        index=pd.Index(coded.conditions, name="condition"),
    ).astype(int)
    model_ties = tied if ties == "davidson" and tied.any() else None
    model_wins = wins + tied / 2 if ties == "half" else wins
    require_finite_scores(model_wins, model_ties, coded.conditions)
    estimate = maximise_likelihood(model_wins, model_ties)
    inverse = inverse_information(estimate, model_wins, model_ties)

    if cluster is None:
        covariance, degrees = inverse, np.inf
    else:
        covariance = clustered_covariance(counts, estimate, inverse)
        degrees = coded.n_participants - 1
    if cluster == "two-way":
        sources = coded.count_by(coded.source, coded.n_sources)
        shared, both = np.unique(coded.participant * coded.n_sources + coded.source, return_inverse=True)
        overlap = coded.count_by(both, len(shared))
        covariance = covariance + clustered_covariance(sources, estimate, inverse)
        covariance = _nearest_semidefinite(covariance - clustered_covariance(overlap, estimate, inverse))
        degrees = min(coded.n_participants, coded.n_sources) - 1
    n = len(coded.conditions)
    covariance = covariance[:n, :n]
    require_spread(covariance, inverse[:n, :n])

    index = tallies.index
    return BradleyTerryResult(
        scores=pd.Series(estimate.scores, index=index, name="score"),
        covariance=pd.DataFrame(covariance, index=index, columns=index.rename(None)),
        tallies=tallies,
        ties=ties,
        tie_parameter=_tie_parameter(ties, estimate),
        cluster=cluster,
        degrees_of_freedom=float(degrees),
        n_votes=len(table),
        n_ties=int(tallies["ties"].sum() // 2),
        n_participants=coded.n_participants,
        n_sources=coded.n_sources,
        iterations=estimate.iterations,
        converged=True,
    )


def _require_one_question(table: pd.DataFrame) -> None:
    if len(table) == 0:
        raise InvalidVotes("no vote counts: every row is of another kind than `test` or has `use` false")
    if "target_metric" in table:
        metrics = list(table["target_metric"].cat.remove_unused_categories().cat.categories)
        if len(metrics) > 1:
            raise InvalidVotes(
                f"the votes are about {len(metrics)} target metrics ({', '.join(metrics)}) and a ranking is about one; "
                "select the rows of one, or drop the column target_metric to pool them"
            )


def _nearest_semidefinite(matrix: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    return (vectors * np.clip(values, 0, None)) @ vectors.T


def _tie_parameter(ties: str, estimate: Estimate) -> float | None:
    if ties == "half":
        return None
    return 0.0 if estimate.log_tie is None else float(np.exp(estimate.log_tie))
