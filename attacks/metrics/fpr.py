"""FPR (Chen et al., TIP 2022): features trained to tell those of the picture and of its missing reference."""

import re
from pathlib import Path

import torch
from torch import Tensor, nn

from attacks.metrics.base import TargetMetric
from attacks.metrics.checkpoints import published_metric
from attacks.metrics.preprocessing import patches, require_size
from attacks.metrics.recurrence import states_of
from attacks.metrics.table import MetricInfo

__all__ = ["build", "network"]

_SIDE = 64
_FEATURES = 256
_HIDDEN = 32
_FLOOR = 1e-8
# What only training uses: the branch that sees the true reference, and the invertible network that ties both branches.
_TRAINING = ("fl1.", "fl2.", "fl3.", "cl1.", "cl2.", "rl1.", "rl2.", "wl1.", "wl2.", "gn.", "InvRescaleNet.")


class Fpr(nn.Module):
    """Frames (N, 3, H, W) RGB in [0, 1], from 64x64 on -> scores (N,), the degradation in per cent: 0 for pristine
    pictures, 80 for the worst of KADID-10k, lower better.

    The no-reference branch of the published network, which is what its test program scores with: 512 feature maps of
    each square of 64 pixels (training made them tell the features of the picture and of its reference), one score
    per square, and a weight for it from a GRU over the squares.

    Differs: the published program takes at most 1024 squares and shuffles them, which changes what the GRU gives;
    here all are taken, in the order before the shuffling, column by column from the upper left corner. What is left
    at the lower and right border, less than 64 pixels, counts in neither.
    The robustness benchmark of AAAI 2024 gave the same file squares whose channels were mixed with their neighbours',
    and took higher for better: its range of scores, 47.2 to 77.0, is not that of this metric.
    """

    def __init__(self):
        super().__init__()
        self.sfl1 = _convolutions(3, 128, 128)
        self.sfl21 = _convolutions(128, 256, 256, pooled=False)
        self.sfl22 = _convolutions(256, 256, 256)
        self.sfl23 = _convolutions(256, 256, 256, pooled=False)
        self.sfl3 = _convolutions(256, 512, 512)
        self.scl1 = _convolutions(512, 128)
        self.scl2 = nn.Conv2d(128, 64, 3)
        self.srl1 = nn.Linear(_FEATURES, _HIDDEN)
        self.srl2 = nn.Linear(_HIDDEN, 1)
        self.swl1 = nn.GRU(_FEATURES, _HIDDEN, batch_first=True)
        self.swl2 = nn.Linear(_HIDDEN, 1)

    def forward(self, frames: Tensor) -> Tensor:
        require_size(frames, _SIDE, _SIDE, "FPR")
        rows, columns = (list(range(0, length - _SIDE + 1, _SIDE)) for length in frames.shape[-2:])
        maps = torch.cat([patches(frames, _SIDE, rows, [column]) for column in columns], dim=1).flatten(0, 1)
        for part in (self.sfl1, self.sfl21, self.sfl22, self.sfl23, self.sfl3, self.scl1, self.scl2):
            maps = part(maps)
        features = maps.reshape(len(frames), -1, _FEATURES)
        scores = self.srl2(self.srl1(features)).squeeze(-1)
        weights = self.swl2(states_of(self.swl1, features)).squeeze(-1).relu() + _FLOOR
        return (scores * weights).sum(dim=1) / weights.sum(dim=1)


def _convolutions(channels: int, *filters: int, pooled: bool = True) -> nn.Sequential:
    layers = []
    for count in filters:
        layers += [nn.Conv2d(channels, count, 3, padding=1), nn.LeakyReLU(0.2, inplace=True)]
        channels = count
    return nn.Sequential(*layers, *([nn.MaxPool2d(2)] if pooled else []))


def network() -> nn.Module:
    """The untrained network; the caller's random numbers are left as they are."""
    with torch.random.fork_rng():
        return Fpr()


def build(info: MetricInfo, device: torch.device, weights: Path | None) -> TargetMetric:
    """FPR from a checkpoint of the authors' for natural pictures; what only training uses is left in the file."""
    return published_metric(info, network(), device, weights, rename=_layer)


def _layer(name: str) -> str | None:
    if name.startswith(_TRAINING):
        return None
    name = re.sub(r"\.conv([12])\.conv\.0\.", lambda found: f".{2 * (int(found[1]) - 1)}.", name)
    return name.replace("scl1.conv.conv.0.", "scl1.0.")
