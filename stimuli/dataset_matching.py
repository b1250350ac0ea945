"""One attack at one strength on all clips of a set, so that the mean of their gains is the target."""

import math
from collections.abc import Callable, Sequence
from statistics import fmean

from attacks import Attack
from attacks.errors import NoChange, ZeroGradient
from stimuli.closed_loop import WORTH_ENCODING, ClosedLoop, MatchedStimulus
from stimuli.errors import Unreachable

__all__ = ["match_dataset"]

# Strengths on which the first guess is looked for; they are about one percent apart.
_RUNGS = 1000


def match_dataset(loops: Sequence[ClosedLoop], attack: Attack, label: str) -> list[MatchedStimulus]:
    """Deliver every clip at the strength at which the mean over the clips of their delivered gains is the target; each
    clip counts the same, however long. `loops` have one target, and each its own folder. In their order.

    The first guess comes from each clip's own search before the codec, so that one clip is in memory at a time; then
    all clips are encoded at one strength after the other.

    Raises: Unreachable with the best mean gain; NoChange or ZeroGradient where a clip does not change at all.
    """
    target = loops[0].target
    attempts = [loop.attempts(attack, label) for loop in loops]

    def mean_gain(strength: float) -> float:
        mean = fmean(one.reached(strength) for one in attempts)
        if not target.met(mean):
            for one in attempts:
                one.drop(strength)
        return mean

    try:
        start, exponent, promised = _first_guess(loops, attack)
        if promised < WORTH_ENCODING * target.value:
            best = mean_gain(start)
            if best < WORTH_ENCODING * target.value:
                raise Unreachable(
                    f"{label} cannot reach it over these clips: the highest mean gain is {best:.4g} at strength "
                    f"{start:.4g}, the target is {target.value:.4g}",
                    best_gain=best,
                    strength=start,
                )
        match = target.search_delivered(mean_gain, attack, start, exponent)
        return [loop.deliver(one, match.strength) for loop, one in zip(loops, attempts, strict=True)]
    finally:
        for one in attempts:
            one.remove()


def _first_guess(loops: Sequence[ClosedLoop], attack: Attack) -> tuple[float, float, float]:
    """Strength, power law of the mean gain there, and the mean gain that the clips' own searches promise."""
    gains = [_expected_gain(loop, attack) for loop in loops]
    target = loops[0].target.value

    def mean(strength: float) -> float:
        return fmean(gain(strength) for gain in gains)

    low, high = loops[0].target.interval(attack)
    ladder = [low * (high / low) ** (rung / _RUNGS) for rung in range(_RUNGS + 1)]
    strength = next((rung for rung in ladder if mean(rung) >= target), max(ladder, key=mean))
    promised, weaker = mean(strength), mean(strength / 1.1)
    exponent = math.log(promised / weaker) / math.log(1.1) if 0 < weaker < promised else 1.0
    return strength, exponent, promised


def _expected_gain(loop: ClosedLoop, attack: Attack) -> Callable[[float], float]:
    """The gain of a clip at any strength: the power law that its search saw, or a peak that it could not surpass."""
    try:
        found = loop.search_frames(attack)
    except Unreachable as short:
        best, peak = short.best_gain, short.strength
        return lambda strength: best * min(strength / peak, peak / strength)
    except (NoChange, ZeroGradient):
        return lambda strength: 0.0
    return lambda strength: found.gain * (strength / found.strength) ** found.exponent
