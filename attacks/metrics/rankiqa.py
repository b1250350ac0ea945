"""RankIQA+FT (Liu, van de Weijer, Bagdanov, ICCV 2017): VGG-16 that learnt to rank pictures, then their opinions."""

import math
from collections import OrderedDict
from pathlib import Path

import torch
from torch import Tensor, nn

from attacks.errors import MetricUnavailable
from attacks.metrics.base import TargetMetric
from attacks.metrics.checkpoints import find_weights, published_metric
from attacks.metrics.preprocessing import patches, require_size
from attacks.metrics.table import MetricInfo

__all__ = ["build", "network"]

_SIDE = 224
_LEVELS = 255.0
# Filters and convolutions of each block of VGG-16.
_BLOCKS = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
_HIDDEN = 4096


class RankIqa(nn.Sequential):
    """Frames (N, 3, H, W) RGB in [0, 1], from 224x224 on -> scores (N,), the difference mean opinion score of the
    LIVE data set: 0 for pristine pictures, lower better.

    The network sees squares of 224 pixels as OpenCV reads them: blue, green, red, 0 to 255, without subtraction of
    means, in training as in testing. Their scores are averaged.

    Differs: the published program averages 30 squares at random places; here the fewest squares that cover the frame
    are spread evenly over it (15 for 960x540), so that scores repeat and every pixel counts. Layers are named as in
    the Caffe model, fc6 where some of its files say fc6_m.
    The robustness benchmark of AAAI 2024 gave the same file whole frames in [0, 1], RGB, resized to 224x224, and took
    higher for better: its range of scores, 10.86 to 34.86, is not that of this metric.
    """

    def __init__(self):
        layers, channels = OrderedDict(), 3
        for block, (filters, convolutions) in enumerate(_BLOCKS, start=1):
            for number in range(1, convolutions + 1):
                layers[f"conv{block}_{number}"] = nn.Conv2d(channels, filters, 3, padding=1)
                layers[f"relu{block}_{number}"] = nn.ReLU(inplace=True)
                channels = filters
            layers[f"pool{block}"] = nn.MaxPool2d(2)
        layers["flatten"] = nn.Flatten()
        layers["fc6"] = nn.Linear(channels * (_SIDE // 2 ** len(_BLOCKS)) ** 2, _HIDDEN)
        layers["relu6"] = nn.ReLU(inplace=True)
        layers["fc7"] = nn.Linear(_HIDDEN, _HIDDEN)
        layers["relu7"] = nn.ReLU(inplace=True)
        layers["fc8"] = nn.Linear(_HIDDEN, 1)
        super().__init__(layers)

    def forward(self, frames: Tensor) -> Tensor:
        require_size(frames, _SIDE, _SIDE, "RankIQA")
        rows, columns = (_starts(length) for length in frames.shape[-2:])
        squares = patches(_LEVELS * frames.flip(1), _SIDE, rows, columns)
        return super().forward(squares.flatten(0, 1)).view(len(frames), -1).mean(dim=1)


def _starts(length: int) -> list[int]:
    """Where the fewest squares that cover `length` pixels begin, evenly spread."""
    count = math.ceil(length / _SIDE)
    return [round(index * (length - _SIDE) / max(count - 1, 1)) for index in range(count)]


def network() -> nn.Module:
    """The untrained network; the caller's random numbers are left as they are."""
    with torch.random.fork_rng():
        return RankIqa()


def build(info: MetricInfo, device: torch.device, weights: Path | None) -> TargetMetric:
    """RankIQA from FT_live.caffemodel.pt, or from Rank_live.caffemodel.pt, before its training on opinions, where
    lower is better as well, on a scale of its own.

    Raises MetricUnavailable for the files trained for TID2013, by their names: theirs is a scale where higher is
    better, and nothing in a file tells.
    """
    path = find_weights(info, info.weights, weights)
    if "tid2013" in path.name.lower():
        raise MetricUnavailable(
            f"{path} was trained for TID2013, where higher is better; metric {info.name!r} is the one of LIVE, where "
            f"lower is better: give {info.weights.name}."
        )
    return published_metric(info, network(), device, path, rename=_layer)


def _layer(name: str) -> str:
    return name.replace("_m.", ".")
