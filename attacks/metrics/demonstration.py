"""The embedded demonstration metric: a small CNN whose weights are part of the project."""

from pathlib import Path

import torch

from attacks.errors import InvalidFrames, MetricUnavailable
from attacks.metrics.base import TargetMetric
from attacks.metrics.checkpoints import load_state, read_state
from attacks.metrics.demonstration_network import MINIMUM_SIDE, DemonstrationNet
from attacks.metrics.registry import sha256_of
from attacks.metrics.table import MetricInfo
from attacks.metrics.wrapped import ModuleMetric

__all__ = ["build"]


class DemonstrationMetric(ModuleMetric):
    """The demonstration network; refuses frames that are too small for its front end."""

    def score(self, frames: torch.Tensor) -> torch.Tensor:
        height, width = frames.shape[-2:]
        if min(height, width) < MINIMUM_SIDE:
            raise InvalidFrames(
                f"metric {self.name!r} needs frames of at least {MINIMUM_SIDE}x{MINIMUM_SIDE}, got {width}x{height}."
            )
        return super().score(frames)


def build(info: MetricInfo, device: torch.device, weights: Path | None) -> TargetMetric:
    """The demonstration metric from its packaged weights, or from another safetensors file of the same network."""
    path = weights or info.weights.path
    if not path.is_file():
        raise MetricUnavailable(f"the weights of metric {info.name!r} are missing: {path}; restore that file.")
    network = DemonstrationNet()
    load_state(network, read_state(path), path, what="the demonstration network")
    network.eval().requires_grad_(False).to(device)
    sha256 = sha256_of(path)
    return DemonstrationMetric(
        network,
        info.name,
        lower_better=info.lower_better,
        score_range=info.score_range,
        weights_sha256=sha256,
        files={path.name: sha256},
    )
