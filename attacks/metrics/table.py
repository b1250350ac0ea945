"""What a row of the table of metrics holds."""

import os
from dataclasses import dataclass
from pathlib import Path

__all__ = ["MetricInfo", "WeightsFile"]


@dataclass(frozen=True)
class WeightsFile:
    """A file that a metric loads and where it is looked for.

    folder: "package" (beside this module), or "pyiqa", "clip" or "checkpoints" (folders of $TORCH_HOME/hub).
    """

    name: str
    folder: str = "pyiqa"

    @property
    def path(self) -> Path:
        if self.folder == "package":
            return Path(__file__).with_name(self.name)
        cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
        return Path(os.environ.get("TORCH_HOME") or cache / "torch").expanduser() / "hub" / self.folder / self.name


@dataclass(frozen=True)
class MetricInfo:
    """One row of the table of metrics.

    score_range: (low, high) of clean pictures. scope: what one score is about (`frame`).
    factory: dotted path of a function (info, device, weights path or None) -> TargetMetric.
    packages, weights, backbones: what must be there to build it; `weights` is the file
    that `create_metric(weights=...)` replaces. `lower_better` and `score_range` are None
    only for metrics without a row, whose package knows them.
    """

    name: str
    title: str
    citation: str
    lower_better: bool | None
    score_range: tuple[float, float] | None
    licence: str
    factory: str
    packages: tuple[str, ...] = ()
    weights: WeightsFile | None = None
    backbones: tuple[WeightsFile, ...] = ()
    scope: str = "frame"

    @property
    def files(self) -> tuple[WeightsFile, ...]:
        """All files that it loads."""
        return (*((self.weights,) if self.weights else ()), *self.backbones)

    @property
    def needs(self) -> tuple[str, ...]:
        """The packages and files that it needs, by name."""
        return (*self.packages, *(file.name for file in self.files))
