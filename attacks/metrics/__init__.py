"""Target metrics: the table, the embedded one, pyiqa's, and one's own nn.Module.

Importing this package loads no PyTorch.
"""

import importlib

from attacks.metrics.registry import MetricInfo, create_metric, list_metrics, metric_status

_LAZY = {
    "TargetMetric": "attacks.metrics.base",
    "full_reference_distance": "attacks.metrics.full_reference",
    "missing_for_distance": "attacks.metrics.full_reference",
    "wrap_module": "attacks.metrics.wrapped",
}

__all__ = [
    "MetricInfo",
    "TargetMetric",
    "create_metric",
    "full_reference_distance",
    "list_metrics",
    "metric_status",
    "missing_for_distance",
    "wrap_module",
]


def __getattr__(name):
    if name in _LAZY:
        return getattr(importlib.import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'attacks.metrics' has no attribute {name!r}")
