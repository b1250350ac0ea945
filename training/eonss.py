"""EONSS, a published blind metric, as the yardstick that the demonstration metric is put beside."""

from pathlib import Path

import torch
import torch.nn.functional as functional
from safetensors.torch import load_file
from torch import Tensor, nn

__all__ = ["Eonss", "load_eonss"]

_PATCH = 235
_STRIDE = 128
# Output channels, kernel, stride, padding of the four stages, each followed by GDN and 2x2 max pooling.
_STAGES = ((8, 5, 2, 2), (16, 5, 2, 2), (32, 5, 2, 2), (64, 3, 1, 0))


class DivisiveNormalisation(nn.Module):
    """Generalised divisive normalisation, y_j = x_j / sqrt(beta_j + sum_i gamma_ij x_i^2) (Balle 2016, eq. 3)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(channels, channels))
        self.beta = nn.Parameter(torch.ones(channels))

    def forward(self, maps: Tensor) -> Tensor:
        return maps * torch.rsqrt(functional.conv2d(maps * maps, self.gamma.T[..., None, None], self.beta))


class Eonss(nn.Module):
    """Frames (N, 3, H, W) RGB in [0, 1], sides of 236 or more -> (N,), higher better, about 0 to 25.

    The mean over overlapping patches of 235x235, as in Wang, Athar and Wang, "Blind quality assessment of multiply
    distorted images using deep neural networks", ICIAR 2019.
    """

    def __init__(self) -> None:
        super().__init__()
        before = 3
        for i, (channels, kernel, stride, padding) in enumerate(_STAGES, start=1):
            self.add_module(f"conv{i}", nn.Conv2d(before, channels, kernel, stride, padding))
            self.add_module(f"gdn{i}", DivisiveNormalisation(channels))
            before = channels
        self.st2_fc1 = nn.Conv2d(64, 256, 1)
        self.st2_gdn1 = DivisiveNormalisation(256)
        self.st2_fc2 = nn.Conv2d(256, 1, 1)

    def forward(self, frames: Tensor) -> Tensor:
        # A patch that would end exactly at the border is not among the published ones.
        windows = frames[..., :-1, :-1].unfold(2, _PATCH, _STRIDE).unfold(3, _PATCH, _STRIDE)
        maps = windows.permute(0, 2, 3, 1, 4, 5).reshape(-1, 3, _PATCH, _PATCH)
        for i in range(1, len(_STAGES) + 1):
            maps = functional.max_pool2d(getattr(self, f"gdn{i}")(getattr(self, f"conv{i}")(maps)), 2)
        maps = self.st2_fc2(self.st2_gdn1(self.st2_fc1(maps)))
        return maps.reshape(len(frames), -1).mean(dim=1)


def load_eonss(path: Path) -> Eonss:
    """The network with the published parameters in `path` (safetensors), frozen."""
    network = Eonss()
    network.load_state_dict(load_file(path))
    return network.eval().requires_grad_(False)
