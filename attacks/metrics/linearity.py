"""LinearityIQA (Li, Jiang, Jiang, ACM Multimedia 2020): ResNeXt-101, features of its last two stages."""

import itertools
from pathlib import Path

import torch
from torch import Tensor, nn

from attacks.metrics.backbones import torchvision_network
from attacks.metrics.base import TargetMetric
from attacks.metrics.checkpoints import published_metric
from attacks.metrics.preprocessing import Normalised, resized
from attacks.metrics.table import MetricInfo

__all__ = ["build", "network"]

_HEIGHT, _WIDTH = 498, 664
_STAGES = {6: 1024, 7: 2048}


class LinearityIqa(nn.Module):
    """Frames (N, 3, H, W) RGB in [0, 1], any size -> scores (N,), KonIQ-10k's mean opinion, higher better.

    The means over the maps of the third and of the fourth stage go through three layers each, and their 64 + 64
    numbers through one more. `k` and `b` are the straight line from its outputs to opinions that the
    authors fitted on the training pictures (equation 17) and keep in the checkpoint; the first of three belongs to this
    output, the others to outputs of the single stages, which are not computed here.

    Differs: resizing to 664x498, whatever the frames' shape, does not round to 8 bits.
    """

    def __init__(self):
        super().__init__()
        self.normalise = Normalised()
        *stages, _, _ = torchvision_network("resnext101_32x8d").children()
        self.features = nn.Sequential(*stages)
        self.dr6, self.dr7 = (_reduction(channels) for channels in _STAGES.values())
        self.regression = nn.Linear(2 * 64, 1)
        self.register_buffer("k", torch.ones(3))
        self.register_buffer("b", torch.zeros(3))

    def forward(self, frames: Tensor) -> Tensor:
        maps = self.normalise(resized(frames, _HEIGHT, _WIDTH))
        reduced = []
        for number, stage in enumerate(self.features):
            maps = stage(maps)
            if number in _STAGES:
                reduced.append(getattr(self, f"dr{number}")(maps.mean(dim=(2, 3))))
        return self.regression(torch.cat(reduced, dim=1)) * self.k[0] + self.b[0]


def _reduction(channels: int) -> nn.Sequential:
    sides = (channels, 1024, 256, 64)
    layers = [
        layer
        for inputs, outputs in itertools.pairwise(sides)
        for layer in (nn.Linear(inputs, outputs), nn.BatchNorm1d(outputs))
    ]
    return nn.Sequential(*layers, nn.ReLU())


def network() -> nn.Module:
    """The untrained network; the caller's random numbers are left as they are."""
    with torch.random.fork_rng():
        return LinearityIqa()


def build(info: MetricInfo, device: torch.device, weights: Path | None) -> TargetMetric:
    """LinearityIQA from the authors' p1q2.pth; the heads of the single stages in it, regr6 and regr7, are left."""
    return published_metric(info, network(), device, weights, rename=_used, constants=("k", "b"))


def _used(name: str) -> str | None:
    return None if name.startswith(("regr6.", "regr7.")) else name
