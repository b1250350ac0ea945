"""KonCept512 (Hosu, Lin, Sziranyi, Saupe, TIP 2020): Inception-ResNet-v2 at 512x384 and four layers."""

from pathlib import Path

import torch
from torch import Tensor, nn

from attacks.metrics.backbones import timm_network
from attacks.metrics.base import TargetMetric
from attacks.metrics.checkpoints import published_metric
from attacks.metrics.preprocessing import Normalised, resized
from attacks.metrics.table import MetricInfo

__all__ = ["build", "network"]

_HEIGHT, _WIDTH = 384, 512
_POOLED = 8
_FEATURES = 1536
_HIDDEN = ((2048, 0.25), (1024, 0.25), (256, 0.5))


class KonCept512(nn.Module):
    """Frames (N, 3, H, W) RGB in [0, 1], any size -> scores (N,), KonIQ-10k's mean opinion, 0 to 100, higher better.

    As in the published PyTorch network the features are averaged over their upper left 8x8 positions only, of the
    10x14 that 512x384 pixels give.

    Differs: frames of any shape are resized to 512x384 here (bilinear, antialiased, no rounding to 8 bits); the
    authors scored KonIQ-10k's own pictures of that size.
    """

    def __init__(self):
        super().__init__()
        self.normalise = Normalised((0.5,) * 3, (0.5,) * 3)
        # The published tensors are numbered in the order of the stages, without pooling and classifier at the end.
        *stages, _, _, _ = timm_network("inception_resnet_v2").children()
        self.base = nn.Sequential(*stages, nn.AvgPool2d(_POOLED))
        layers, inputs = [], _FEATURES
        for outputs, dropped in _HIDDEN:
            layers += [nn.Linear(inputs, outputs), nn.ReLU(), nn.BatchNorm1d(outputs), nn.Dropout(dropped)]
            inputs = outputs
        self.fc = nn.Sequential(*layers, nn.Linear(inputs, 1))

    def forward(self, frames: Tensor) -> Tensor:
        return self.fc(self.base(self.normalise(resized(frames, _HEIGHT, _WIDTH))).flatten(1))


def network() -> nn.Module:
    """The untrained network; the caller's random numbers are left as they are."""
    with torch.random.fork_rng():
        return KonCept512()


def build(info: MetricInfo, device: torch.device, weights: Path | None) -> TargetMetric:
    """KonCept512 from the published KonCept512.pth, whose tensors have this network's names."""
    return published_metric(info, network(), device, weights)
