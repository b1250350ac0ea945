"""The present ranking of a study, fitted once for the same counted votes."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.core.cache import cache

from analysis import AnalysisError
from studyserver.selectors.dashboard_votes import VoteFact

__all__ = ["RankedCondition", "Ranking", "ranking_of"]

_LEVEL = 0.95
_KEPT_SECONDS = 24 * 3600


@dataclass(frozen=True)
class RankedCondition:
    """A condition's score in logits with its 95 % interval; `low_new` to `high_new` hold for new sources too."""

    label: str
    score: float
    low: float
    high: float
    low_new: float | None
    high_new: float | None


@dataclass(frozen=True)
class Ranking:
    """Conditions from the most preferred down, or `why_not`: the sentence that says why there is no ranking yet.

    `told_apart` of `comparisons` pairs of conditions differ clearly (Holm, 5 %). `halves` is the mean rank
    correlation between random halves of the people, None where it cannot be computed.
    """

    votes: int
    participants: int
    conditions: tuple[RankedCondition, ...] = ()
    told_apart: int = 0
    comparisons: int = 0
    halves: float | None = None
    why_not: str = ""


def ranking_of(votes: Iterable[VoteFact]) -> Ranking:
    """Return the ranking of the votes that count among these; the same votes are fitted once a day at most."""
    counted = [vote for vote in votes if vote.counts]
    if not counted:
        return Ranking(0, 0, why_not="No vote counts yet.")
    digest = hashlib.sha256()
    for vote in counted:
        digest.update(b"%d " % vote.pk)
    key = f"dashboard ranking {digest.hexdigest()}".replace(" ", "-")
    ranking = cache.get(key)
    if ranking is None:
        ranking = _fit(counted)
        cache.set(key, ranking, _KEPT_SECONDS)
    return ranking


def _fit(counted: Sequence[VoteFact]) -> Ranking:
    # Imported here: pandas and scipy take a second, and the participants' pages do not need them.
    import pandas

    from analysis import fit_bradley_terry, split_half_agreement, validate_votes

    table = validate_votes(
        pandas.DataFrame(
            {
                "participant": [str(vote.participant) for vote in counted],
                "source": [vote.source for vote in counted],
                "left": [vote.left for vote in counted],
                "right": [vote.right for vote in counted],
                "choice": [vote.choice for vote in counted],
            }
        )
    )
    people = table["participant"].nunique()
    if people < 2:
        return Ranking(len(counted), people, why_not="Votes of one person count so far; intervals need two at least.")
    try:
        result = fit_bradley_terry(table)
    except AnalysisError as error:
        return Ranking(len(counted), people, why_not=str(error))
    try:
        wider = fit_bradley_terry(table, cluster="two-way").interval(_LEVEL)
    except AnalysisError:
        wider = None

    def ranked(label: str, row) -> RankedCondition:
        if wider is None:
            return RankedCondition(label, row["score"], row["low"], row["high"], None, None)
        # A difference of estimated variances can come out smaller; more doubt never narrows.
        low, high = min(row["low"], wider.loc[label, "low"]), max(row["high"], wider.loc[label, "high"])
        return RankedCondition(label, row["score"], row["low"], row["high"], low, high)

    comparisons = result.compare(level=_LEVEL)
    halves = split_half_agreement(table, seed=0)
    return Ranking(
        votes=len(counted),
        participants=people,
        conditions=tuple(ranked(label, row) for label, row in result.to_frame(_LEVEL).iterrows()),
        told_apart=int((comparisons["p_adjusted"] < 1 - _LEVEL).sum()),
        comparisons=len(comparisons),
        halves=None if halves is None else halves.mean,
    )
