"""A study as planned: how many of what, and by formula how much its ranking will know and what it costs."""

import math
from dataclasses import dataclass, field
from functools import cache

import numpy as np
from scipy.optimize import brentq
from scipy.special import chdtri, expit, ndtr, stdtrit

from analysis.planning.precision import difference_variance

__all__ = [
    "DESIGN_VOTES",
    "LOGITS_PER_JOD",
    "Design",
    "Precision",
    "SessionCosts",
    "evenness",
    "taste_design_effect",
]

LOGITS_PER_JOD = math.log(3)
# Votes of a person at which the design effect is stated: those of the studies that it was measured on had 12 to 15.
DESIGN_VOTES = 12


@dataclass(frozen=True)
class SessionCosts:
    """Seconds and money of a session, all per participant.

    plays: 1 side by side or in the same place, 2 one after the other. extra_pairs: practice, verification and repeated
    pairs. extra_minutes: consent, instructions, questions. pay: for a session; pay_per_hour: instead of it. fee: share
    that the recruitment service adds, 0.25 for 25 %.
    """

    clip_seconds: float = 5.0
    answer_seconds: float = 6.0
    plays: int = 1
    extra_pairs: int = 6
    extra_minutes: float = 3.0
    pay: float | None = None
    pay_per_hour: float | None = None
    fee: float = 0.0
    currency: str = "USD"

    def minutes(self, votes_each: int) -> float:
        """Minutes of one session."""
        seconds = (votes_each + self.extra_pairs) * (self.plays * self.clip_seconds + self.answer_seconds)
        return self.extra_minutes + seconds / 60

    def total(self, participants: int, votes_each: int) -> float | None:
        """What all sessions cost with the fee; None where no pay is given."""
        each = self.pay if self.pay_per_hour is None else self.pay_per_hour * self.minutes(votes_each) / 60
        return None if each is None else participants * each * (1 + self.fee)


@dataclass(frozen=True)
class Precision:
    """How well a difference of two conditions will be known, in logits.

    half_width: of its interval. detectable, detectable_holm: the smallest true difference that a two-sided test finds
    with the power asked for, of a pair named beforehand and with Holm's correction over all pairs. power, power_holm:
    to find the difference that was asked about, None where none was. The figures with Holm are those of its first step
    (Bonferroni), so the true ones are a little better.
    """

    standard_error: float
    degrees_of_freedom: float
    half_width: float
    detectable: float
    detectable_holm: float
    power: float | None
    power_holm: float | None


