"""FGSM and I-FGSM: one loop of steps along the sign of the gradient."""

import math

import torch

from attacks.base import Attack, Cost, Prepared
from attacks.gradients import CleanGradient, quality_gradient
from attacks.metrics.base import TargetMetric

__all__ = ["FGSM", "IFGSM"]


class SignSteps(Prepared):
    """p <- Pi_eps(p + strength * sign(v)), v <- gradient(Clip(x + p)) + momentum * v; result Clip(x + p).

    The clip to [0, 1] is straight-through: the gradient taken at the clipped point moves p
    without a mask. The first gradient is the clean one, so one iteration needs no further pass.
    """

    def __init__(
        self,
        frames: torch.Tensor,
        metric: TargetMetric,
        clean: CleanGradient,
        cost: Cost,
        *,
        iterations: int = 1,
        eps: float = math.inf,
        momentum: float = 0.0,
    ):
        super().__init__(frames, cost)
        self._metric = metric
        self._clean = clean
        self._iterations = iterations
        self._eps = eps
        self._momentum = momentum

    def _at(self, strength: float) -> torch.Tensor:
        step = min(strength, self._eps)
        perturbed = torch.add(self._frames, self._clean.sign, alpha=step).clamp_(0, 1)
        if self._iterations == 1:
            return perturbed
        perturbation = self._clean.sign * step
        velocity = self._clean.gradient
        for _ in range(self._iterations - 1):
            _, gradient = quality_gradient(perturbed, self._metric)
            self._spend(1, 1)
            if self._momentum:
                velocity = gradient = gradient + self._momentum * velocity
            perturbation.add_(gradient.sign(), alpha=strength).clamp_(-self._eps, self._eps)
            perturbed = (self._frames + perturbation).clamp_(0, 1)
        return perturbed

    def initial_slope(self) -> torch.Tensor | None:
        """iterations * sum |gradient| over the values that may still move."""
        gradient = self._clean.gradient
        if gradient is None:
            return None
        stuck = ((self._frames <= 0) & (gradient < 0)) | ((self._frames >= 1) & (gradient > 0))
        return self._iterations * gradient.abs().masked_fill_(stuck, 0).flatten(1).sum(dim=1)


class FGSM(Attack):
    """x_adv = Clip(x + strength * sign(gradient)) (Goodfellow et al. 2015, equation 1).

    One forward and one backward of the metric per frame; every further strength is one addition.
    """

    def _prepare(self, frames: torch.Tensor, metric: TargetMetric, clean: CleanGradient | None) -> Prepared:
        return SignSteps(frames, metric, *self._clean(frames, metric, clean))


class IFGSM(Attack):
    """`iterations` sign steps of size `strength`, the perturbation kept within +-`eps` (Kurakin et al. 2017).

    With `momentum` 1 it is the benchmark's MI-FGSM.
    Each strength above 0 costs `iterations` - 1 forwards and backwards beyond the clean gradient.

    Differs: momentum adds up raw gradients, as the public benchmark does, without the L1
    normalisation of Dong et al. 2018; the bound holds p itself, before the clip to [0, 1].
    """

    def _prepare(self, frames: torch.Tensor, metric: TargetMetric, clean: CleanGradient | None) -> Prepared:
        if self.options["momentum"] and clean is not None and clean.gradient is None:
            # Momentum needs the values of the first gradient. Where all are zero the frames stay as they are: that
            # the clip as a whole has a gradient is known to whoever gave the signs.
            scores, gradient = quality_gradient(frames, metric)
            clean = CleanGradient(scores, gradient.sign().to(torch.int8), gradient)
            return SignSteps(frames, metric, clean, Cost(1, 1), **self.options)
        return SignSteps(frames, metric, *self._clean(frames, metric, clean), **self.options)
