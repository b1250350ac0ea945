"""Steps weighted by spatial activity (Korhonen and You, QoEVMA 2022)."""

import torch

from attacks.adam import Adam
from attacks.adam_steps import AdamSteps
from attacks.base import Attack, Prepared
from attacks.frames import levels
from attacks.gradients import CleanGradient
from attacks.iterated import GradientAt, Iterated, Start
from attacks.metrics.base import TargetMetric

__all__ = ["Korhonen", "activity"]


def activity(frames: torch.Tensor, *, signed: bool = False) -> torch.Tensor:
    """(N, 1, H, W) spatial activity of `frames`, (N, 3, H, W) in [0, 1]; its maximum over a frame is 1.

    The size of the Sobel gradient of the luma 0.299 R + 0.587 G + 0.114 B, 0 on the border,
    divided by its maximum (1 everywhere if that is 0), dilated with a 5x5 square without its
    corners. `signed`: the horizontal derivative alone, with its sign, in place of the size.
    """
    # In thousandths of levels: whole numbers for 8-bit frames, so equal sums differ by exactly 0.
    red, green, blue = levels(frames).split(1, dim=1)
    luma = 299 * red + 587 * green + 114 * blue
    spatial = torch.zeros_like(luma)
    spatial[..., 1:-1, 1:-1] = _sobel(luma, signed)
    peak = spatial.amax(dim=(1, 2, 3), keepdim=True)
    spatial = torch.where(peak > 0, spatial / peak, 1)
    return torch.maximum(_widened(_widened(spatial, -1, 1), -2, 2), _widened(_widened(spatial, -1, 2), -2, 1))


class Korhonen(Attack):
    """`iterations` steps x + `strength` * A * direction: the gradient's sign first, Adam's direction then.

    A is `activity` of the clean frames. Each strength above 0 costs `iterations` - 1 forwards
    and backwards beyond the clean gradient.

    variant `reference`: as the public robustness benchmark (AAAI 2024) runs it. A is signed
    and multiplies, divided by 255, the gradient of J = 1 - quality / range before Adam. Adam
    takes most of that weighting away again; what remains comes from its 1e-8 and depends on
    the picture's size and on the metric's range.

    variant `paper_figure`: A is 1 where the signed map is above 0, else 0, which is what the
    figure of the IOI paper (ICML 2024) shows.

    Differs: by default the weight acts after Adam, where it does what the paper intends, and
    Adam's 1e-8 is relative to each frame's gradient; the map is of the gradient's size, where
    the public code takes the signed horizontal derivative.
    """

    def _prepare(self, frames: torch.Tensor, metric: TargetMetric, clean: CleanGradient | None) -> Prepared:
        variant = self.options["variant"]
        values = variant == "reference" or self.iterations > 1
        start = Start(frames, metric, *self._clean(frames, metric, clean, values=values))
        if variant == "reference":
            return _ReferenceSteps(start, iterations=self.iterations)
        weight = activity(frames, signed=variant == "paper_figure")
        if variant == "paper_figure":
            weight = (weight > 0).to(frames.dtype)
        return AdamSteps(start, weight=weight, iterations=self.iterations)


class _ReferenceSteps(Iterated):
    """x <- Clip(x + strength * Adam(A / 255 * gradient of quality / range))."""

    def __init__(self, start: Start, *, iterations: int):
        super().__init__(start, iterations=iterations)
        low, high = start.metric.score_range
        self._weight = activity(start.frames, signed=True).div_(255 * (high - low))

    def _walk(self, strength: float, gradient_at: GradientAt) -> torch.Tensor:
        x, adam, gradient = self._frames.clone(), Adam(self._frames), self._clean.gradient
        for step in range(self._iterations):
            if step:
                gradient = gradient_at(x)
            x.add_(adam.direction(gradient * self._weight), alpha=strength).clamp_(0, 1)
        return x


def _sobel(luma: torch.Tensor, signed: bool) -> torch.Tensor:
    """Inside the one-pixel border: (N, 1, H, W) -> (N, 1, H - 2, W - 2)."""
    across = luma[..., 2:] - luma[..., :-2]
    horizontal = across[..., :-2, :] + 2 * across[..., 1:-1, :] + across[..., 2:, :]
    if signed:
        return horizontal
    down = luma[..., 2:, :] - luma[..., :-2, :]
    vertical = down[..., :-2] + 2 * down[..., 1:-1] + down[..., 2:]
    return horizontal.square_().addcmul_(vertical, vertical).sqrt_()


def _widened(maps: torch.Tensor, dim: int, reach: int) -> torch.Tensor:
    """The largest value up to `reach` places away along `dim`. Several times as fast on a CPU as max_pool2d."""
    count, widest = maps.shape[dim], maps.clone()
    for shift in range(1, min(reach, count - 1) + 1):
        rest = count - shift
        for start, other in ((0, shift), (shift, 0)):
            part = widest.narrow(dim, start, rest)
            torch.maximum(part, maps.narrow(dim, other, rest), out=part)
    return widest
