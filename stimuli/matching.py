"""Search for the strength at which an attack has a given gain: pure numbers, no frames."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from stimuli.errors import Unreachable

__all__ = ["Evaluation", "Match", "match_strength"]

# Steps up from below the target are at most this large, so that a narrow first peak is not jumped over.
_LARGEST_STEP = 4.0
# A bracket narrower than this (ratio of its ends) that still misses the target is a jump of the gain.
_NARROWEST_BRACKET = 1.002
# An encoder makes the gain of a very weak change uneven: that is no jump, and a strength beside it may do.
_BESIDE = (0.99, 1.01, 0.98, 1.02)
# Points nearer than this (ratio) tell nothing of the power law.
_APART = 1.02
_GOLDEN = (math.sqrt(5) - 1) / 2


@dataclass(frozen=True)
class Evaluation:
    """One strength tried, in the attack's own unit, and what it had of the quantity that is matched."""

    strength: float
    gain: float


@dataclass(frozen=True)
class Match:
    """The strength found, its gain, and all that was tried, in order.

    `exponent`: local power law of the gain around the match, gain ~ strength^exponent.
    """

    strength: float
    gain: float
    evaluations: tuple[Evaluation, ...]
    exponent: float


def match_strength(
    gain: Callable[[float], float],
    target: float,
    *,
    start: float,
    low: float,
    high: float,
    tolerance: float,
    exponent: float = 1.0,
    slope: float | None = None,
    most_evaluations: int = 16,
    dip: float = 0.1,
    what: str = "gain",
) -> Match:
    """The smallest strength in [low, high] whose gain is within `tolerance` (relative) of `target`.

    Log-log secant kept inside a bracket on the first rising branch: gains grow as a power of the strength locally, but
    need not be monotone, so the search goes up from `start` (target / slope at 0 where that is known) and never bisects
    down from a large maximum. Where the gain falls again below the target, the
    peak between is searched by golden section before giving up. `exponent` is the power law assumed for the first step;
    where the `slope` of the gain at strength 0 is known, it is taken from that instead. A fall by less than the share
    `dip` is taken for unevenness, not for the far side of a peak. `what` names the quantity in the errors.

    Raises: Unreachable with the best gain and its strength, where the gain peaks, or ends, below the target; where
    it jumps over the target; or after `most_evaluations`.
    """
    search = _Search(gain, target, tolerance, low, high, most_evaluations, exponent, slope, dip, what)
    return search.run(min(max(start, low), high))


