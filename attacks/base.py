"""What every attack is: `prepare` once, then `at` any strength."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch

from attacks.errors import InvalidFrames, InvalidOption
from attacks.frames import check_frames
from attacks.gradients import CleanGradient, clean_gradient
from attacks.metrics.base import TargetMetric
from attacks.registry import AttackInfo

__all__ = ["Attack", "Cost", "Prepared"]


@dataclass(frozen=True)
class Cost:
    """Passes through the metric, per frame."""

    metric_forwards: int = 0
    metric_backwards: int = 0


class Prepared(ABC):
    """An attack on certain frames with everything done that does not depend on the strength."""

    def __init__(self, frames: torch.Tensor, cost: Cost):
        self._frames = frames
        self._cost = cost

    @property
    def cost(self) -> Cost:
        """Metric passes per frame spent so far by this object (a shared clean gradient is not counted)."""
        return self._cost

    def at(self, strength: float) -> torch.Tensor:
        """The adversarial frames: (N, 3, H, W) float32 in [0, 1], not yet rounded to 8 bits.

        `strength` is a fraction of full scale in [0, 1]; at 0 the frames come back bit for bit.
        Raises InvalidOption for any other strength.
        """
        strength = _check_strength(strength)
        if strength == 0:
            return self._frames.clone()
        with torch.no_grad():
            return self._at(strength)

    def initial_slope(self) -> torch.Tensor | None:
        """d(quality)/d(strength) at strength 0, (N,) float32; None where the float gradient is not at hand.

        It is the derivative from above of what `at` does, clipping to [0, 1] included.
        """
        return None

    @abstractmethod
    def _at(self, strength: float) -> torch.Tensor:
        """`at` for a strength above 0, run without recording gradients."""

    def _spend(self, forwards: int, backwards: int) -> None:
        self._cost = Cost(self._cost.metric_forwards + forwards, self._cost.metric_backwards + backwards)


class Attack(ABC):
    """One attack with its options; built by `create_attack`, which has checked them.

    `uses_clean_gradient` tells callers that several attacks may share one CleanGradient.
    """

    uses_clean_gradient = True

    def __init__(self, info: AttackInfo, options: dict[str, int | float]):
        self.info = info
        self.options = options

    def prepare(self, frames: torch.Tensor, metric: TargetMetric, *, clean: CleanGradient | None = None) -> Prepared:
        """Do the costly part once for `frames`, (N, 3, H, W) float32 RGB in [0, 1], on the metric's device.

        `clean` is the frames' CleanGradient where the caller has it already. The frames are not modified.
        Raises InvalidFrames, NotDifferentiable, ZeroGradient or NonFiniteScore.
        """
        check_frames(frames)
        if not isinstance(metric, TargetMetric):
            raise InvalidOption(
                f"metric must be a target metric, got {type(metric).__name__}; "
                "build one with attacks.metrics.create_metric or wrap_module."
            )
        if clean is not None and clean.sign.shape != frames.shape:
            raise InvalidFrames(
                f"the clean gradient belongs to frames of {tuple(clean.sign.shape)}, these are {tuple(frames.shape)}."
            )
        return self._prepare(frames.detach(), metric, clean)

    def perturb(self, frames: torch.Tensor, metric: TargetMetric, strength: float) -> torch.Tensor:
        """`prepare(frames, metric).at(strength)`."""
        _check_strength(strength)
        return self.prepare(frames, metric).at(strength)

    @abstractmethod
    def _prepare(self, frames: torch.Tensor, metric: TargetMetric, clean: CleanGradient | None) -> Prepared:
        """`prepare` on checked arguments."""

    @staticmethod
    def _clean(frames: torch.Tensor, metric: TargetMetric, clean: CleanGradient | None) -> tuple[CleanGradient, Cost]:
        """The clean gradient, given or computed, and what it cost."""
        if clean is not None:
            return clean, Cost()
        return clean_gradient(frames, metric), Cost(metric_forwards=1, metric_backwards=1)


def _check_strength(strength: float) -> float:
    try:
        number = math.nan if isinstance(strength, (bool, str)) else float(strength)
    except (TypeError, ValueError):
        number = math.nan
    if not 0 <= number <= 1:
        raise InvalidOption(f"strength must be a number from 0 to 1 (fraction of full scale), got {strength!r}.")
    return number
