"""SPAQ's baseline model (Fang, Zhu, Zeng, Ma, Wang, CVPR 2020): ResNet-50, averaged over overlapping squares."""

from pathlib import Path

import torch
from torch import Tensor, nn

from attacks.metrics.backbones import torchvision_network
from attacks.metrics.base import TargetMetric
from attacks.metrics.checkpoints import published_metric
from attacks.metrics.preprocessing import patches, require_size, resized
from attacks.metrics.table import MetricInfo

__all__ = ["build", "network"]

_SHORTER = 512
_SIDE, _STRIDE = 224, 112


class Spaq(nn.Module):
    """Frames (N, 3, H, W) RGB in [0, 1], from 224x224 on -> scores (N,), higher better, about 0 to 100.

    The shorter side becomes 512, squares of 224 are taken every 112 pixels and at the lower and right border, each
    goes through ResNet-50 as it is (no normalisation of channels), and their scores are averaged: 32 squares for
    16:9 frames.

    Differs: frames with a side below 512 are scored at their own size, where the published program stops; resizing
    does not round to 8 bits.
    """

    def __init__(self):
        super().__init__()
        self.backbone = torchvision_network("resnet50")
        self.backbone.fc = nn.Linear(self.backbone.fc.in_features, 1)

    def forward(self, frames: Tensor) -> Tensor:
        require_size(frames, _SIDE, _SIDE, "SPAQ's model")
        height, width = frames.shape[-2:]
        shorter = min(height, width)
        if shorter >= _SHORTER:
            frames = resized(frames, *(_SHORTER * length // shorter for length in (height, width)))
        rows, columns = (_starts(length) for length in frames.shape[-2:])
        squares = patches(frames, _SIDE, rows, columns)
        return self.backbone(squares.flatten(0, 1)).view(len(frames), -1).mean(dim=1)


def _starts(length: int) -> list[int]:
    last = length - _SIDE
    return [*range(0, last, _STRIDE), last]


def network() -> nn.Module:
    """The untrained network; the caller's random numbers are left as they are."""
    with torch.random.fork_rng():
        return Spaq()


def build(info: MetricInfo, device: torch.device, weights: Path | None) -> TargetMetric:
    """SPAQ's baseline from the authors' BL_release.pt, whose tensors have this network's names."""
    return published_metric(info, network(), device, weights)
