"""Metrics for the benchmarks: one of the size of PaQ-2-PiQ, and one that costs next to nothing."""

import torch
import torch.nn.functional as functional
from torch import nn

__all__ = ["stand_in", "weighted_mean"]


class Block(nn.Module):
    """Two 3x3 convolutions beside a shortcut."""

    def __init__(self, channels_in: int, channels: int, stride: int):
        super().__init__()
        self.first = nn.Conv2d(channels_in, channels, 3, stride, 1, bias=False)
        self.second = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.norms = nn.ModuleList([nn.BatchNorm2d(channels), nn.BatchNorm2d(channels)])
        self.shortcut = (
            nn.Identity()
            if stride == 1 and channels_in == channels
            else nn.Sequential(nn.Conv2d(channels_in, channels, 1, stride, bias=False), nn.BatchNorm2d(channels))
        )

    def forward(self, x):
        y = functional.relu(self.norms[0](self.first(x)), inplace=True)
        return functional.relu(self.norms[1](self.second(y)).add_(self.shortcut(x)), inplace=True)


class StandIn(nn.Module):
    """ResNet-18 body (He et al. 2016, table 1), global mean, one linear layer: (N, 3, H, W) -> (N, 1)."""

    def __init__(self):
        super().__init__()
        stages = [(64, 64, 1), (64, 128, 2), (128, 256, 2), (256, 512, 2)]
        blocks = [block for a, b, stride in stages for block in (Block(a, b, stride), Block(b, b, 1))]
        self.stem = nn.Sequential(nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64))
        self.blocks = nn.Sequential(*blocks)
        self.head = nn.Linear(512, 1)

    def forward(self, frames):
        x = functional.max_pool2d(functional.relu(self.stem(frames), inplace=True), 3, 2, 1)
        return self.head(self.blocks(x).mean(dim=(2, 3)))


def stand_in(device: str = "cpu") -> nn.Module:
    """A ResNet-18 body with seeded random weights, (N, 3, H, W) -> (N, 1), in evaluation mode and frozen."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return StandIn().eval().requires_grad_(False).to(device)


class WeightedMean(nn.Module):
    """(N, 3, H, W) -> (N,): the mean of the values, each with its own seeded random weight."""

    def __init__(self, height: int, width: int):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(3, height, width, generator=torch.Generator().manual_seed(0)))

    def forward(self, frames):
        return torch.einsum("nchw,chw->n", frames, self.weight) / self.weight.numel()


def weighted_mean(height: int, width: int, device: str = "cpu") -> nn.Module:
    """A network of no cost worth the name for frames of one size, frozen."""
    return WeightedMean(height, width).requires_grad_(False).to(device)
