"""The ranking that a report answers with, and what its intervals speak of: attacks in general, or these clips alone."""

from dataclasses import dataclass, field, replace

import numpy as np

from analysis.errors import AnalysisError, InvalidOption
from analysis.ranking.counts import CodedVotes
from analysis.ranking.covariance import difference_variances
from analysis.ranking.fit import fit_bradley_terry
from analysis.ranking.result import BradleyTerryResult

__all__ = ["FEWEST_SOURCES", "GENERALISE", "MainRanking", "rank_votes", "wider"]

GENERALISE = ("sources", "these-sources")
# With fewer, their spread says next to nothing about other sources: t has 3 degrees of freedom and less.
FEWEST_SOURCES = 5


@dataclass(frozen=True, eq=False)
class MainRanking:
    """`result`, in which no interval is narrower than in `by_participant`.

    generalise: "sources" where the intervals hold for new participants and new sources, "these-sources" where for new
    participants judging the same sources. why_not: the reason why they do not hold for new sources, else None.
    two_way: the fit clustered both ways as it is, None where there is none.
    """

    result: BradleyTerryResult = field(metadata={"plain": False})
    by_participant: BradleyTerryResult = field(metadata={"plain": False})
    two_way: BradleyTerryResult | None = field(metadata={"plain": False})
    generalise: str
    why_not: str | None


def rank_votes(votes: CodedVotes, *, ties: str = "davidson", generalise: str | None = None) -> MainRanking:
    """Rank the conditions for a claim about attacks in general, or about these sources alone.

    generalise: one of GENERALISE, or None for "sources" where there are at least FEWEST_SOURCES sources and their
    spread can be estimated. votes, ties: as `fit_bradley_terry` takes them.
    Raises what `fit_bradley_terry` raises; CovarianceUnavailable where "sources" was asked for and cannot be had.
    """
    if generalise not in (*GENERALISE, None):
        expected = " or ".join(map(repr, GENERALISE))
        raise InvalidOption(f"generalise is {generalise!r}; expected {expected}")
    by_participant = fit_bradley_terry(votes, ties=ties)
    two_way, why_not = None, None
    try:
        two_way = fit_bradley_terry(votes, ties=ties, cluster="two-way")
    except AnalysisError as error:
        if generalise == "sources":
            raise
        why_not = str(error)
    few = by_participant.n_sources < FEWEST_SOURCES
    if generalise == "these-sources":
        why_not = "a statement about these sources alone was asked for"
    elif few and generalise is None:
        count = by_participant.n_sources
        why_not = (
            f"{count} source{'s are' if count > 1 else ' is'} too few to speak about others (from {FEWEST_SOURCES} on)"
        )
    if why_not is not None:
        return MainRanking(by_participant, by_participant, two_way, "these-sources", why_not)
    return MainRanking(wider(two_way, by_participant), by_participant, two_way, "sources", None)


def wider(result: BradleyTerryResult, other: BradleyTerryResult) -> BradleyTerryResult:
    """`result` with, for every score and every difference, the larger of the two fits' variances.

    Two-way variances are a difference of estimates and can come out smaller than those by participant alone, but more
    doubt never narrows an interval. The returned matrix gives the variances of single scores and of differences, and is
    not meant for other sums of scores.
    """
    theirs = [fit.estimate_covariance for fit in (result, other)]
    own = np.max([np.diag(covariance) for covariance in theirs], axis=0)
    differences = np.max([difference_variances(covariance) for covariance in theirs], axis=0)
    covariance = (own[:, None] + own[None, :] - differences) / 2
    np.fill_diagonal(covariance, own)
    degrees = min(result.degrees_of_freedom, other.degrees_of_freedom)
    return replace(result, estimate_covariance=covariance, degrees_of_freedom=degrees)
