"""The networks that make perturbations: pictures (N, 3, H, W) in [0, 1] in, values in (-1, 1) of the same shape out.

Both normalise per picture and channel (InstanceNorm, eps 1e-5, no trained factors, no running statistics), so no
picture of a batch influences another.
"""

import math
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import nn

__all__ = ["ResNetGenerator", "UNetGenerator", "new_generator"]

_SLOPE = 0.2
_DROPOUT = 0.5


class UNetGenerator(nn.Module):
    """Eight halvings, to 1/256 of the size, and back, with skips; H and W must be multiples of 256.

    `width` is the number of channels of the first layer: 64 in the paper, which makes 54,409,603 parameters. Dropout
    acts in training mode only and draws from `random`, or from PyTorch's own generator where that is None.
    Source: Shumitskaya et al., Fast Adversarial CNN-based Perturbation Attack, ICLR 2023 Tiny Papers.
    """

    multiple = 256

    def __init__(self, width: int = 64):
        super().__init__()
        down = [3, *(width * factor for factor in (1, 2, 4, 8, 8, 8, 8, 8))]
        up = [*(width * factor for factor in (8, 8, 8, 8, 4, 2, 1)), 3]
        # Every layer on the way up but the first sees a skip of equal size beside what comes from below.
        joined = [down[-1], *(2 * channels for channels in up[:-1])]
        self.down = nn.ModuleList(nn.Conv2d(*ends, 4, stride=2, padding=1) for ends in pairwise(down))
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(*ends, 4, stride=2, padding=1) for ends in zip(joined, up, strict=True)
        )
        self.random: torch.Generator | None = None

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        first, *inner, deepest = self.down
        skips = [first(pictures)]
        for layer in inner:
            skips.append(F.instance_norm(layer(F.leaky_relu(skips[-1], _SLOPE))))
        maps = deepest(F.leaky_relu(skips[-1], _SLOPE))
        *inner, outermost = self.up
        for depth, layer in enumerate(inner):
            maps = F.instance_norm(layer(F.relu(maps)))
            if depth < 3 and self.training:
                maps = self._drop(maps)
            maps = torch.cat([maps, skips.pop()], dim=1)
        return torch.tanh(outermost(F.relu(maps)))

    def _drop(self, maps: torch.Tensor) -> torch.Tensor:
        return maps * torch.empty_like(maps).bernoulli_(1 - _DROPOUT, generator=self.random) / (1 - _DROPOUT)


class ResNetGenerator(nn.Module):
    """Two halvings, six residual blocks and back; H and W must be multiples of 4.

    `width` is the number of channels of the first layer: 64 in the paper, which makes 7,837,699 parameters.
    Source: Shumitskaya et al., Towards Adversarial Robustness Verification, CVIU 240, 2024.
    """

    multiple = 4
    random = None  # it draws nothing

    def __init__(self, width: int = 64):
        super().__init__()
        self.first = nn.Conv2d(3, width, 7)
        self.down = nn.ModuleList(
            nn.Conv2d(factor * width, 2 * factor * width, 3, stride=2, padding=1) for factor in (1, 2)
        )
        self.blocks = nn.ModuleList(
            nn.ModuleList(nn.Conv2d(4 * width, 4 * width, 3) for _ in range(2)) for _ in range(6)
        )
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(2 * factor * width, factor * width, 3, stride=2, padding=1, output_padding=1)
            for factor in (2, 1)
        )
        self.last = nn.Conv2d(width, 3, 7)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        maps = F.relu(F.instance_norm(self.first(_reflect(pictures, 3))))
        for layer in self.down:
            maps = F.relu(F.instance_norm(layer(maps)))
        for one, two in self.blocks:
            inside = F.relu(F.instance_norm(one(_reflect(maps, 1))))
            maps = maps + F.instance_norm(two(_reflect(inside, 1)))
        for layer in self.up:
            maps = F.relu(F.instance_norm(layer(maps)))
        return torch.tanh(self.last(_reflect(maps, 3)))


def _reflect(maps: torch.Tensor, by: int) -> torch.Tensor:
    return F.pad(maps, (by, by, by, by), mode="reflect")


_GENERATORS = {"unet": UNetGenerator, "resnet": ResNetGenerator}


def new_generator(kind: str, width: int, seed: int) -> nn.Module:
    """A "unet" or "resnet" with parameters drawn from `seed` as PyTorch's convolutions draw theirs by default:
    U(-b, b) with b = 1 / sqrt(fan in). On the CPU, so that every device starts from the same numbers.
    """
    # Built without memory first: a convolution's own start would take numbers from PyTorch's generator.
    with torch.device("meta"):
        network = _GENERATORS[kind](width)
    network.to_empty(device="cpu")
    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
                bound = 1 / math.sqrt(module.weight[0].numel())
                module.weight.uniform_(-bound, bound, generator=random)
                module.bias.uniform_(-bound, bound, generator=random)
    return network
