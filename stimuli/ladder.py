"""The delivery ladder: for each source the cheapest profile that keeps every condition's perturbation."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from stimuli.delivery import LADDER, DeliveryProfile, get_profile

__all__ = ["DEFAULT_FLOOR", "PROBE_FRAMES", "TOP", "below_floor", "choose_rung"]

# By measurement, see docs/stimulus-set.md.
DEFAULT_FLOOR = 0.75
# One group of pictures, so that frames of every kind are tried.
PROBE_FRAMES = 15
TOP = get_profile(LADDER[-1])

T = TypeVar("T")


def choose_rung(
    conditions: Iterable[T], retention: Callable[[T, DeliveryProfile], float | None], floor: float
) -> DeliveryProfile:
    """The cheapest rung at which `retention` is at least `floor`, or None, for every condition; else the top.

    What a rung keeps, the next keeps as well: no condition is asked about a rung that another has ruled out already.
    """
    rung = 0
    for condition in conditions:
        while rung < len(LADDER) - 1 and below_floor(retention(condition, get_profile(LADDER[rung])), floor):
            rung += 1
    return get_profile(LADDER[rung])


def below_floor(retention: float | None, floor: float) -> bool:
    """Whether too little is kept; None is a condition without a perturbation to keep."""
    return retention is not None and retention < floor
