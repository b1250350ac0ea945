"""NVW, normalised variance weighting (Karli, Sen, Temizel 2021)."""

import torch

from attacks.adam_steps import AdamSteps
from attacks.base import Attack, Prepared
from attacks.errors import InvalidOption
from attacks.gradients import CleanGradient
from attacks.iterated import Start
from attacks.metrics.base import TargetMetric
from attacks.options import OptionValue
from attacks.table import AttackInfo

__all__ = ["NVW", "figure_weight", "variance_weight"]


def variance_weight(frames: torch.Tensor, *, normalised: bool = False) -> torch.Tensor:
    """(N, 3, H, W) weight of the steps on `frames`, (N, 3, H, W) in [0, 1].

    sigma = sqrt(min(sd_h, sd_v)), the standard deviations of each value and its two
    neighbours in the row and in the column, the border repeated (Croce and Hein, ICCV 2019),
    divided by its maximum over the frame, or by its mean where `normalised`.
    A frame without variance has the weight 0.
    """
    sigma = torch.minimum(_deviation(frames, -1), _deviation(frames, -2)).sqrt_()
    whole = sigma.mean(dim=(1, 2, 3), keepdim=True) if normalised else sigma.amax(dim=(1, 2, 3), keepdim=True)
    return sigma.div_(torch.where(whole > 0, whole, 1))


def figure_weight(frames: torch.Tensor) -> torch.Tensor:
    """(N, 3, H, W): 1, or 0 where a value's neighbours in the row, or in the colour axis, both equal it."""
    moving = (_deviation(frames, -1) > 0) & (_deviation(frames, 1) > 0)
    return moving.to(frames.dtype)


class NVW(Attack):
    """`iterations` steps x + `strength` * V * direction: the gradient's sign first, Adam's direction then.

    V is `variance_weight` of the clean frames. Each strength above 0 costs `iterations` - 1
    forwards and backwards beyond the clean gradient.

    variant `paper_figure`: V is 1 or 0 (`figure_weight`), which is what the figure of the IOI
    paper (ICML 2024) shows: there the two axes of the deviation are the row and the colours,
    and only the sign of the weighted gradient acts. Raises InvalidOption with `normalised`, for
    which there is nothing in it.

    Differs: no text or code of the authors was at hand; the map is the one that the public
    comparison uses, over rows and columns, and it weights the step, not the gradient before
    its sign is taken. Adam's 1e-8 is relative to each frame's gradient.
    """

    def __init__(self, info: AttackInfo, options: dict[str, OptionValue]):
        super().__init__(info, options)
        if options["normalised"] and options["variant"] == "paper_figure":
            raise InvalidOption(
                "nvw: normalised has no meaning with variant=paper_figure, whose weight is 0 or 1; leave it out."
            )

    def _prepare(self, frames: torch.Tensor, metric: TargetMetric, clean: CleanGradient | None) -> Prepared:
        if self.options["variant"] == "paper_figure":
            weight = figure_weight(frames)
        else:
            weight = variance_weight(frames, normalised=self.options["normalised"])
        return AdamSteps(
            Start(frames, metric, *self._clean(frames, metric, clean, values=self.iterations > 1)),
            iterations=self.iterations,
            weight=weight,
        )


def _deviation(frames: torch.Tensor, dim: int) -> torch.Tensor:
    """Population standard deviation of each value and its two neighbours along `dim`; exactly 0 where all are equal."""
    count = frames.shape[dim]
    before = torch.cat([frames.narrow(dim, 0, 1), frames.narrow(dim, 0, count - 1)], dim)
    after = torch.cat([frames.narrow(dim, 1, count - 1), frames.narrow(dim, count - 1, 1)], dim)
    squares = (frames - before).square_().add_((frames - after).square_()).add_((after - before).square_())
    return squares.sqrt_().div_(3)
