"""What the strength of an attack is matched on, and between which strengths it is searched."""

from collections.abc import Callable
from dataclasses import dataclass

from attacks import Attack, StrengthRange
from stimuli.gain import GainRule
from stimuli.matching import Match, match_strength

__all__ = ["Target"]

# Encodes at most, and the fall of the gain that may be the encoder's doing: at a hundredth of a level it is uneven by
# a quarter, while the search before the codec has found the first rising branch.
_MOST_ENCODES = 10
_UNEVEN = 0.35


@dataclass(frozen=True)
class Target:
    """The number to reach: the mean gain of a clip's frames (a ratio), or with `linf` the largest change of any RGB
    value of the clip (8-bit levels); `tolerance` is relative to it.
    """

    value: float
    tolerance: float
    rule: GainRule
    linf: bool

    @property
    def what(self) -> str:
        """For messages."""
        return "largest change in 8-bit levels" if self.linf else "gain"

    def met(self, reached: float) -> bool:
        return abs(reached - self.value) <= self.tolerance * self.value

    def first_strength(self, attack: Attack, slope: float | None) -> float:
        """Where the search begins; `slope`: d(gain)/d(strength) at 0 where that is known."""
        allowed = attack.info.strength
        if self.linf and allowed.unit == StrengthRange.unit:
            return self.value / 255 / max(attack.iterations, 1)
        if slope and not self.linf:
            return self.value / slope
        return allowed.low

    @staticmethod
    def interval(attack: Attack) -> tuple[float, float]:
        """The strengths to search: from far below the usual ones to all that the attack accepts.

        The authors' upper ends are for their own numbers of iterations: one step of a weighted attack needs more.
        """
        allowed = attack.info.strength
        return allowed.low / 1000, allowed.limit

    def search(self, reached: Callable[[float], float], attack: Attack, **options) -> Match:
        """`match_strength` in that interval, with further `options` for it."""
        low, high = self.interval(attack)
        return match_strength(reached, self.value, low=low, high=high, what=self.what, **options)

    def search_delivered(
        self, reached: Callable[[float], float], attack: Attack, start: float, exponent: float
    ) -> Match:
        """The same on delivered files, from where the search before the codec ended."""
        options = {"tolerance": self.tolerance, "most_evaluations": _MOST_ENCODES, "dip": _UNEVEN}
        return self.search(reached, attack, start=start, exponent=exponent, **options)