class _Search:
    """State of one search: the points tried and the bracket [below, above] around the target."""

    def __init__(self, gain, target, tolerance, low, high, most_evaluations, exponent, slope, dip, what) -> None:
        self._gain, self._target, self._tolerance = gain, target, tolerance
        self._low, self._high, self._most = low, high, most_evaluations
        self._assumed, self._slope, self._dip, self._what = exponent, slope, dip, what
        self._points: list[Evaluation] = []

    def run(self, start: float) -> Match:
        point = self._try(start)
        for _ in range(3):
            if point.gain >= 0 or point.strength == self._low:
                break
            # Past the first branch already: a weaker strength tells.
            point = self._try(max(point.strength / _LARGEST_STEP, self._low))
        while not self._hit(point):
            below, above = self._bracket()
            if above is None:
                earlier = [other.gain for other in self._points if other.strength < below.strength]
                if earlier and below.gain < (1 - math.copysign(self._dip, max(earlier))) * max(earlier):
                    point = self._climb()
                    continue
                if below.strength >= self._high:
                    raise self._unreachable(f"it stays below the target up to the strongest allowed, {self._high:.4g}")
            elif below and above.strength / below.strength < _NARROWEST_BRACKET:
                point = self._beside(below, above)
                continue
            point = self._try(self._next(below, above))
        return Match(point.strength, point.gain, tuple(self._points), self._exponent(point))

    def _bracket(self) -> tuple[Evaluation | None, Evaluation | None]:
        """The weakest point above the target, and the strongest below it that is weaker than that one."""
        above = min((p for p in self._points if p.gain >= self._target), key=_strength, default=None)
        weaker = [p for p in self._points if above is None or p.strength < above.strength]
        return max(weaker, key=_strength, default=None), above

    def _next(self, below: Evaluation | None, above: Evaluation | None) -> float:
        if below and above:
            ratio = above.strength / below.strength
            if below.gain <= 0:
                return below.strength * math.sqrt(ratio)
            if len(self._points) % 3 == 0:
                # A secant can creep along one end of the bracket for ever; halving it now and then cannot.
                return below.strength * math.sqrt(ratio)
            share = math.log(self._target / below.gain) / math.log(above.gain / below.gain)
            return below.strength * ratio ** min(max(share, 0.05), 0.95)
        point = below or above
        if point.gain <= 0:
            return min(point.strength * _LARGEST_STEP, self._high)
        factor = (self._target / point.gain) ** (1 / self._exponent(point))
        factor = min(max(factor, 1 / _LARGEST_STEP), _LARGEST_STEP)
        if point.gain >= self._target and point.strength <= self._low:
            raise self._unreachable(f"it is above the target even at the weakest allowed, {self._low:.4g}")
        return min(max(point.strength * factor, self._low), self._high)

    def _exponent(self, point: Evaluation) -> float:
        """Local power law of the gain at `point`, from the nearest other strength tried."""
        others = [other for other in self._points if other.gain > 0 and _apart(other, point)]
        if others:
            return _power_law(min(others, key=lambda other: abs(math.log(other.strength / point.strength))), point)
        if self._slope and self._slope > 0:
            # A gain that saturates, g = k s / (1 + s / c), has the exponent g / (k s) at every strength.
            return _within_usual(point.gain / (self._slope * point.strength))
        return self._assumed

    def _beside(self, below: Evaluation, above: Evaluation) -> Evaluation:
        """Strengths around a bracket that has become too narrow: a point that is met, or Unreachable."""
        for share in _BESIDE:
            point = self._try(min(max(share * above.strength, self._low), self._high))
            if self._hit(point):
                return point
        raise self._unreachable(f"it jumps from {below.gain:.4g} to {above.gain:.4g} at strength {above.strength:.4g}")

    def _climb(self) -> Evaluation:
        """The gain falls before the target: look for a peak that reaches it, by golden section on the log of strength.

        Returns a point at or above the target, or raises Unreachable.
        """
        top = max(self._points, key=_gain)
        while top.strength > self._low and not any(p.strength < top.strength for p in self._points):
            top = max(self._try(max(top.strength / _LARGEST_STEP, self._low)), top, key=_gain)
            if top.gain >= self._target or self._hit(top):
                return top
        a = math.log(max((p.strength for p in self._points if p.strength < top.strength), default=top.strength))
        b = math.log(min(p.strength for p in self._points if p.strength > top.strength))
        left, right = None, None
        for _ in range(6):
            x1, x2 = b - _GOLDEN * (b - a), a + _GOLDEN * (b - a)
            left = left or self._try(math.exp(x1))
            right = right or self._try(math.exp(x2))
            best = max(left, right, key=_gain)
            if best.gain >= self._target or self._hit(best):
                return best
            if left.gain > right.gain:
                b, right, left = x2, left, None
            else:
                a, left, right = x1, right, None
        raise self._unreachable("it falls again before the target")

    def _try(self, strength: float) -> Evaluation:
        if len(self._points) >= self._most:
            raise self._unreachable(f"none of {self._most} strengths came within {self._tolerance:.1%} of it")
        point = Evaluation(strength, float(self._gain(strength)))
        self._points.append(point)
        return point

    def _hit(self, point: Evaluation) -> bool:
        return abs(point.gain - self._target) <= self._tolerance * self._target

    def _unreachable(self, reason: str) -> Unreachable:
        best = max(self._points, key=_gain)
        return Unreachable(
            f"the highest {self._what} is {best.gain:.4g} at strength {best.strength:.4g}, "
            f"the target is {self._target:.4g}: {reason}",
            best_gain=best.gain,
            strength=best.strength,
            evaluations=len(self._points),
        )


def _apart(one: Evaluation, two: Evaluation) -> bool:
    return max(one.strength, two.strength) > _APART * min(one.strength, two.strength)


def _strength(point: Evaluation) -> float:
    return point.strength


def _gain(point: Evaluation) -> float:
    return point.gain


def _power_law(one: Evaluation, two: Evaluation) -> float:
    """Power law through two points."""
    return _within_usual(math.log(two.gain / one.gain) / math.log(two.strength / one.strength))


def _within_usual(exponent: float) -> float:
    """Kept to what gains do, so that noise makes no wild step."""
    return min(max(exponent, 0.25), 4.0)
