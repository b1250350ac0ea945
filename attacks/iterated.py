"""What the gradient attacks of several iterations share."""

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import torch

from attacks.base import Cost, Prepared
from attacks.gradients import CleanGradient, quality_gradient
from attacks.metrics.base import TargetMetric

__all__ = ["GradientAt", "Iterated", "Start"]

GradientAt = Callable[[torch.Tensor], torch.Tensor]


@dataclass(frozen=True)
class Start:
    """Where a walk begins: `frames` (N, 3, H, W), their clean gradient (None: taken on the way), and what it cost."""

    frames: torch.Tensor
    metric: TargetMetric
    clean: CleanGradient | None
    cost: Cost


class Iterated(Prepared):
    """An attack that walks from the frames, taking the gradient at each place but the first.

    A subclass says how in `_walk`; the first gradient is the clean one, so `iterations` steps
    cost `iterations` - 1 further forwards and backwards for each strength. `small_strength` is
    far above the float32 rounding of frames and far below what bends the gain or meets a bound.
    """

    small_strength = 1e-4

    def __init__(self, start: Start, *, iterations: int):
        super().__init__(start.frames, start.cost)
        self._metric = start.metric
        self._clean = start.clean
        self._iterations = iterations

    @abstractmethod
    def _walk(self, strength: float, gradient_at: GradientAt) -> torch.Tensor:
        """The adversarial frames; `gradient_at(frames)` is d(quality)/d(frames) (N, 3, H, W) there."""

    def _at(self, strength: float) -> torch.Tensor:
        return self._walk(strength, self._gradient_at)

    def initial_slope(self) -> torch.Tensor | None:
        """A very short walk, on which the gradient is the clean one everywhere."""
        gradient = self._clean.gradient
        if gradient is None:
            return None
        with torch.no_grad():
            moved = self._walk(self.small_strength, lambda _: gradient).sub_(self._frames)
            return moved.mul_(gradient).flatten(1).sum(dim=1).div_(self.small_strength)

    def _gradient_at(self, frames: torch.Tensor) -> torch.Tensor:
        _, gradient = quality_gradient(frames, self._metric)
        self._spend(1, 1)
        return gradient
