"""Perceptual attack held by a full-reference metric (Zhang, Li, Min, Zhai, Guo, Yang, Ma, NeurIPS 2022)."""

from collections.abc import Callable

import torch

from attacks.adam_steps import AdamSteps
from attacks.base import Attack, Prepared
from attacks.errors import InvalidFrames
from attacks.gradients import CleanGradient
from attacks.iterated import Start
from attacks.metrics.base import TargetMetric
from attacks.metrics.full_reference import Distance, full_reference_distance
from attacks.options import OptionValue
from attacks.ssim import SSIMGradient
from attacks.table import AttackInfo

__all__ = ["Zhang"]

_LEAST_SIDE = {"ssim": 11, "lpips": 16, "dists": 16}


class Zhang(Attack):
    """`iterations` steps of Adam on J + `fidelity` * D(x, clean), J = 1 - quality / range.

    D is 1 - SSIM (11x11 Gaussian window of sigma 1.5, mean of the channels), or the distance
    LPIPS (VGG) or DISTS of pyiqa. The step is `strength`; each strength above 0 costs
    `iterations` - 1 forwards and backwards beyond the clean gradient, and as many of D.
    D is least at the clean frames, so that with one iteration this is FGSM.

    Raises InvalidFrames for frames smaller than D's window, MetricUnavailable for LPIPS and
    DISTS where the package or their weights are missing.

    Differs: J stands for the squared change of a score fitted to opinions, as in the IOI
    paper's comparison; the weight of D is one for all pictures, not chosen by people; no
    random start; Adam's 1e-8 is relative to each frame's gradient. The public code adds the
    DISTS distance to what it maximises, and without its gradient; here it is minimised.
    """

    def __init__(self, info: AttackInfo, options: dict[str, OptionValue]):
        super().__init__(info, options)
        self._networks: dict[torch.device, Distance] = {}

    def _prepare(self, frames: torch.Tensor, metric: TargetMetric, clean: CleanGradient | None) -> Prepared:
        name, least = self.options["reference_metric"], _LEAST_SIDE[self.options["reference_metric"]]
        if min(frames.shape[-2:]) < least:
            raise InvalidFrames(
                f"zhang with {name} needs frames of at least {least}x{least} pixels, "
                f"got {frames.shape[-1]}x{frames.shape[-2]}."
            )
        start = Start(frames, metric, *self._clean(frames, metric, clean, values=self.iterations > 1))
        held = self.options["fidelity"] > 0 and self.iterations > 1
        penalty = self._distance_gradient(frames) if held else None
        return AdamSteps(start, iterations=self.iterations, penalty=penalty)

    def _distance_gradient(self, clean: torch.Tensor) -> Callable[[torch.Tensor], torch.Tensor]:
        """x -> derivative of `fidelity` * D(x, clean)."""
        name, weight = self.options["reference_metric"], self.options["fidelity"]
        if name == "ssim":
            similarity = SSIMGradient(clean)
            return lambda x: similarity.at(x).mul_(-weight)
        if clean.device not in self._networks:
            self._networks[clean.device] = full_reference_distance(name, clean.device)
        distance = self._networks[clean.device]
        reference = _recordable(clean)

        def gradient(x: torch.Tensor) -> torch.Tensor:
            with torch.inference_mode(False), torch.enable_grad():
                leaf = _recordable(x).requires_grad_(True)
                (found,) = torch.autograd.grad(distance(leaf, reference).sum(), leaf)
            return found.mul_(weight)

        return gradient


def _recordable(frames: torch.Tensor) -> torch.Tensor:
    """The same values where gradients can be recorded, also if the caller is in inference mode."""
    with torch.inference_mode(False):
        return frames.clone() if frames.is_inference() else frames.detach()
