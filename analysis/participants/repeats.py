"""Do participants answer a pair that they see again as they did before?"""

from dataclasses import dataclass

import numpy as np

from analysis.participants.judgements import Judgements
from analysis.participants.shares import Share, share_of
from analysis.ranking.counts import TIE
from analysis.ranking.families import probabilities
from analysis.ranking.result import BradleyTerryResult

__all__ = ["RepeatedPairs", "repeated_pairs"]


@dataclass(frozen=True)
class RepeatedPairs:
    """How often the second answer is the first one again: the same condition preferred, or both times a tie.

    same: share of the repeated pairs. chance: what it would be if people guessed, with ties as often as these people
    tied. model: what it would be if each answer were drawn anew with the probabilities of the fitted ranking, None
    without a fit; people who agree with themselves more often than this have tastes of their own, or remember.
    """

    same: Share
    chance: float
    model: float | None


def repeated_pairs(
    tests: Judgements, repeats: Judgements, fit: BradleyTerryResult | None, *, reversed_only: bool, level: float
) -> RepeatedPairs:
    """Repeats beside the same participant's first answer to that pair on that source.

    tests, repeats: of one table. reversed_only: only repeats with the sides swapped. Repeats without a first answer
    are left out. Raises NotAssessable without any other.
    """
    first = tests.first()
    order = np.argsort(first.person_unit)
    keys, wanted = first.person_unit[order], repeats.person_unit
    at = np.searchsorted(keys, wanted)
    met = np.isin(wanted, keys)
    before, after = first.where(order[at[met]]), repeats.where(met)
    if reversed_only:
        swapped = before.low_left != after.low_left
        before, after = before.where(swapped), after.where(swapped)
    what = "repeated pair with the sides swapped" if reversed_only else "repeated pair"
    same = share_of(
        before.answer == after.answer, after.participant, level=level, of_what=f"{what} whose first answer counts"
    )
    tied, tied_again = np.mean(before.answer == TIE), np.mean(after.answer == TIE)
    return RepeatedPairs(
        same=same,
        chance=float(tied * tied_again + (1 - tied) * (1 - tied_again) / 2),
        model=None if fit is None else _by_the_model(after, fit),
    )


def _by_the_model(judged: Judgements, fit: BradleyTerryResult) -> float:
    scores = fit.scores.reindex(list(judged.conditions)).to_numpy()
    gap = scores[judged.low] - scores[judged.high]
    family, tie = ("davidson", np.log(fit.tie_parameter)) if fit.tie_parameter else ("bradley-terry", None)
    chances = np.column_stack(probabilities(family, gap, tie))
    return float(np.mean(np.sum(chances**2, axis=1)))
