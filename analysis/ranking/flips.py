"""The fewest votes that decide between rank 1 and rank 2."""

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


def votes_to_flip(votes: pd.DataFrame | CodedVotes, *, ties: str = "davidson", leaving_out: str | None = None) -> Flip:
    """Search the fewest votes that, left out or reversed, exchange rank 1 and 2.

    votes, ties: as `fit_bradley_terry` takes them. leaving_out: a condition that has no rank here, such as the
    reference; its votes count. Votes are ordered by their influence on the difference of the two
    scores, to first order (Broderick, Giordano & Meager 2020, arXiv:2011.14999; for rankings Huang, Shen, Wei &
    Broderick 2025, arXiv:2508.11847). The shortest beginning of that order that exchanges the ranks is found by
    refits, so that the exchange is certain; the order is renewed at the exchange as long as that gets by with fewer.
    What comes out is an upper bound: a cleverer choice may need fewer.
    Raises InvalidOption for weighted votes and where fewer than two conditions have a rank, UnknownCondition, and as
    `fit_bradley_terry` does.
    """
    check_choice("ties", ties, TIES)
    coded = coded_votes(votes)
    if coded.weight is not None:
        raise InvalidOption("votes with weights do not count alike; pass the votes without weights")
    pairs = pair_counts(coded.pooled())
    search = _Search(coded.conditions, pairs, ties)
    estimate = search.fitted(search.counts)
    leader, follower = _best_two(estimate.scores, coded.conditions, leaving_out)
    taken = {kind: search.fewest(leader, follower, reverse=kind == "reversed") for kind in ("dropped", "reversed")}
    totals = {kind: None if votes is None else int(votes.sum()) for kind, votes in taken.items()}
    place = _places(coded, pairs)
    size = len(coded.cell)
    return Flip(
        first=coded.conditions[leader],
        second=coded.conditions[follower],
        difference=float(estimate.scores[leader] - estimate.scores[follower]),
        n_votes=size,
        **totals,
        **{f"{kind}_share": None if total is None else total / size for kind, total in totals.items()},
        **{
            f"{kind}_participants": None if votes is None else _holders(coded, place, votes)
            for kind, votes in taken.items()
        },
        answers=_answers(coded.conditions, pairs, taken),
    )


def _best_two(scores: np.ndarray, conditions: tuple[str, ...], leaving_out: str | None) -> tuple[int, int]:
    if leaving_out is not None and leaving_out not in conditions:
        raise UnknownCondition(f"no counted vote names the condition {leaving_out!r}, which was to be left out")
    ranked = [int(place) for place in np.argsort(-scores, kind="stable") if conditions[place] != leaving_out]
    if len(ranked) < 2:
        raise InvalidOption(f"without {leaving_out!r} one condition is left; expected two with a rank")
    return ranked[0], ranked[1]


