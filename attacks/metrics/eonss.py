"""EONSS (Wang, Athar, Wang, ICIAR 2019): a small network with divisive normalisation, averaged over patches."""

from pathlib import Path

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from attacks.metrics.base import TargetMetric
from attacks.metrics.checkpoints import published_metric
from attacks.metrics.preprocessing import patches, require_size
from attacks.metrics.table import MetricInfo

__all__ = ["build", "network"]

_SIDE, _STRIDE = 235, 128
_CHANNELS = (3, 8, 16, 32, 64)
_HIDDEN = 256


class Gdn(nn.Module):
    """Generalised divisive normalisation: x_i / sqrt(beta_i + sum_j gamma_ji x_j^2), (N, C, H, W) in and out."""

    def __init__(self, channels: int):
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(channels, channels))
        self.beta = nn.Parameter(torch.full((channels,), 1e-2))

    def forward(self, maps: Tensor) -> Tensor:
        energy = functional.conv2d(maps * maps, self.gamma.t()[..., None, None], self.beta)
        return maps / energy.sqrt()


class Eonss(nn.Module):
    """Frames (N, 3, H, W) RGB in [0, 1], from 236x236 on -> scores (N,), higher better, pristine pictures near 25.

    Patches of 235x235 every 128 pixels, four convolutions with divisive normalisation and maximum pooling, one score
    per patch, their mean. As in the published program the last row and column of patches is left out where it ends
    exactly at the border.
    """

    def __init__(self):
        super().__init__()
        for stage in range(1, 5):
            convolution = (
                nn.Conv2d(_CHANNELS[stage - 1], _CHANNELS[stage], 5, stride=2, padding=2)
                if stage < 4
                else nn.Conv2d(_CHANNELS[3], _CHANNELS[4], 3)
            )
            setattr(self, f"conv{stage}", convolution)
            setattr(self, f"gdn{stage}", Gdn(_CHANNELS[stage]))
        self.st2_fc1 = nn.Conv2d(_CHANNELS[4], _HIDDEN, 1)
        self.st2_gdn1 = Gdn(_HIDDEN)
        self.st2_fc2 = nn.Conv2d(_HIDDEN, 1, 1)

    def forward(self, frames: Tensor) -> Tensor:
        require_size(frames, _SIDE + 1, _SIDE + 1, "EONSS")
        rows, columns = (list(range(0, length - _SIDE, _STRIDE)) for length in frames.shape[-2:])
        squares = patches(frames, _SIDE, rows, columns)
        return self._of_patches(squares.flatten(0, 1)).view(len(frames), -1).mean(dim=1)

    def _of_patches(self, maps: Tensor) -> Tensor:
        for stage in range(1, 5):
            maps = getattr(self, f"gdn{stage}")(getattr(self, f"conv{stage}")(maps))
            maps = functional.max_pool2d(maps, 2)
        return self.st2_fc2(self.st2_gdn1(self.st2_fc1(maps)))


def network() -> nn.Module:
    """The untrained network; the caller's random numbers are left as they are."""
    with torch.random.fork_rng():
        return Eonss()


def build(info: MetricInfo, device: torch.device, weights: Path | None) -> TargetMetric:
    """EONSS from the authors' EONSS_model.pt, or from a safetensors file of the same tensors."""
    return published_metric(info, network(), device, weights)
