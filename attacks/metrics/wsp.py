"""WSP-IQA (Su and Korhonen, ICIP 2020): ResNet-101 whose maps are averaged with weights of their own."""

from pathlib import Path

import torch
from torch import Tensor, nn

from attacks.metrics.backbones import torchvision_network
from attacks.metrics.base import TargetMetric
from attacks.metrics.checkpoints import published_metric
from attacks.metrics.preprocessing import Normalised
from attacks.metrics.table import MetricInfo

__all__ = ["build", "network"]

_CHANNELS = 2048
_GRADES = 5
_FLOOR = 1e-4


class WeightedSpatialPooling(nn.Module):
    """Maps (N, C, h, w) -> (N, C): means weighted by a map per channel, from a rectified 1x1 convolution."""

    def __init__(self, channels: int):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 1)
        self.bn = nn.BatchNorm2d(channels)

    def forward(self, maps: Tensor) -> Tensor:
        weights = self.bn(self.conv(maps)).relu()
        return (maps * weights).sum(dim=(2, 3)) / (weights.sum(dim=(2, 3)) + _FLOOR)


class WspIqa(nn.Module):
    """Frames (N, 3, H, W) RGB in [0, 1], any size -> scores (N,), KonIQ-10k's mean opinion, 1 to 5, higher better.

    The network gives the shares of the five grades; the score is the mean grade. Frames are not resized.

    Differs: in nothing known. The robustness benchmark of AAAI 2024 left out the normalisation of channels that the
    authors train and test with: its range of scores, 1.88 to 3.87, is not that of this metric.
    """

    def __init__(self):
        super().__init__()
        self.normalise = Normalised()
        *layers, fourth, _, _ = torchvision_network("resnet101").children()
        self.resnet101_freeze = nn.Sequential(*layers)
        self.resnet101 = nn.Sequential(fourth)
        self.wsp = WeightedSpatialPooling(_CHANNELS)
        self.fc = nn.Linear(_CHANNELS, _GRADES)
        self.register_buffer("grades", torch.arange(1.0, _GRADES + 1), persistent=False)

    def forward(self, frames: Tensor) -> Tensor:
        maps = self.resnet101(self.resnet101_freeze(self.normalise(frames)))
        return self.fc(self.wsp(maps)) @ self.grades


def network() -> nn.Module:
    """The untrained network; the caller's random numbers are left as they are."""
    with torch.random.fork_rng():
        return WspIqa()


def build(info: MetricInfo, device: torch.device, weights: Path | None) -> TargetMetric:
    """WSP-IQA from the authors' checkpoint.pth.tar, whose tensors have this network's names."""
    return published_metric(info, network(), device, weights)
