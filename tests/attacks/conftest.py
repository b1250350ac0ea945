"""Synthetic metrics: small, seeded, without downloads."""

import pytest
import torch
import torch.nn.functional as functional

from attacks.metrics import wrap_module


class Linear(torch.nn.Module):
    """score = 50 + sum(W x) / 10: its gradient is known, W / 10."""

    def __init__(self, height, width, seed=1):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.randn(3, height, width, generator=torch.Generator().manual_seed(seed)))

    def forward(self, frames):
        return 50 + (frames * self.weight).sum(dim=(1, 2, 3)) / 10


class HighPass(torch.nn.Module):
    """Mean energy of the differences to the right and to the lower neighbour; scores (N, 1)."""

    def forward(self, frames):
        right = (frames[..., 1:] - frames[..., :-1]).square().mean(dim=(1, 2, 3))
        down = (frames[..., 1:, :] - frames[..., :-1, :]).square().mean(dim=(1, 2, 3))
        return (10 + 100 * (right + down)).unsqueeze(1)


class SmallNet(torch.nn.Module):
    """Two seeded convolutions with batch normalisation and dropout: wrong scores in training mode."""

    def __init__(self, seed=3):
        super().__init__()
        self.first, self.second = torch.nn.Conv2d(3, 8, 3, padding=1), torch.nn.Conv2d(8, 8, 3, stride=2, padding=1)
        self.norm, self.drop = torch.nn.BatchNorm2d(8), torch.nn.Dropout(0.5)
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.3)

    def forward(self, frames):
        maps = functional.softplus(self.norm(self.first(2 * frames - 1)))
        maps = functional.softplus(self.second(self.drop(maps)))
        return 10 + 80 * torch.sigmoid(maps.mean(dim=(1, 2, 3)) - 0.8)


@pytest.fixture
def make_module():
    """make_module("linear" | "highpass" | "net", height, width) -> nn.Module in evaluation mode."""

    def make(kind, height=24, width=32):
        module = {"linear": lambda: Linear(height, width), "highpass": HighPass, "net": SmallNet}[kind]()
        return module.eval()

    return make


@pytest.fixture
def make_metric(make_module):
    """The same as a target metric."""

    def make(kind, height=24, width=32, lower_better=False):
        return wrap_module(make_module(kind, height, width), name=kind, lower_better=lower_better)

    return make
