"""CNNIQA (Kang, Ye, Li, Doermann, CVPR 2014) in D. Li's training on LIVE: grey patches, locally normalised."""

from pathlib import Path

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from attacks.metrics.base import TargetMetric
from attacks.metrics.checkpoints import published_metric
from attacks.metrics.preprocessing import patches, require_size
from attacks.metrics.table import MetricInfo

__all__ = ["build", "network"]

_SIDE = 32
_KERNELS, _NODES = 50, 800
# ITU-R BT.601 luma as Pillow's mode L computes it, in 65536ths.
_LUMA = (19595 / 65536, 38470 / 65536, 7471 / 65536)
# Keeps the root's slope finite in flat areas; changes the deviation, to which 1 is added, by a millionth at most.
_FLAT = 1e-12


class CnnIqa(nn.Module):
    """Frames (N, 3, H, W) RGB in [0, 1], from 33x33 on -> scores (N,), LIVE's DMOS, lower better.

    Grey patches of 32x32 side by side, each minus its local mean and divided by its local deviation plus 1 (3x3
    windows inside the patch, which is mirrored at its border), one convolution, maximum and minimum of each of its
    maps, three layers; the mean over the patches. As in the published program the last row and column of patches is
    left out where it ends exactly at the border.

    Differs: rounding the grey value to 8 bits, which moves scores by about a hundredth, has slope 1 in the gradient;
    the variance is taken about the mean, which keeps it from falling below zero.
    """

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, _KERNELS, 7)
        self.fc1 = nn.Linear(2 * _KERNELS, _NODES)
        self.fc2 = nn.Linear(_NODES, _NODES)
        self.fc3 = nn.Linear(_NODES, 1)
        self.register_buffer("luma", torch.tensor(_LUMA).view(1, 3, 1, 1), persistent=False)

    def forward(self, frames: Tensor) -> Tensor:
        require_size(frames, _SIDE + 1, _SIDE + 1, "CNNIQA")
        grey = _whole_levels((frames * self.luma).sum(dim=1, keepdim=True))
        rows, columns = (list(range(0, length - _SIDE, _SIDE)) for length in frames.shape[-2:])
        maps = self.conv1(_locally_normalised(patches(grey, _SIDE, rows, columns).flatten(0, 1)))
        features = torch.cat((maps.amax(dim=(2, 3)), maps.amin(dim=(2, 3))), dim=1)
        scores = self.fc3(functional.relu(self.fc2(functional.relu(self.fc1(features)))))
        return scores.view(len(frames), -1).mean(dim=1)


def _whole_levels(grey: Tensor) -> Tensor:
    """Grey in [0, 1] rounded to 8 bits; its gradient is that of `grey`."""
    return grey + (torch.floor(grey.detach() * 255 + 0.5) / 255 - grey.detach())


def _locally_normalised(grey: Tensor) -> Tensor:
    """(P, 1, H, W) -> the same: each pixel minus the mean of its 3x3 window, by the window's deviation plus 1."""
    windows = functional.pad(grey, (1, 1, 1, 1), mode="replicate").unfold(2, 3, 1).unfold(3, 3, 1)
    mean = windows.mean(dim=(4, 5))
    variance = (windows - mean[..., None, None]).square().mean(dim=(4, 5))
    return (grey - mean) / ((variance + _FLAT).sqrt() + 1)


def network() -> nn.Module:
    """The untrained network; the caller's random numbers are left as they are."""
    with torch.random.fork_rng():
        return CnnIqa()


def build(info: MetricInfo, device: torch.device, weights: Path | None) -> TargetMetric:
    """CNNIQA from D. Li's file CNNIQA-LIVE."""
    return published_metric(info, network(), device, weights)
