"""What each participant answered, counted once: the evidence on which screening rules judge."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from scipy.sparse import csr_array
from scipy.stats import binom

from analysis.participants.latent_class import CHARACTERS, LatentClasses, latent_classes
from analysis.participants.likelihood_outliers import likelihood_z
from analysis.ranking.counts import LEFT, RIGHT, TIE, cell_codes
from analysis.ranking.result import holm
from analysis.votes import counted_votes

__all__ = ["FAST_MS", "Crowd", "gather_crowd"]

# Faster than a person can see something and press a key: Whelan (2008), The Psychological Record 58, 475-482.
FAST_MS = 200


@dataclass(frozen=True, eq=False)
class Crowd:
    """The participants of a table who have test votes, P in alphabetical order.

    counts: (P, 3 n^2) counted votes per cell, of n conditions (each of one target metric). set_aside: (P,) test votes
    not counted; set_aside_for: their commonest reason, "" where none is given. asked, hit: (P, 3) verification pairs
    whose right answer was left, right or a tie, and how many were answered so. timed: (P,) counted votes with a
    response time; fast: of those, below FAST_MS; median_ms: their median, NaN without any.
    """

    participants: tuple[str, ...]
    counts: csr_array
    set_aside: np.ndarray
    set_aside_for: tuple[str, ...]
    asked: np.ndarray
    hit: np.ndarray
    timed: np.ndarray
    fast: np.ndarray
    median_ms: np.ndarray

    @cached_property
    def answers(self) -> np.ndarray:
        """(P, 3) counted votes for the left, for the right, and ties."""
        return np.column_stack([self.counts[:, answer::3].sum(axis=1) for answer in (LEFT, RIGHT, TIE)])

    @cached_property
    def n_votes(self) -> np.ndarray:
        """(P,) counted votes."""
        return self.answers.sum(axis=1)

    @property
    def voted(self) -> np.ndarray:
        """(P,) whether any vote counts."""
        return self.n_votes > 0

    @cached_property
    def classes(self) -> LatentClasses:
        """The latent classes of those who voted, in their order."""
        voted = self.voted
        return latent_classes(self.counts[voted], asked=self.asked[voted], right=self.hit[voted])

    @cached_property
    def z_likelihood(self) -> np.ndarray:
        """`likelihood_z` of those who voted, in their order."""
        return likelihood_z(self.counts[self.voted])

    @cached_property
    def side_p(self) -> np.ndarray:
        """Of those who voted: two-sided binomial p of preferring both sides alike, adjusted after Holm."""
        left, right, _ = self.answers[self.voted].astype(int).T
        return holm(np.minimum(2 * binom.cdf(np.minimum(left, right), left + right, 0.5), 1))

    @cached_property
    def evidence(self) -> pd.DataFrame:
        """All of this, a row per participant: see `Screening.participants`."""
        voted = self.voted
        likely = np.full(len(voted), "", dtype=object)
        likely[voted] = np.array(CHARACTERS, dtype=object)[self.classes.membership.argmax(axis=1)]
        left, right, ties = self.answers.T
        with np.errstate(invalid="ignore"):
            left_share, tie_share = left / (left + right), ties / self.n_votes
        return pd.DataFrame(
            {
                "participant": self.participants,
                "n_votes": self.n_votes.astype(int),
                "n_verification": self.asked.sum(axis=1).astype(int),
                "verification_right": self.hit.sum(axis=1).astype(int),
                "p_honest": self._to_all(self.classes.attentive),
                "likely_class": likely,
                "z_likelihood": self._to_all(self.z_likelihood),
                "left_share": left_share,
                "side_p": self._to_all(self.side_p),
                "tie_share": tie_share,
                "median_ms": self.median_ms,
            }
        )

    def _to_all(self, values: np.ndarray) -> np.ndarray:
        """Of those who voted, to (P,) with NaN for the rest."""
        everyone = np.full(len(self.voted), np.nan)
        everyone[self.voted] = values
        return everyone


def gather_crowd(table: pd.DataFrame, *, everybody: bool = False) -> Crowd:
    """Count a validated table; `everybody`: test votes whose `use` is false count too."""
    tests = table[(table["kind"] == "test").to_numpy()] if "kind" in table else table
    counted = tests if everybody else counted_votes(tests)
    shown = np.bincount(_codes(tests["participant"]), minlength=len(tests["participant"].cat.categories)) > 0
    place = np.cumsum(shown) - 1
    size = int(shown.sum())
    person = place[_codes(counted["participant"])]
    aside, aside_for = _set_aside(tests, counted, place, size)
    asked, hit = _verification(table, shown, place, size)
    timed, fast, median = _times(counted, person, size)
    return Crowd(
        participants=tuple(table["participant"].cat.categories[shown]),
        counts=_counts(counted, person, size),
        set_aside=aside,
        set_aside_for=aside_for,
        asked=asked,
        hit=hit,
        timed=timed,
        fast=fast,
        median_ms=median,
    )


def _codes(values: pd.Series) -> np.ndarray:
    return values.cat.codes.to_numpy().astype(np.int64)


def _counts(votes: pd.DataFrame, person: np.ndarray, size: int) -> csr_array:
    sides = [_codes(votes[side]) for side in ("left", "right")]
    if "target_metric" in votes:
        # Scores of one metric's attacks are no scores of another's.
        offset = _codes(votes["target_metric"]) * len(votes["left"].cat.categories)
        sides = [offset + side for side in sides]
    items, both = np.unique(np.concatenate(sides), return_inverse=True)
    left, right = both[: len(votes)], both[len(votes) :]
    n = max(len(items), 1)
    cell = cell_codes(left, right, _codes(votes["choice"]), n)
    return csr_array((np.ones(len(cell)), (person, cell)), shape=(size, 3 * n * n))


def _set_aside(
    tests: pd.DataFrame, counted: pd.DataFrame, place: np.ndarray, size: int
) -> tuple[np.ndarray, tuple[str, ...]]:
    if len(tests) == len(counted):
        return np.zeros(size, dtype=int), ("",) * size
    rest = tests[~tests["use"].to_numpy()]
    person = place[_codes(rest["participant"])]
    reasons = np.full(size, "", dtype=object)
    if "reason" in rest:
        given = pd.DataFrame({"person": person, "reason": rest["reason"].to_numpy()}).dropna()
        commonest = given.value_counts().reset_index().sort_values(["count", "reason"], ascending=[False, True])
        first = commonest.drop_duplicates("person")
        reasons[first["person"].to_numpy()] = first["reason"].astype(str).to_numpy()
    return np.bincount(person, minlength=size), tuple(reasons)


def _verification(
    table: pd.DataFrame, shown: np.ndarray, place: np.ndarray, size: int
) -> tuple[np.ndarray, np.ndarray]:
    """Whatever `use` says: it is about the ranking."""
    asked, hit = np.zeros((size, 3)), np.zeros((size, 3))
    if "kind" in table and "expected" in table:
        checks = table[(table["kind"] == "verification").to_numpy()]
        checks = checks[shown[_codes(checks["participant"])]]
        person = place[_codes(checks["participant"])]
        wanted = _codes(checks["expected"].cat.set_categories(checks["choice"].cat.categories))
        right = wanted == _codes(checks["choice"])
        np.add.at(asked, (person, wanted), 1)
        np.add.at(hit, (person[right], wanted[right]), 1)
    return asked, hit


def _times(votes: pd.DataFrame, person: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    timed, fast, median = np.zeros(size, dtype=int), np.zeros(size, dtype=int), np.full(size, np.nan)
    if "response_ms" in votes:
        milliseconds = votes["response_ms"].to_numpy()
        there = ~np.isnan(milliseconds)
        person, milliseconds = person[there], milliseconds[there]
        timed = np.bincount(person, minlength=size)
        fast = np.bincount(person, milliseconds < FAST_MS, minlength=size).astype(int)
        middle = pd.Series(milliseconds).groupby(person).median()
        median[middle.index] = middle.to_numpy()
    return timed, fast, median
