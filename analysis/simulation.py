"""Votes of model participants with a known truth: for planning, for the calibration of intervals, for benchmarks."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from analysis.errors import InvalidOption
from analysis.ranking.families import probabilities
from analysis.votes import CHOICES, validate_votes

__all__ = ["SPAM", "simulate_votes"]

# How spammers answer, as shares of them. "lapsing" people guess every other vote; "reversed" ones choose the worse.
SPAM = {
    "mix": {"random": 0.5, "one-sided": 0.25, "lapsing": 0.25},
    "hostile": {"random": 1 / 3, "one-sided": 1 / 3, "reversed": 1 / 3},
}
_SLIP = 0.03


def simulate_votes(
    scores: Mapping[str, float],
    *,
    participants: int,
    votes_each: int,
    sources: int,
    seed: int | np.random.Generator,
    taste: float = 0.4,
    source_effect: float = 0.0,
    left_bias: float = 0.0,
    tie_strength: float = 0.0,
    spammers: float = 0.0,
    spam: str = "mix",
    verifications: int = 0,
) -> pd.DataFrame:
    """A validated vote table of people whose tastes spread about `scores` (condition -> logit).

    Each participant judges `votes_each` pairs of random conditions on random sources, sides at random, and as many
    pairs with an obvious answer as `verifications` says, of which honest people miss 3 in 100.
    taste, source_effect: standard deviations, in logits, of what a person and a source add to each condition's score.
    left_bias: logits added to the left. tie_strength: Davidson's nu, 0 for no ties.
    spammers: share of the people who answer as SPAM[spam] says; the column `honest` tells them apart.
    Raises InvalidOption.
    """
    _check(scores, participants, votes_each, sources, spammers, spam)
    rng = np.random.default_rng(seed)
    count, size = len(scores), participants * votes_each
    person = np.repeat(np.arange(participants), votes_each)
    source = rng.integers(sources, size=size)
    left = rng.integers(count, size=size)
    right = (left + rng.integers(1, count, size=size)) % count
    worth = np.fromiter(scores.values(), float) + rng.normal(0, taste, (participants, count))
    by_source = rng.normal(0, source_effect, (sources, count))
    gap = worth[person, left] - worth[person, right] + by_source[source, left] - by_source[source, right]
    character = _characters(participants, round(spammers * participants), spam, rng)
    answer = _answers(np.where(character[person] == "reversed", -gap, gap) + left_bias, tie_strength, rng)
    side = rng.integers(2, size=participants)
    tests = pd.DataFrame(
        {
            "participant": person,
            "source": source,
            "left": left,
            "right": right,
            "choice": _careless(answer, character[person], side[person], rng),
            "expected": -1,
        }
    )
    checked = np.repeat(np.arange(participants), verifications)
    expected = rng.integers(2, size=len(checked))
    right_answer = (rng.random(len(checked)) >= _SLIP) != (character[checked] == "reversed")
    checks = pd.DataFrame(
        {
            "participant": checked,
            "source": rng.integers(sources, size=len(checked)),
            "left": count + expected,
            "right": count + 1 - expected,
            "choice": _careless(np.where(right_answer, expected, 1 - expected), character[checked], side[checked], rng),
            "expected": expected,
        }
    )
    return _labelled(pd.concat([tests, checks], ignore_index=True), list(scores), character, sources, verifications > 0)


def _check(scores, participants: int, votes_each: int, sources: int, spammers: float, spam: str) -> None:
    if participants < 1 or votes_each < 1 or sources < 1 or len(scores) < 2:
        raise InvalidOption(
            f"expected at least 1 participant, 1 vote each, 1 source and 2 conditions, got {participants}, "
            f"{votes_each}, {sources} and {len(scores)}"
        )
    if not 0 <= spammers <= 1 or spam not in SPAM:
        raise InvalidOption(
            f"spammers is {spammers!r} and spam {spam!r}; expected a share from 0 to 1, and {' or '.join(SPAM)}"
        )


def _characters(people: int, spammers: int, spam: str, rng: np.random.Generator) -> np.ndarray:
    kinds, shares = zip(*SPAM[spam].items(), strict=True)
    # By share and not by lot, so that small crowds have their mix too.
    ends = np.rint(np.cumsum(shares) * spammers).astype(int)
    careless = np.repeat(kinds, np.diff(ends, prepend=0))
    return rng.permutation(np.concatenate([careless, np.repeat("honest", people - spammers)]))


def _answers(gap: np.ndarray, tie_strength: float, rng: np.random.Generator) -> np.ndarray:
    family, tie = ("davidson", np.log(tie_strength)) if tie_strength > 0 else ("bradley-terry", None)
    chosen_left, chosen_right, _ = probabilities(family, gap, tie)
    lot = rng.random(len(gap))
    return np.where(lot < chosen_left, 0, np.where(lot < chosen_left + chosen_right, 1, 2))


def _careless(answer: np.ndarray, character: np.ndarray, side: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    guess = rng.integers(2, size=len(answer))
    lapse = rng.random(len(answer)) < 0.5
    guesses = (character == "random") | ((character == "lapsing") & lapse)
    return np.where(character == "one-sided", side, np.where(guesses, guess, answer))


def _labelled(
    codes: pd.DataFrame, conditions: list[str], character: np.ndarray, sources: int, checked: bool
) -> pd.DataFrame:
    shown = [*conditions, *(["reference", "verification"] if checked else [])]
    # A study that ranks the reference shows the same clip in its verification pairs.
    names = list(dict.fromkeys(shown))
    place = np.array([names.index(label) for label in shown])
    labels = {
        "participant": [f"P{k:05d}" for k in range(len(character))],
        "source": [f"clip{k:03d}" for k in range(sources)],
        "choice": list(CHOICES),
    }
    table = {name: pd.Categorical.from_codes(codes[name], given) for name, given in labels.items()}
    for side in ("left", "right"):
        table[side] = pd.Categorical.from_codes(place[codes[side]], names)
    if checked:
        table["kind"] = np.where(codes["expected"] < 0, "test", "verification")
        table["expected"] = pd.Categorical.from_codes(codes["expected"], list(CHOICES))
    table["honest"] = character[codes["participant"]] == "honest"
    return validate_votes(pd.DataFrame(table))
