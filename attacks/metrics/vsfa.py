"""VSFA: ResNet-50 features of each frame, a recurrent head, temporal pooling.

Li, Jiang, Jiang: Quality Assessment of In-the-Wild Videos. ACM Multimedia 2019. Its authors' parameters were learned
on KoNViD-1k, whose mean opinion scores were divided by the highest.
"""

from pathlib import Path

import torch

from attacks.metrics.base import TargetMetric
from attacks.metrics.clip_metric import resnet50_clip_metric
from attacks.metrics.table import MetricInfo
from attacks.metrics.temporal_head import TemporalHead, rename_parts

__all__ = ["build"]

# The second layer of the reduction is in the file, but one layer is all that was ever run.
_RENAME = rename_parts({"ann.fc0": "reduction", "ann.fc": None, "rnn": "recurrence", "q": "quality"})


def build(info: MetricInfo, device: torch.device, weights: Path | None) -> TargetMetric:
    """Raises MetricUnavailable."""
    return resnet50_clip_metric(info, TemporalHead, device, weights, rename=_RENAME)
