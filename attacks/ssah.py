"""SSAH's low-frequency constraint for quality metrics (Luo, Lin, Xie, Wu, Xie, Shen, CVPR 2022)."""

import torch
import torch.nn.functional as functional

from attacks.adam_steps import AdamSteps
from attacks.base import Attack, Prepared
from attacks.gradients import CleanGradient
from attacks.iterated import Start
from attacks.metrics.base import TargetMetric

__all__ = ["SSAH", "low_frequency_gradient"]


def low_frequency_gradient(frames: torch.Tensor, clean: torch.Tensor) -> torch.Tensor:
    """Derivative of the low-frequency loss at `frames`, (N, 3, H, W) in [0, 1] like `clean`.

    The loss is the sum of SmoothL1(phi(frames) - phi(clean)), phi keeping
    the low band of a one-level Haar transform, which is the mean of each 2x2 block. phi is a
    projection and no value moves by more than 1, so the derivative is phi of the change.

    At an odd edge the last row or column is repeated, and the blocks there are means of what is inside.
    """
    blocks = functional.avg_pool2d(frames - clean, 2, ceil_mode=True)
    height, width = frames.shape[-2:]
    return blocks.repeat_interleave(2, dim=-2)[..., :height, :].repeat_interleave(2, dim=-1)[..., :width]


class SSAH(Attack):
    """`iterations` steps of Adam on J + `low_frequency` * L_lf, J = 1 - quality / range.

    The step is `strength`; each strength above 0 costs `iterations` - 1 forwards and
    backwards beyond the clean gradient. L_lf is flat at the clean frames, so that with one
    iteration this is FGSM.

    Differs: the score takes the place of the attack on a classifier's features, and the pixels
    that of the paper's tanh variable, as in the IOI paper's comparison; an odd edge is repeated
    where the public code pads with zeros; Adam's 1e-8 is relative to each frame's gradient.
    """

    def _prepare(self, frames: torch.Tensor, metric: TargetMetric, clean: CleanGradient | None) -> Prepared:
        weight = self.options["low_frequency"]
        return AdamSteps(
            Start(frames, metric, *self._clean(frames, metric, clean, values=self.iterations > 1)),
            iterations=self.iterations,
            penalty=(lambda x: low_frequency_gradient(x, frames).mul_(weight)) if weight else None,
        )
