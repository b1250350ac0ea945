"""The embedded demonstration metric: a small CNN whose weights are part of the project."""

from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from attacks.errors import InvalidFrames, MetricUnavailable
from attacks.metrics.base import TargetMetric
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
    network = DemonstrationNet()
    try:
        network.load_state_dict(load_file(path))
    except FileNotFoundError as error:
        raise MetricUnavailable(
            f"the weights of metric {info.name!r} are missing: {path}; restore that file."
        ) from error
    except (SafetensorError, RuntimeError) as error:
        raise MetricUnavailable(f"{path} does not hold weights of the demonstration network.") from error
    network.eval().requires_grad_(False).to(device)
    return DemonstrationMetric(
        network, info.name, lower_better=info.lower_better, score_range=info.score_range, weights_sha256=sha256_of(path)
    )
