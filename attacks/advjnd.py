"""AdvJND: steps weighted by the just-noticeable difference (Zhang et al., ML4CS 2020)."""

import torch

from attacks.base import Attack, Prepared
from attacks.gradients import CleanGradient
from attacks.iterated import GradientAt, Iterated, Start
from attacks.jnd import grey_levels, just_noticeable_difference, luminance_adaptation
from attacks.metrics.base import TargetMetric

__all__ = ["AdvJND", "figure_weight", "jnd_weight"]

# Amplitudes of red, green and blue and their dependence on luminance, measured in the figure.
_FIGURE_CHANNELS = (0.09, 1.0, 0.01)
_FIGURE_ADAPTATION = 0.015
_LEAST_ADAPTATION = 3


def jnd_weight(frames: torch.Tensor) -> torch.Tensor:
    """(N, 1, H, W): the just-noticeable difference of `frames`, (N, 3, H, W) in [0, 1], divided by its mean."""
    difference = just_noticeable_difference(frames)
    return difference / difference.mean(dim=(1, 2, 3), keepdim=True)


def figure_weight(frames: torch.Tensor) -> torch.Tensor:
    """(N, 3, H, W): (0.09, 1, 0.01) for red, green and blue, times 1 + 0.015 (LA(Y) - 3)."""
    channels = frames.new_tensor(_FIGURE_CHANNELS).view(1, 3, 1, 1)
    adaptation = luminance_adaptation(grey_levels(frames))
    return channels * (1 + _FIGURE_ADAPTATION * (adaptation - _LEAST_ADAPTATION))


class AdvJND(Attack):
    """Clip(x + `strength` * C * sign(gradient)), C = JND / mean(JND) of the clean frames.

    With more `iterations` each of them is a step of strength / iterations, so that no value
    leaves +-strength * C; each strength above 0 then costs `iterations` - 1 forwards and
    backwards beyond the clean gradient.

    variant `paper_figure`: C is `figure_weight`, what was measured in the figure of the IOI
    paper (ICML 2024): nearly all of the change is in the green channel.

    Differs: no text or code of the authors was at hand; the coefficients are those of
    `just_noticeable_difference`.
    """

    def _prepare(self, frames: torch.Tensor, metric: TargetMetric, clean: CleanGradient | None) -> Prepared:
        weight = figure_weight(frames) if self.options["variant"] == "paper_figure" else jnd_weight(frames)
        start = Start(frames, metric, *self._clean(frames, metric, clean))
        return _WeightedSignSteps(start, iterations=self.iterations, weight=weight)


class _WeightedSignSteps(Iterated):
    """x <- Clip(x + strength / iterations * weight * sign(gradient))."""

    def __init__(
        self,
        start: Start,
        *,
        iterations: int,
        weight: torch.Tensor,
    ):
        super().__init__(start, iterations=iterations)
        self._weight = weight

    def _walk(self, strength: float, gradient_at: GradientAt) -> torch.Tensor:
        x, sign = self._frames.clone(), self._clean.sign
        for step in range(self._iterations):
            if step:
                sign = gradient_at(x).sign()
            x.add_(sign * self._weight, alpha=strength / self._iterations).clamp_(0, 1)
        return x