@dataclass(frozen=True)
class Design:
    """How many of what, and what is assumed of people and clips; see `plan_study`."""

    conditions: int
    clips: int
    participants: int
    votes_each: int
    clip_effect: float = 0.5
    spread: float = 0.8
    design_effect: float = 1.7
    lost: float = 0.1
    level: float = 0.95
    costs: SessionCosts = field(default_factory=SessionCosts)

    @property
    def pairs(self) -> int:
        """Pairs of conditions, on one clip."""
        return self.conditions * (self.conditions - 1) // 2

    @property
    def counted_participants(self) -> float:
        """People whose votes count."""
        return self.participants * (1 - self.lost)

    @property
    def votes_per_pair(self) -> float:
        """Counted votes of a pair of conditions, over all clips."""
        return self.counted_participants * self.votes_each / self.pairs

    @property
    def participant_effect(self) -> float:
        """Design effect with this many votes each: it grows with each vote that hangs together with the others."""
        return 1 + (self.design_effect - 1) * (self.votes_each - 1) / (DESIGN_VOTES - 1)

    def standard_error(self, *, new_clips: bool) -> float:
        """Of a difference of two conditions, in logits, on these clips or on clips like them."""
        variance = difference_variance(
            conditions=self.conditions,
            clips=self.clips,
            votes=self.votes_per_pair / self.clips,
            clip_effect=self.clip_effect if new_clips else 0.0,
            design_effect=self.participant_effect,
            evenness=evenness(self.spread),
        )
        return math.sqrt(variance)

    def degrees_of_freedom(self, *, new_clips: bool) -> float:
        """Of the t quantiles, as `fit_bradley_terry` takes them; below 1 there is no interval."""
        clusters = min(self.clips, self.counted_participants) if new_clips else self.counted_participants
        return float(clusters - 1)

    def half_width(self, *, new_clips: bool) -> float:
        """Of the interval of a difference, in logits; infinite where the spread cannot be estimated."""
        degrees = self.degrees_of_freedom(new_clips=new_clips)
        if degrees < 1:
            return math.inf
        return float(stdtrit(degrees, (1 + self.level) / 2)) * self.standard_error(new_clips=new_clips)

    def power(self, difference: float, *, new_clips: bool, holm: bool) -> float:
        """Probability that a two-sided test finds this true difference (logits)."""
        degrees = self.degrees_of_freedom(new_clips=new_clips)
        if degrees < 1:
            return 0.0
        return _power(difference / self.standard_error(new_clips=new_clips), degrees, self._alpha(holm))

    def precision(self, *, new_clips: bool, difference: float | None, power: float) -> Precision | None:
        """All of it; None where the spread between people, or clips, cannot be estimated."""
        degrees, error = self.degrees_of_freedom(new_clips=new_clips), self.standard_error(new_clips=new_clips)
        if degrees < 1:
            return None

        def detectable(holm: bool) -> float:
            return _detectable(power, degrees, self._alpha(holm)) * error

        def reached(holm: bool) -> float | None:
            return None if difference is None else self.power(difference, new_clips=new_clips, holm=holm)

        return Precision(
            standard_error=error,
            degrees_of_freedom=degrees,
            half_width=self.half_width(new_clips=new_clips),
            detectable=detectable(False),
            detectable_holm=detectable(True),
            power=reached(False),
            power_holm=reached(True),
        )

    def _alpha(self, holm: bool) -> float:
        return (1 - self.level) / (self.pairs if holm else 1)


@cache
def evenness(spread: float) -> float:
    """Mean of 4 p (1 - p) over pairs of conditions whose scores have this standard deviation, in logits: 1 at 0."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    chance = expit(math.sqrt(2) * spread * nodes)
    return float(weights @ (4 * chance * (1 - chance)) / weights.sum())


def taste_design_effect(taste: float, *, conditions: int, votes_each: int, spread: float) -> float:
    """Design effect 1 + tau^2 v (n - 1) / (2 (K - 1)) of n votes of people whose tastes spread by tau.

    The part of the variance that people keep however often they vote is 2 tau^2 / P (n - 1) / n, that of independent
    votes 4 (K - 1) / (P n v). To first order in tau.
    """
    return 1 + taste**2 * evenness(spread) * (votes_each - 1) / (2 * (conditions - 1))


@cache
def _error_ratios(degrees: float) -> tuple[np.ndarray, np.ndarray]:
    """Ratios of an estimated standard error to the true one, chi / sqrt(degrees), with their weights."""
    nodes, weights = _nodes()
    return np.sqrt(chdtri(degrees, (1 - nodes) / 2) / degrees), weights / 2


@cache
def _nodes() -> tuple[np.ndarray, np.ndarray]:
    return np.polynomial.legendre.leggauss(200)


def _power(shift: float, degrees: float, alpha: float) -> float:
    """Of a two-sided t test where the true difference is `shift` standard errors: the noncentral t distribution."""
    ratios, weights = _error_ratios(degrees)
    critical = float(stdtrit(degrees, 1 - alpha / 2)) * ratios
    return float(weights @ (ndtr(shift - critical) + ndtr(-shift - critical)))


def _detectable(power: float, degrees: float, alpha: float) -> float:
    """The least true difference, in standard errors, that a two-sided t test finds with this power."""
    ratios, _ = _error_ratios(degrees)
    certain = float(stdtrit(degrees, 1 - alpha / 2) * ratios.max()) + 10
    return float(brentq(lambda shift: _power(shift, degrees, alpha) - power, 0, certain))
