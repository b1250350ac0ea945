"""How sure a ranking can be before anybody has voted: the half-width of an interval, and the clips that it takes.

In a balanced round robin of K conditions that are close to each other, a pair that has N votes over all clips knows
the difference of two conditions with a variance of 8 / (K N): the Fisher information of the Bradley-Terry model at
even odds is N (K I - J) / 4, and the variance of a difference under its inverse is 2 * 4 / (K N). That is the part of
the votes. Conditions further apart are told from each other with less surprise: a vote then holds v = mean of
4 p (1 - p) of that information ("evenness"). A person's votes hang together: their variance grows by the design
effect D.

Clips differ: a condition does better or worse on one clip than on the whole by an effect with the standard deviation
s. Over C clips the mean of C such effects stays in each of the two conditions, whatever the number of votes, which
adds 2 s^2 / C. With n votes per pair and clip, N = n C, so

    variance = (8 D / (K n v) + 2 s^2) / C,   half-width = 1.96 sqrt(variance)        in logits, 95 %.

Both parts fall with the number of clips; votes mend only the first. tests/analysis/test_precision.py simulates
studies and fits them. A fit that pools the clips also draws all differences together, by 1 / sqrt(1 + 0.346 * 2 s^2)
(8 % for s = 0.5), and its interval with them, so the formula errs on the safe side.

This module needs nothing but the standard library: the web process uses it.
"""

import math

__all__ = ["clips_needed", "difference_variance", "half_width", "votes_needed"]

_Z = 1.959964


def difference_variance(
    *,
    conditions: int,
    clips: int,
    votes: float,
    clip_effect: float,
    design_effect: float = 1.0,
    evenness: float = 1.0,
) -> float:
    """Variance of a difference, in squared logits; `votes` are those of a pair on one clip."""
    return (8 * design_effect / (conditions * votes * evenness) + 2 * clip_effect**2) / clips


def half_width(*, conditions: int, clips: int, votes: int, clip_effect: float) -> float:
    """Half-width, in logits, of the 95 % interval of a difference; `votes` are those of a pair on one clip."""
    design = {"conditions": conditions, "clips": clips, "votes": votes, "clip_effect": clip_effect}
    return _Z * math.sqrt(difference_variance(**design))


def clips_needed(*, conditions: int, votes: int, clip_effect: float, wanted: float) -> int:
    """Fewest clips for a half-width of `wanted` logits."""
    of_one = difference_variance(conditions=conditions, clips=1, votes=votes, clip_effect=clip_effect)
    return math.ceil(of_one * (_Z / wanted) ** 2 - 1e-9)


def votes_needed(*, conditions: int, clips: int, clip_effect: float, wanted: float) -> int | None:
    """Fewest votes of a pair on one clip for a half-width of `wanted`; None where no number of votes is enough."""
    left = clips * (wanted / _Z) ** 2 - 2 * clip_effect**2
    return math.ceil(8 / (conditions * left) - 1e-9) if left > 0 else None