class _Search:
    """counts (K, 3): votes for the first, for the second, and ties, of each pair."""

    def __init__(self, conditions: tuple[str, ...], pairs: PairCounts, ties: str):
        self.conditions, self.pairs, self.ties = conditions, pairs, ties
        self.counts = np.column_stack([pairs.for_first, pairs.for_second, pairs.tied])

    def fitted(self, counts: np.ndarray, *, ridge: float = 0.0) -> Estimate:
        pairs, family = self._modelled(counts)
        require_finite_scores(pairs, self.conditions, family=family, ridge=ridge)
        return maximise_likelihood(pairs, family=family, ridge=ridge)

    def fewest(self, leader: int, follower: int, *, reverse: bool) -> np.ndarray | None:
        """Votes to take from each cell (K, 3), or None where no number exchanges the two."""
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

    def _fit_or_nearly(self, counts: np.ndarray) -> tuple[Estimate, float]:
        pairs, family = self._modelled(counts)
        held = require_finite_scores(pairs, self.conditions, family=family, ridge=_SMALL_RIDGE)
        ridge = _SMALL_RIDGE if held else 0.0
        return maximise_likelihood(pairs, family=family, ridge=ridge), ridge

    def _influence(self, counts: np.ndarray, leader: int, follower: int, reverse: bool) -> np.ndarray:
        """By how much taking one vote of each cell lowers the difference, to first order: (K, 3)."""
        estimate, ridge = self._fit_or_nearly(counts)
        pairs, family = self._modelled(counts)
        inverse = inverse_information(estimate, pairs, ridge=ridge)
        along = inverse[leader] - inverse[follower]
        gap = gaps(estimate.parameters, self.pairs)
        by_gap, by_tie = answer_slopes(family, gap, estimate.tie)
        influence = by_gap * (along[self.pairs.first] - along[self.pairs.second])[:, None]
        if by_tie is not None:
            influence = influence + by_tie * along[-1]
        if not reverse:
            return influence
        swing = influence[:, 0] - influence[:, 1]
        return np.column_stack([swing, -swing, np.zeros_like(swing)])

    def _without(self, taken: np.ndarray, reverse: bool) -> np.ndarray:
        left = self.counts - taken
        if reverse:
            left[:, :2] += taken[:, 1::-1]
        return left

    def _shortest(self, influence: np.ndarray, leader: int, follower: int, reverse: bool) -> np.ndarray | None:
        """The shortest beginning of the votes by falling influence that exchanges the two; (K, 3)."""
        order = np.argsort(-influence.ravel(), kind="stable")
        order = order[influence.ravel()[order] > 0]
        held = self.counts.ravel()[order]
        before = np.cumsum(held) - held

        def taken(size: int) -> np.ndarray:
            votes = np.zeros(self.counts.size)
            votes[order] = np.clip(size - before, 0, held)
            return votes.reshape(self.counts.shape)

        def exchanged(size: int) -> bool | None:
            try:
                scores = self._fit_or_nearly(self._without(taken(size), reverse))[0].scores
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


def _places(coded: CodedVotes, pairs: PairCounts) -> np.ndarray:
    """Which of the 3 K cells (pair, answer) each vote is in: (V,)."""
    n = len(coded.conditions)
    left, right, answer = coded.cell // (3 * n), coded.cell // 3 % n, coded.cell % 3
    turned = left > right
    answer = np.where(turned & (answer < 2), 1 - answer, answer)
    pair = np.searchsorted(pairs.first * n + pairs.second, np.where(turned, right * n + left, left * n + right))
    return 3 * pair + answer


def _holders(coded: CodedVotes, place: np.ndarray, taken: np.ndarray) -> int:
    """Participants who together hold the votes to take, the one with most of what is missing first."""
    cells = np.flatnonzero(taken)
    wanted = taken.ravel()[cells]
    column = np.full(taken.size, -1)
    column[cells] = np.arange(len(cells))
    of_use = column[place] >= 0
    people, person = np.unique(coded.participant[of_use], return_inverse=True)
    held = np.bincount(person * len(cells) + column[place[of_use]], minlength=len(people) * len(cells)).reshape(
        len(people), len(cells)
    )
    count = 0
    while wanted.sum() > 0:
        gives = np.minimum(held, wanted)
        wanted = wanted - gives[gives.sum(axis=1).argmax()]
        count += 1
    return count


def _answers(conditions: tuple[str, ...], pairs: PairCounts, taken: dict[str, np.ndarray | None]) -> pd.DataFrame:
    numbers = {kind: np.zeros((len(pairs.first), 3)) if votes is None else votes for kind, votes in taken.items()}
    pair, answer = np.nonzero(sum(numbers.values()))
    labels = np.array(conditions, dtype=object)
    return pd.DataFrame(
        {
            "first": labels[pairs.first[pair]],
            "second": labels[pairs.second[pair]],
            "answer": np.array(_ANSWERS, dtype=object)[answer],
            **{kind: votes[pair, answer].astype(int) for kind, votes in numbers.items()},
        }
    )
