"""The embedded demonstration metric: a small CNN whose weights are part of the project."""

from pathlib import Path

import torch

from attacks.metrics.base import TargetMetric
from attacks.metrics.checkpoints import published_metric
from attacks.metrics.demonstration_network import DemonstrationNet
from attacks.metrics.table import MetricInfo

__all__ = ["build"]


def build(info: MetricInfo, device: torch.device, weights: Path | None) -> TargetMetric:
    """The demonstration metric from its packaged weights, or from another file of the same network."""
    return published_metric(info, DemonstrationNet(), device, weights)
