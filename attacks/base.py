"""What every attack is: `prepare` once, then `at` any strength."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch

from attacks.errors import InvalidFrames, InvalidOption, NoChange
from attacks.frames import check_frames
from attacks.gradients import CleanGradient, clean_gradient, quality_gradient
from attacks.metrics.base import TargetMetric
from attacks.options import OptionValue
from attacks.table import AttackInfo, StrengthRange

__all__ = ["Attack", "Cost", "Prepared"]


@dataclass(frozen=True)
class Cost:
    """Passes through the metric, per frame."""

    metric_forwards: int = 0
    metric_backwards: int = 0


class Prepared(ABC):
    """An attack on certain frames with everything done that does not depend on the strength."""

    _info: AttackInfo  # set by Attack.prepare

    def __init__(self, frames: torch.Tensor, cost: Cost):
        self._frames = frames
        self._cost = cost

    @property
    def cost(self) -> Cost:
        """Metric passes per frame spent so far by this object (a shared clean gradient is not counted)."""
        return self._cost

    def at(self, strength: float) -> torch.Tensor:
        """The adversarial frames: (N, 3, H, W) float32 in [0, 1], not yet rounded to 8 bits.

        `strength` lies in [0, limit] of the attack's StrengthRange and has its unit; at 0 the
        frames come back bit for bit. Raises InvalidOption for any other strength, and NoChange
        where the attack leaves every value of every frame as it was.
        """
        strength = _check_strength(strength, self._info.strength)
        if strength == 0:
            return self._frames.clone()
        with torch.no_grad():
            adversarial = self._at(strength)
        if torch.equal(adversarial, self._frames):
            raise NoChange(
                f"{self._info.name} changes no value of these frames at strength {strength:g}; "
                "they may be flat or at the ends of the range. Take a higher strength, other frames or another attack."
            )
        return adversarial

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

    def __init__(self, info: AttackInfo, options: dict[str, OptionValue]):
        self.info = info
        self.options = options

    @property
    def iterations(self) -> int:
        """Gradients per frame of the clean pictures and on the way from them."""
        return self.options.get("iterations", self.info.iterations)

    def describe(self) -> dict:
        """The options as a record of what was done: plain values that do not name places on this machine."""
        return dict(self.options)

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
        prepared = self._prepare(frames.detach(), metric, clean)
        prepared._info = self.info
        return prepared

    def perturb(self, frames: torch.Tensor, metric: TargetMetric, strength: float) -> torch.Tensor:
        """`prepare(frames, metric).at(strength)`."""
        _check_strength(strength, self.info.strength)
        return self.prepare(frames, metric).at(strength)

    @abstractmethod
    def _prepare(self, frames: torch.Tensor, metric: TargetMetric, clean: CleanGradient | None) -> Prepared:
        """`prepare` on checked arguments."""

    @staticmethod
    def _clean(
        frames: torch.Tensor, metric: TargetMetric, clean: CleanGradient | None, *, values: bool = False
    ) -> tuple[CleanGradient, Cost]:
        """The clean gradient, given or computed, and what it cost. `values`: the float gradient must be there."""
        if clean is None:
            return clean_gradient(frames, metric), Cost(metric_forwards=1, metric_backwards=1)
        if values and clean.gradient is None:
            # Where all are zero the frames stay as they are: that the clip as a whole has a gradient is known to
            # whoever gave the signs.
            scores, gradient = quality_gradient(frames, metric)
            return CleanGradient(scores, gradient.sign().to(torch.int8), gradient), Cost(1, 1)
        return clean, Cost()


def _check_strength(strength: float, allowed: StrengthRange) -> float:
    try:
        number = math.nan if isinstance(strength, (bool, str)) else float(strength)
    except (TypeError, ValueError):
        number = math.nan
    if not 0 <= number <= allowed.limit:
        raise InvalidOption(
            f"strength must be a number from 0 to {allowed.limit:g} ({allowed.unit}), got {strength!r}."
        )
    return number
