"""How sure a ranking can be before anybody has voted: the half-width of an interval, and the clips that it takes.

In a balanced round robin of K conditions that are close to each other, a pair that has N votes over all clips knows
the difference of two conditions with a variance of 8 / (K N): the Fisher information of the Bradley-Terry model at
even odds is N (K I - J) / 4, and the variance of a difference under its inverse is 2 * 4 / (K N). That is the part of
the votes.

Clips differ: a condition does better or worse on one clip than on the whole by an effect with the standard deviation
s. Over C clips the mean of C such effects stays in each of the two conditions, whatever the number of votes, which
adds 2 s^2 / C. With n votes per pair and clip, N = n C, so

    half-width = 1.96 sqrt((8 / (K n) + 2 s^2) / C)        in logits, 95 %.

Both parts fall with the number of clips; votes mend only the first. tests/studyserver/test_precision.py simulates
studies and fits them. A fit that pools the clips also draws all differences together, by 1 / sqrt(1 + 0.346 * 2 s^2)
(8 % for s = 0.5), and its interval with them, so the formula errs on the safe side.
"""

import math

__all__ = ["clips_needed", "half_width", "votes_needed"]

_Z = 1.959964


def half_width(*, conditions: int, clips: int, votes: int, clip_effect: float) -> float:
    """Half-width, in logits, of the 95 % interval of a difference; `votes` are those of a pair on one clip."""
    return _Z * math.sqrt(_variance_of_one_clip(conditions, votes, clip_effect) / clips)


def clips_needed(*, conditions: int, votes: int, clip_effect: float, wanted: float) -> int:
    """Fewest clips for a half-width of `wanted` logits."""
    return math.ceil(_variance_of_one_clip(conditions, votes, clip_effect) * (_Z / wanted) ** 2 - 1e-9)


def votes_needed(*, conditions: int, clips: int, clip_effect: float, wanted: float) -> int | None:
    """Fewest votes of a pair on one clip for a half-width of `wanted`; None where no number of votes is enough."""
    left = clips * (wanted / _Z) ** 2 - 2 * clip_effect**2
    return math.ceil(8 / (conditions * left) - 1e-9) if left > 0 else None


def _variance_of_one_clip(conditions: int, votes: int, clip_effect: float) -> float:
    return 8 / (conditions * votes) + 2 * clip_effect**2
