"""NIMA (Talebi, Milanfar, TIP 2018) in K. Truskovskyi's training on AVA: MobileNetV2 and ten ratings."""

from pathlib import Path

import torch
from torch import Tensor, nn

from attacks.metrics.base import TargetMetric
from attacks.metrics.checkpoints import published_metric
from attacks.metrics.preprocessing import Normalised, resized
from attacks.metrics.table import MetricInfo

__all__ = ["build", "network"]

_SIDE = 224
# Expansion, channels, repetitions and first stride of the stages (Sandler et al., CVPR 2018, table 2).
_STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
_FEATURES, _RATINGS = 1280, 10


class InvertedResidual(nn.Module):
    """MobileNetV2's block; unlike torchvision's it has its first convolution also where it does not expand."""

    def __init__(self, inputs: int, outputs: int, stride: int, expansion: int):
        super().__init__()
        self.added = stride == 1 and inputs == outputs
        inner = inputs * expansion
        self.conv = nn.Sequential(
            *_convolution(inputs, inner, 1, 1, nn.ReLU6()),
            *_convolution(inner, inner, 3, stride, nn.ReLU6(), groups=inner),
            *_convolution(inner, outputs, 1, 1),
        )

    def forward(self, maps: Tensor) -> Tensor:
        return maps + self.conv(maps) if self.added else self.conv(maps)


class NimaMobileNet(nn.Module):
    """Frames (N, 3, H, W) RGB in [0, 1], any size -> scores (N,), mean rating from 1 to 10, higher better.

    Differs: resizing to 224x224, whatever the frames' shape, does not round to 8 bits.
    """

    def __init__(self):
        super().__init__()
        self.normalise = Normalised()
        blocks, inputs = [nn.Sequential(*_convolution(3, 32, 3, 2, nn.ReLU()))], 32
        for expansion, outputs, repetitions, first in _STAGES:
            for number in range(repetitions):
                blocks.append(InvertedResidual(inputs, outputs, 1 if number else first, expansion))
                inputs = outputs
        blocks.append(nn.Sequential(*_convolution(inputs, _FEATURES, 1, 1, nn.ReLU())))
        self.base_model = nn.Sequential(nn.Sequential(*blocks, nn.AvgPool2d(_SIDE // 32)))
        self.head = nn.Sequential(nn.ReLU(), nn.Dropout(0.75), nn.Linear(_FEATURES, _RATINGS), nn.Softmax(dim=1))
        self.register_buffer("ratings", torch.arange(1.0, _RATINGS + 1), persistent=False)

    def forward(self, frames: Tensor) -> Tensor:
        features = self.base_model(self.normalise(resized(frames, _SIDE, _SIDE))).flatten(1)
        return self.head(features) @ self.ratings


def _convolution(inputs, outputs, side, stride, *activation: nn.Module, groups: int = 1) -> tuple[nn.Module, ...]:
    convolution = nn.Conv2d(inputs, outputs, side, stride, side // 2, groups=groups, bias=False)
    return (convolution, nn.BatchNorm2d(outputs), *activation)


def network() -> nn.Module:
    """The untrained network; the caller's random numbers are left as they are."""
    with torch.random.fork_rng():
        return NimaMobileNet()


def build(info: MetricInfo, device: torch.device, weights: Path | None) -> TargetMetric:
    """NIMA from the published pretrain-model.pth, whose tensors have this network's names."""
    return published_metric(info, network(), device, weights)
