"""MADC: maximum differentiation of a metric against the mean squared error (Wang, Simoncelli 2008)."""

import torch

from attacks.base import Attack, Prepared
from attacks.gradients import CleanGradient
from attacks.iterated import GradientAt, Iterated, Start
from attacks.metrics.base import TargetMetric

__all__ = ["MADC"]

# Against a division of 0 by 0 where nothing has moved; far below the square of any change that float32 frames can show.
_TINY = 1e-20


class PreparedMADC(Iterated):
    """x <- Clip(Pi(x + strength * sign(q))), q the gradient without its part along x - x0.

    Pi scales x - x0 down to the root mean square `budget`, frame by frame, where it is larger.
    """

    def __init__(
        self,
        start: Start,
        *,
        iterations: int,
        budget: float,
    ):
        super().__init__(start, iterations=iterations)
        self._budget = budget

    def _walk(self, strength: float, gradient_at: GradientAt) -> torch.Tensor:
        moved = self._within_budget(torch.add(self._frames, self._clean.sign, alpha=strength))
        for _ in range(self._iterations - 1):
            moved = self._step(moved, gradient_at(moved), strength)
        return moved

    def _step(self, moved: torch.Tensor, gradient: torch.Tensor, strength: float) -> torch.Tensor:
        """`moved`, changed in place, one step on."""
        change = moved - self._frames
        along = _dot(change, gradient) / _dot(change, change).clamp_(min=_TINY)
        sign = torch.addcmul(gradient, change, along, value=-1).sign_()
        return self._within_budget(moved.add_(sign, alpha=strength))

    def _within_budget(self, moved: torch.Tensor) -> torch.Tensor:
        """`moved`, changed in place, inside the budget and [0, 1]; bit for bit as it was where it lies inside."""
        change = moved - self._frames
        size = (_dot(change, change) / change[0].numel()).sqrt_()
        scaled = torch.addcmul(self._frames, change, self._budget / size.clamp_(min=_TINY))
        return torch.where(size > self._budget, scaled, moved, out=moved).clamp_(0, 1)


class MADC(Attack):
    """`iterations` sign steps of size `strength` that leave the mean squared change, to first order, as it is.

    The first step goes along the sign of the clean gradient, each further one along the sign of
    g - (<d, g> / <d, d>) d with d = x - x0, the direction of the gradient of the root mean square
    change. Where that change exceeds `budget`, x - x0 is scaled down to it. With one iteration this is
    FGSM, up to the budget.

    Differs: the public benchmark leaves the budget's surplus by steps of 0.0005 towards x0 in a loop
    without an end; here it is one projection. The metric is asked at pictures inside [0, 1] only.
    """

    def _prepare(self, frames: torch.Tensor, metric: TargetMetric, clean: CleanGradient | None) -> Prepared:
        return PreparedMADC(Start(frames, metric, *self._clean(frames, metric, clean)), **self.options)


def _dot(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """Of each frame: (N, 3, H, W) twice -> (N, 1, 1, 1)."""
    return (one * other).sum(dim=(1, 2, 3), keepdim=True)
