"""MDTVSFA: VSFA trained on several data sets at once, its score mapped to what people perceive.

Li, Jiang, Jiang: Unified Quality Assessment of In-the-Wild Videos with Mixed Datasets Training. IJCV 2021.

Of the paper's three scores this is the second, the perceptual quality, in (0, 1), which the authors' demonstration
prints and the robustness benchmark's range is of. The relative quality comes before it; the third one is aligned with
the scale of one data set by a straight line, so that its attacks are the same.
"""

from pathlib import Path

import torch

from attacks.metrics.base import TargetMetric
from attacks.metrics.clip_metric import resnet50_clip_metric
from attacks.metrics.table import MetricInfo
from attacks.metrics.temporal_head import TemporalHead, rename_parts

__all__ = ["build"]

_RENAME_PART = rename_parts(
    {
        # As the authors spell it.
        "dimemsion_reduction": "reduction",
        "feature_aggregation": "recurrence",
        "regression": "quality",
        "nlm.0": "mapping.0",
        "nlm.2": "mapping.2",
    }
)


class MappedHead(TemporalHead):
    """The relative quality, the pooled score bounded to (0, 1), and then the nonlinear mapping of four parameters."""

    def __init__(self):
        super().__init__()
        self.mapping = torch.nn.Sequential(torch.nn.Linear(1, 1), torch.nn.Sigmoid(), torch.nn.Linear(1, 1))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        relative = torch.sigmoid(super().forward(features))
        return self.mapping(relative[:, None])[:, 0]


def build(info: MetricInfo, device: torch.device, weights: Path | None) -> TargetMetric:
    """Raises MetricUnavailable."""
    return resnet50_clip_metric(info, MappedHead, device, weights, rename=_rename)


def _rename(name: str) -> str | None:
    """lm: the lines to the scales of the data sets."""
    return None if name.startswith("lm.") else _RENAME_PART(name)
