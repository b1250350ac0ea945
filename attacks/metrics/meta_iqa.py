"""Meta-IQA (Zhu, Li, Wu, Dong, Shi, CVPR 2020): ResNet-18 that learnt from many distortions to learn new ones."""

from collections import OrderedDict
from pathlib import Path

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from attacks.metrics.backbones import torchvision_network
from attacks.metrics.base import TargetMetric
from attacks.metrics.checkpoints import published_metric
from attacks.metrics.preprocessing import Normalised
from attacks.metrics.table import MetricInfo

__all__ = ["build", "network"]

_SIDE = 224
_CLASSES, _HIDDEN = 1000, (1024, 512)


class MetaIqa(nn.Module):
    """Frames (N, 3, H, W) RGB in [0, 1], any size -> scores (N,) in [0, 1], higher better.

    The thousand outputs of a whole ResNet-18, which sees the frame resized to 224x224, go through three layers.

    Differs: resizing interpolates between the four nearest pixels, as scikit-image did when the authors trained
    (Python 3.6.0, PyTorch 0.4.1); since its version 0.15 it smooths first, and the authors' program then gives
    other scores. Frames smaller than 224x224 also differ in their outermost pixels.
    """

    def __init__(self):
        super().__init__()
        self.normalise = Normalised()
        self.resnet_layer = torchvision_network("resnet18")
        layers, inputs = OrderedDict(), _CLASSES
        for number, outputs in enumerate(_HIDDEN, start=1):
            layers[f"fc{number}"] = nn.Linear(inputs, outputs)
            layers[f"bn{number}"] = nn.BatchNorm1d(outputs)
            layers[f"relu{number}"] = nn.PReLU()
            inputs = outputs
        layers["fc3"] = nn.Linear(inputs, 1)
        self.net = nn.Sequential(layers)

    def forward(self, frames: Tensor) -> Tensor:
        frames = functional.interpolate(frames, (_SIDE, _SIDE), mode="bilinear", align_corners=False)
        return self.net(self.resnet_layer(self.normalise(frames))).sigmoid()


def network() -> nn.Module:
    """The untrained network; the caller's random numbers are left as they are."""
    with torch.random.fork_rng():
        return MetaIqa()


def build(info: MetricInfo, device: torch.device, weights: Path | None) -> TargetMetric:
    """Meta-IQA from the authors' file, a whole pickled network whose tensors have this network's names."""
    return published_metric(info, network(), device, weights)
