"""Synthetic metrics: small, seeded, without downloads."""

import numpy as np
import pytest
import torch
import torch.nn.functional as functional
from PIL import Image

from attacks import create_attack, list_attacks, train_attack
from attacks.metrics import wrap_module

# What makes an attack small enough to be tried many times on tiny frames.
SMALL = {"iterations": 3, "queries": 60}
SMALL_FOR = {"amifgsm": {"variant": "reference"}}  # NIQE needs frames of 96x96


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


@pytest.fixture(scope="session")
def picture_folder(tmp_path_factory):
    """Five small PNG pictures with some structure, 40x36 and one of them 20x50."""
    folder = tmp_path_factory.mktemp("pictures")
    for index in range(5):
        rng = np.random.default_rng(index)
        size = (20, 50) if index == 3 else (36, 40)
        rows, columns = np.mgrid[: size[0], : size[1]] / 9
        wave = 100 + 60 * np.sin(rows * (index + 1) + columns)[..., None] * [1, 0.7, 0.4]
        Image.fromarray((wave + rng.integers(0, 30, (*size, 3))).astype(np.uint8)).save(folder / f"{index}.png")
    return folder


@pytest.fixture(scope="session")
def trained_files(tmp_path_factory, picture_folder):
    """A file of each trained attack: {name: path}, made in a few steps against the metric "net"."""
    folder = tmp_path_factory.mktemp("trained")
    metric = wrap_module(SmallNet().eval(), name="net")
    small = {
        "uap_optimized": {"crop": 16, "learning_rate": 0.02},
        "uap_cumulative": {"crop": 16, "eta": 1e6},
        "uap_generative": {"crop": 16, "generator": "resnet", "width": 2},
        "facpa": {"width": 1, "eps": 0.05},
    }
    for name, settings in small.items():
        train_attack(name, metric, picture_folder, folder / f"{name}.safetensors", epochs=2, batch=2, **settings)
    return {name: folder / f"{name}.safetensors" for name in small}


@pytest.fixture
def make_attack(request):
    """make_attack(name, **options): `create_attack` with few iterations or queries, and with a trained file."""
    rows = {info.name: info for info in list_attacks()}

    def make(name, **options):
        info = rows[name]
        small = {
            option.name: min(option.default, SMALL[option.name]) for option in info.options if option.name in SMALL
        }
        if info.access == "trained":
            small |= {"file": request.getfixturevalue("trained_files")[name], "transfer": True}
        return create_attack(name, **(small | SMALL_FOR.get(name, {}) | options))

    return make
