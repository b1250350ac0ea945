"""The loop of the attacks that walk with Adam (Kingma and Ba 2015)."""

from collections.abc import Callable

import torch

from attacks.adam import EPSILON, Adam
from attacks.iterated import GradientAt, Iterated, Start

__all__ = ["AdamSteps"]


class AdamSteps(Iterated):
    """x <- Clip(x + strength * weight * Adam(gradient of quality / range - penalty)), `iterations` times.

    weight: (N, 1 or 3, H, W), acts after Adam has taken the gradient's size away; None is 1.
    penalty: x -> (N, 3, H, W) derivative of a second loss term, 0 at the clean frames; where
    it is not finite, as at a square root of 0, it does not count. `range` is the metric's.

    Adam's 1e-8 is relative to the largest value of a frame's clean gradient: gradients of large
    pictures or wide score ranges would fade beside it. The first step is the sign of the clean
    gradient: Adam's own first step with an infinitesimal 1e-8.
    """

    def __init__(
        self,
        start: Start,
        *,
        iterations: int,
        weight: torch.Tensor | None = None,
        penalty: Callable[[torch.Tensor], torch.Tensor] | None = None,
    ):
        super().__init__(start, iterations=iterations)
        self._weight = weight
        self._penalty = penalty

    def _walk(self, strength: float, gradient_at: GradientAt) -> torch.Tensor:
        sign = self._clean.sign if self._weight is None else self._clean.sign * self._weight
        x = torch.add(self._frames, sign, alpha=strength).clamp_(0, 1)
        if self._iterations == 1:
            return x
        largest = self._clean.gradient.abs().amax(dim=(1, 2, 3), keepdim=True)
        adam = Adam(x, EPSILON * torch.where(largest > 0, largest, 1))
        adam.direction(self._clean.gradient)
        for _ in range(self._iterations - 1):
            gradient = gradient_at(x)
            if self._penalty is not None:
                gradient = gradient - self._penalty_at(x)
            direction = adam.direction(gradient)
            if self._weight is not None:
                direction.mul_(self._weight)
            x.add_(direction, alpha=strength).clamp_(0, 1)
        return x

    def _penalty_at(self, x: torch.Tensor) -> torch.Tensor:
        """In the units of the score."""
        low, high = self._metric.score_range
        return self._penalty(x).mul(high - low).nan_to_num_(nan=0.0, posinf=0.0, neginf=0.0)
