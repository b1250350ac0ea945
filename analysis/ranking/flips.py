"""The fewest votes that decide between rank 1 and rank 2."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from analysis.errors import DisconnectedConditions, InvalidOption, NotConverged, SeparatedConditions, UnknownCondition
from analysis.options import check_choice
from analysis.ranking.counts import CodedVotes, PairCounts, pair_counts
from analysis.ranking.existence import require_finite_scores
from analysis.ranking.families import TIED_FAMILIES, answer_slopes
from analysis.ranking.fit import TIES, coded_votes
from analysis.ranking.likelihood import Estimate, gaps, inverse_information, maximise_likelihood
from analysis.ranking.vote_kinds import VoteKinds

__all__ = ["Flip", "votes_to_flip"]

_ANSWERS = ("first", "second", "tie")
# Where the votes left are one-sided: finite scores in the order in which they would run away.
_SMALL_RIDGE = 1e-3
# Scores nearer than this are level.
_LEVEL = 1e-8
_MOST_ROUNDS = 5


@dataclass(frozen=True, eq=False)
class Flip:
    """How many votes keep `first`, which has rank 1, above `second`, which has rank 2 (of those that may have one).

    difference: of their scores. dropped: of n_votes votes, so many left out put `second` above `first`; reversed: the
    same with votes answered the other way. Each is an upper bound of the fewest, with its share of all votes and the
    participants among whom such votes can be found (an upper bound of the fewest too); None where no number of votes
    does it.
    answers: which votes, columns first, second (a pair), answer ("first", "second" or "tie"), dropped, reversed.
    """

    first: str
    second: str
    difference: float
    n_votes: int
    dropped: int | None
    dropped_share: float | None
    dropped_participants: int | None
    reversed: int | None
    reversed_share: float | None
    reversed_participants: int | None
    answers: pd.DataFrame


def votes_to_flip(
    votes: pd.DataFrame | CodedVotes,
    *,
    ties: str = "davidson",
    leaving_out: str | None = None,
    weights: Mapping[str, float] | None = None,
) -> Flip:
    """Search the fewest votes that, left out or reversed, exchange rank 1 and 2.

    votes, ties, weights: as `fit_bradley_terry` takes them; a vote is one, whatever its weight. leaving_out: a
    condition that has no rank here, such as the reference; its votes count. Votes are ordered by their influence on
    the difference of the two scores, to first order (Broderick, Giordano & Meager 2020, arXiv:2011.14999; for rankings
    Huang, Shen, Wei & Broderick 2025, arXiv:2508.11847). The shortest beginning of that order that exchanges the ranks
    is found by refits, so that the exchange is certain; the order is renewed at the exchange as long as that gets by
    with fewer. What comes out is an upper bound: a cleverer choice may need fewer.
    Raises InvalidOption where fewer than two conditions have a rank, UnknownCondition, and as `fit_bradley_terry` does.
    """
    check_choice("ties", ties, TIES)
    coded = coded_votes(votes, weights)
    pairs = pair_counts(coded.pooled())
    kinds = VoteKinds.of(coded, pairs)
    search = _Search(coded.conditions, pairs, ties, kinds)
    estimate = search.fitted(search.counts)
    leader, follower = _best_two(estimate.scores, coded.conditions, leaving_out)
    taken = {way: search.fewest(leader, follower, reverse=way == "reversed") for way in ("dropped", "reversed")}
    totals = {way: None if votes is None else int(votes.sum()) for way, votes in taken.items()}
    size = len(coded.cell)
    return Flip(
        first=coded.conditions[leader],
        second=coded.conditions[follower],
        difference=float(estimate.scores[leader] - estimate.scores[follower]),
        n_votes=size,
        **totals,
        **{f"{way}_share": None if total is None else total / size for way, total in totals.items()},
        **{
            f"{way}_participants": None if votes is None else kinds.holders(coded.participant, votes)
            for way, votes in taken.items()
        },
        answers=_answers(coded.conditions, pairs, kinds, taken),
    )


def _best_two(scores: np.ndarray, conditions: tuple[str, ...], leaving_out: str | None) -> tuple[int, int]:
    if leaving_out is not None and leaving_out not in conditions:
        raise UnknownCondition(f"no counted vote names the condition {leaving_out!r}, which was to be left out")
    ranked = [int(place) for place in np.argsort(-scores, kind="stable") if conditions[place] != leaving_out]
    if len(ranked) < 2:
        raise InvalidOption(f"without {leaving_out!r} one condition is left; expected two with a rank")
    return ranked[0], ranked[1]


class _Search:
    """counts (K, 3): votes for the first, for the second, and ties, of each pair, by their weights."""

    def __init__(self, conditions: tuple[str, ...], pairs: PairCounts, ties: str, kinds: VoteKinds):
        self.conditions, self.pairs, self.ties, self.kinds = conditions, pairs, ties, kinds
        self.counts = np.column_stack([pairs.for_first, pairs.for_second, pairs.tied])

    def fitted(self, counts: np.ndarray, *, ridge: float = 0.0) -> Estimate:
        pairs, family = self._modelled(counts)
        require_finite_scores(pairs, self.conditions, family=family, ridge=ridge)
        return maximise_likelihood(pairs, family=family, ridge=ridge)

    def fewest(self, leader: int, follower: int, *, reverse: bool) -> np.ndarray | None:
        """Votes of each kind to take (M,), or None where no number exchanges the two."""
        best, influence = None, self._influence(self.counts, leader, follower, reverse)
        for _ in range(_MOST_ROUNDS):
            found = self._shortest(influence, leader, follower, reverse)
            if found is None or (best is not None and found.sum() >= best.sum()):
                break
            best = found
            there = self._influence(self._without(found, reverse), leader, follower, reverse)
            # Half way between both ends: the influence changes along the way.
            influence = (self._influence(self.counts, leader, follower, reverse) + there) / 2
        return best

    def _modelled(self, counts: np.ndarray) -> tuple[PairCounts, str]:
        shown = counts.sum(axis=1) > 0
        kept = counts[shown]
        pairs = replace(
            self.pairs,
            first=self.pairs.first[shown],
            second=self.pairs.second[shown],
            for_first=kept[:, 0],
            for_second=kept[:, 1],
            tied=kept[:, 2],
        )
        if self.ties in TIED_FAMILIES and pairs.tied.any():
            return pairs, self.ties
        return pairs.halved(), "bradley-terry"

    def _fit_or_nearly(self, counts: np.ndarray) -> Estimate:
        pairs, family = self._modelled(counts)
        held = require_finite_scores(pairs, self.conditions, family=family, ridge=_SMALL_RIDGE)
        return maximise_likelihood(pairs, family=family, ridge=_SMALL_RIDGE if held else 0.0)

    def _influence(self, counts: np.ndarray, leader: int, follower: int, reverse: bool) -> np.ndarray:
        """By how much taking one vote of each kind lowers the difference, to first order: (M,)."""
        estimate = self._fit_or_nearly(counts)
        pairs, family = self._modelled(counts)
        inverse = inverse_information(estimate, pairs)
        along = inverse[leader] - inverse[follower]
        gap = gaps(estimate.parameters, self.pairs)
        by_gap, by_tie = answer_slopes(family, gap, estimate.tie)
        influence = by_gap * (along[self.pairs.first] - along[self.pairs.second])[:, None]
        if by_tie is not None:
            influence = influence + by_tie * along[-1]
        if reverse:
            swing = influence[:, 0] - influence[:, 1]
            influence = np.column_stack([swing, -swing, np.zeros_like(swing)])
        return influence.ravel()[self.kinds.cell] * self.kinds.weight

    def _without(self, taken: np.ndarray, reverse: bool) -> np.ndarray:
        # Counted anew: a difference of sums of weights would leave a trace of votes that are all taken.
        left = self.kinds.per_cell(self.kinds.votes - taken, self.counts.size)
        if reverse:
            left[:, :2] += self.kinds.per_cell(taken, self.counts.size)[:, 1::-1]
        return left

    def _shortest(self, influence: np.ndarray, leader: int, follower: int, reverse: bool) -> np.ndarray | None:
        """The shortest beginning of the votes by falling influence that exchanges the two; (M,)."""
        order = np.argsort(-influence, kind="stable")
        order = order[influence[order] > 0]
        held = self.kinds.votes[order]
        before = np.cumsum(held) - held

        def taken(size: int) -> np.ndarray:
            votes = np.zeros(len(self.kinds.votes))
            votes[order] = np.clip(size - before, 0, held)
            return votes

        def exchanged(size: int) -> bool | None:
            try:
                scores = self._fit_or_nearly(self._without(taken(size), reverse)).scores
            except (DisconnectedConditions, NotConverged, SeparatedConditions):
                return None
            return bool(scores[leader] - scores[follower] < -_LEVEL)

        low, high, most = 0, 1, int(held.sum())
        while (answer := exchanged(min(high, most))) is False:
            if high >= most:
                return None
            low, high = high, 2 * high
        high = min(high, most)
        while high - low > 1:
            middle = (low + high) // 2
            now = exchanged(middle)
            if now is False:
                low = middle
            else:
                high, answer = middle, now
        return taken(high) if answer else None


def _answers(
    conditions: tuple[str, ...], pairs: PairCounts, kinds: VoteKinds, taken: dict[str, np.ndarray | None]
) -> pd.DataFrame:
    size = 3 * len(pairs.first)
    numbers = {
        way: np.bincount(kinds.cell, votes, size) if votes is not None else np.zeros(size)
        for way, votes in taken.items()
    }
    pair, answer = np.divmod(np.flatnonzero(sum(numbers.values())), 3)
    labels = np.array(conditions, dtype=object)
    return pd.DataFrame(
        {
            "first": labels[pairs.first[pair]],
            "second": labels[pairs.second[pair]],
            "answer": np.array(_ANSWERS, dtype=object)[answer],
            **{way: votes[3 * pair + answer].astype(int) for way, votes in numbers.items()},
        }
    )
