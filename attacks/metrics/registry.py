"""The table of target metrics and how to build one.

Nothing here imports PyTorch or pyiqa before a metric is built.
"""

import dataclasses
import hashlib
import importlib
import importlib.util
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from attacks.errors import InvalidOption, MetricUnavailable, UnknownName
from attacks.metrics.published_table import PUBLISHED_METRICS
from attacks.metrics.pyiqa_table import PYIQA_METRICS
from attacks.metrics.table import MetricInfo, WeightsFile
from attacks.names import nearest

if TYPE_CHECKING:
    from attacks.metrics.base import TargetMetric

__all__ = ["METRICS", "MetricInfo", "MetricStatus", "create_metric", "list_metrics", "metric_status", "sha256_of"]

_PYIQA_PREFIX = "pyiqa:"

METRICS: dict[str, MetricInfo] = {
    info.name: info
    for info in (
        MetricInfo(
            name="demo",
            title="Demonstration metric: a small CNN trained by this project on synthetic distortions",
            citation="this project, attacks/metrics/DEMONSTRATION_METRIC.md",
            lower_better=False,
            score_range=(0.0, 100.0),
            licence="as this project",
            factory="attacks.metrics.demonstration:build",
            weights=WeightsFile("demonstration.safetensors", folder="package"),
            preprocessing="none: any size from the least on",
        ),
        *PUBLISHED_METRICS,
        *PYIQA_METRICS,
    )
}


@dataclass(frozen=True)
class MetricStatus:
    """Whether a metric can be built on this machine now; if not, the first thing missing and how to give it.

    file: what is missing, where that is a file and not a Python package.
    """

    usable: bool
    missing: str | None = None
    file: WeightsFile | None = None


def list_metrics() -> tuple[MetricInfo, ...]:
    """All metrics that have a row, in the order of the table."""
    return tuple(METRICS.values())


def metric_status(info: MetricInfo) -> MetricStatus:
    """Look for the packages and files of `info` without importing or building anything."""
    for package in info.packages:
        if importlib.util.find_spec(package) is None:
            return MetricStatus(False, f"the Python package {package}; install it with `make pyiqa`")
    for file in info.files:
        if not file.path.is_file():
            return MetricStatus(False, info.how_to_give(file), file)
    return MetricStatus(True)


def create_metric(
    name: str, device: str = "cpu", weights: str | os.PathLike | None = None, window: int | None = None
) -> "TargetMetric":
    """Build the metric `name` on `device` ("cpu", "cuda", "cuda:1"..., or "auto": cuda where there is one).

    `name` is a row of the table or `pyiqa:<name>` for any other no-reference metric of
    pyiqa. `weights` is a local file to be used instead of the packaged or downloaded
    one; nothing in it is executed.
    `window`, for a metric of clips: how many consecutive frames are scored together instead of the row's number; 1
    gives the scores of single frames, which is all that other metrics have.

    Raises UnknownName (with the nearest names), InvalidOption for a window, or MetricUnavailable (naming what is
    missing and where it goes).
    """
    info = _in_windows(_find(name), window)
    path = None if weights is None else Path(weights).expanduser()
    if path is not None and not path.is_file():
        raise MetricUnavailable(f"there is no file {path}, which was given as the weights of metric {name!r}.")
    for package in info.packages:
        if importlib.util.find_spec(package) is None:
            raise MetricUnavailable(
                f"metric {name!r} needs the Python package {package}; install it with `make pyiqa`."
            )
    module, _, attribute = info.factory.partition(":")
    return getattr(importlib.import_module(module), attribute)(info, _device(device), path)


def sha256_of(path: str | os.PathLike) -> str:
    """Hexadecimal SHA-256 of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _find(name: str) -> MetricInfo:
    bare = name.removeprefix(_PYIQA_PREFIX) if isinstance(name, str) else name
    if bare in METRICS and (bare == name or METRICS[bare] in PYIQA_METRICS):
        return METRICS[bare]
    if bare != name and bare:
        return MetricInfo(
            name=name,
            title=f"{bare} of pyiqa",
            citation="see pyiqa",
            lower_better=None,
            score_range=None,
            licence="see pyiqa (PolyForm Noncommercial)",
            factory="attacks.metrics.pyiqa_adapter:build",
            packages=("pyiqa",),
        )
    raise UnknownName(
        f"there is no metric {name!r}; {nearest(name, METRICS)} "
        "Any other no-reference metric of pyiqa is 'pyiqa:<name>'."
    )


def _in_windows(info: MetricInfo, window: int | None) -> MetricInfo:
    """The row with `window` in place of its own."""
    if window is None:
        return info
    if isinstance(window, bool) or not isinstance(window, int) or window < 1:
        raise InvalidOption(f"window must be a whole number of frames, 1 or more, got {window!r}.")
    if info.scope != "clip" and window != 1:
        raise InvalidOption(f"metric {info.name!r} scores single frames, not windows of {window}; leave --window out.")
    return dataclasses.replace(info, window=window)


def _device(name: str):
    import torch

    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except (RuntimeError, TypeError) as error:
        raise MetricUnavailable(f"{name!r} is no device; use 'cpu' or 'cuda'.") from error
    if device.type == "cuda" and (not torch.cuda.is_available() or (device.index or 0) >= torch.cuda.device_count()):
        raise MetricUnavailable(f"PyTorch finds no device {name!r} on this machine; use 'cpu'.")
    # Tensors say "cuda:0" where a user says "cuda".
    return torch.empty(0, device=device).device
