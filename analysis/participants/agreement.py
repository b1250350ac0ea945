"""How far participants agree with each other and with themselves, and how they answered where the answer is known."""

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd

from analysis.errors import AnalysisError, NotAssessable
from analysis.options import check_level, check_seed
from analysis.participants.concordance import KendallAgreement, KrippendorffAlpha, kendall_agreement, krippendorff_alpha
from analysis.participants.judgements import judgements
from analysis.participants.reliability import SplitHalf, split_half_agreement
from analysis.participants.repeats import RepeatedPairs, repeated_pairs
from analysis.participants.response_times import ResponseTimes, response_times
from analysis.participants.shares import Share, share_of, share_p
from analysis.participants.triads import CircularTriads, circular_triads
from analysis.ranking.counts import LEFT, TIE
from analysis.ranking.fit import fit_bradley_terry
from analysis.ranking.result import BradleyTerryResult, Effect
from analysis.votes import counted_votes

__all__ = ["Agreement", "LeftBias", "NullPairs", "VerificationAnswers", "participant_agreement"]


@dataclass(frozen=True)
class LeftBias:
    """Share of `left` among the decided votes, and p of its being half.

    position: the bias in the fitted model, in logits added to the left, or None and the reason in `position_why_not`.
    """

    left: Share
    p: float
    position: Effect | None
    position_why_not: str | None


@dataclass(frozen=True)
class NullPairs:
    """Answers to pairs of one and the same video: share of ties, and of `left` among the others (None without any)."""

    tied: Share
    left: Share | None
    left_p: float | None


@dataclass(frozen=True)
class VerificationAnswers:
    """Answers to pairs with an obvious answer: share of right ones, people who met any, people with all right."""

    right: Share
    participants: int
    all_right: int


@dataclass(frozen=True)
class Agreement:
    """One record for each question, or None with the reason, by the field's name, in `why_not`.

    repeats: all repeated pairs; reversed_repeats: those shown with the sides swapped.
    """

    split_half: SplitHalf | None
    circular_triads: CircularTriads | None
    kendall_u: KendallAgreement | None
    krippendorff_alpha: KrippendorffAlpha | None
    repeats: RepeatedPairs | None
    reversed_repeats: RepeatedPairs | None
    null_pairs: NullPairs | None
    left_bias: LeftBias | None
    response_times: ResponseTimes | None
    verification: VerificationAnswers | None
    why_not: dict[str, str]


def participant_agreement(table: pd.DataFrame, *, seed: int, level: float = 0.95) -> Agreement:
    """Of a validated vote table with votes of every kind; rows with `use` false are left out.

    Triads, u and alpha count the first test answer of each participant to each pair on each source (and target
    metric). seed: of the random halves. The fit that repeats, times and left bias refer to has Davidson's ties; with
    several target metrics it is the pooled one. Raises InvalidOption.
    """
    check_level(level)
    check_seed(seed)
    counted = counted_votes(table)
    fit, why_no_fit = _fit(counted)
    tests = judgements(counted)
    first = tests.first()

    def repeats(reversed_only: bool) -> RepeatedPairs:
        again = judgements(_of_kind(table, "repeat"))
        return repeated_pairs(tests, again, fit, reversed_only=reversed_only, level=level)

    questions: dict[str, Callable] = {
        "split_half": lambda: _split_half(counted, seed),
        "circular_triads": lambda: circular_triads(first),
        "kendall_u": lambda: kendall_agreement(first, level=level),
        "krippendorff_alpha": lambda: krippendorff_alpha(first, level=level),
        "repeats": lambda: repeats(False),
        "reversed_repeats": lambda: repeats(True),
        "null_pairs": lambda: _null_pairs(_of_kind(table, "null"), level),
        "left_bias": lambda: _left_bias(counted, why_no_fit, level),
        "response_times": lambda: response_times(counted, fit),
        "verification": lambda: _verification(_of_kind(table, "verification"), level),
    }
    found, why_not = dict.fromkeys(field.name for field in fields(Agreement)), {}
    for name, answer in questions.items():
        try:
            found[name] = answer()
        except NotAssessable as reason:
            why_not[name] = str(reason)
    return Agreement(**(found | {"why_not": why_not}))


def _of_kind(table: pd.DataFrame, kind: str) -> pd.DataFrame:
    if "kind" not in table:
        return table.iloc[:0]
    kept = (table["kind"] == kind).to_numpy()
    return table[kept & table["use"].to_numpy() if "use" in table else kept]


def _fit(counted: pd.DataFrame, *, position: bool = False) -> tuple[BradleyTerryResult | None, str | None]:
    try:
        pooled = counted.drop(columns="target_metric", errors="ignore")
        return fit_bradley_terry(pooled, position=position), None
    except AnalysisError as reason:
        return None, str(reason)


def _split_half(counted: pd.DataFrame, seed: int) -> SplitHalf:
    halves = split_half_agreement(counted, seed=seed)
    if halves is None:
        raise NotAssessable(
            "fewer than three conditions or four participants, or no half of the participants determines finite scores"
        )
    return halves


def _left_bias(counted: pd.DataFrame, why_no_fit: str | None, level: float) -> LeftBias:
    left = _left(counted, level, "vote that prefers a side")
    fit, why_not = (None, why_no_fit) if why_no_fit else _fit(counted, position=True)
    return LeftBias(left, share_p(left, 0.5), None if fit is None else fit.position, why_not)


def _null_pairs(pairs: pd.DataFrame, level: float) -> NullPairs:
    tied = share_of(_choice(pairs) == TIE, _people(pairs), level=level, of_what="pair of one and the same video")
    try:
        left = _left(pairs, level, "preference")
    except NotAssessable:
        return NullPairs(tied, None, None)
    return NullPairs(tied, left, share_p(left, 0.5))


def _left(votes: pd.DataFrame, level: float, of_what: str) -> Share:
    choice = _choice(votes)
    decided = choice != TIE
    return share_of(choice[decided] == LEFT, _people(votes)[decided], level=level, of_what=of_what)


def _verification(checks: pd.DataFrame, level: float) -> VerificationAnswers:
    if len(checks) == 0:
        raise NotAssessable("the votes hold no verification pair")
    right = checks["choice"].astype(str).to_numpy() == checks["expected"].astype(str).to_numpy()
    people = _people(checks)
    found = share_of(right, people, level=level)
    return VerificationAnswers(found, found.participants, found.participants - len(np.unique(people[~right])))


def _choice(votes: pd.DataFrame) -> np.ndarray:
    return votes["choice"].cat.codes.to_numpy()


def _people(votes: pd.DataFrame) -> np.ndarray:
    return votes["participant"].cat.codes.to_numpy()
