"""What a row of the table of metrics holds."""

import os
from dataclasses import dataclass
from pathlib import Path

__all__ = ["WEIGHTS_FOLDER", "MetricInfo", "WeightsFile"]

# The environment variable that names one's own folder of weights files.
WEIGHTS_FOLDER = "METRIC_WEIGHTS_DIR"


@dataclass(frozen=True)
class WeightsFile:
    """A file that a metric loads and where it is looked for.

    folder: "package" (beside this module), or "pyiqa", "clip" or "checkpoints" (folders of $TORCH_HOME/hub, where
    pyiqa, CLIP and torchvision keep their downloads). origin: where it is published, for people. downloads: whether
    it is fetched by itself at first use. aliases: other names under which the same file is published.
    """

    name: str
    folder: str = "pyiqa"
    origin: str = ""
    aliases: tuple[str, ...] = ()
    downloads: bool = False

    @property
    def path(self) -> Path:
        """Where it is; where it is nowhere, the place in $TORCH_HOME/hub where it would be looked for.

        The folder that $METRIC_WEIGHTS_DIR names comes first, then the download folder, each under every name.
        """
        *_, home = folders = self._folders()
        candidates = [folder / name for folder in folders for name in (self.name, *self.aliases)]
        return next((path for path in candidates if path.is_file()), home / self.name)

    @property
    def place(self) -> str:
        """Where to put it, for people."""
        own = os.environ.get(WEIGHTS_FOLDER)
        return f"{self._folders()[-1] / self.name}, or into the folder that {WEIGHTS_FOLDER} names" + (
            f" (now {own})" if own else ""
        )

    def _folders(self) -> tuple[Path, ...]:
        """Where it is looked for, the download folder last."""
        if self.folder == "package":
            return (Path(__file__).parent,)
        cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
        home = Path(os.environ.get("TORCH_HOME") or cache / "torch").expanduser() / "hub" / self.folder
        own = os.environ.get(WEIGHTS_FOLDER)
        return (Path(own).expanduser(), home) if own else (home,)


@dataclass(frozen=True)
class MetricInfo:
    """One row of the table of metrics.

    score_range: (low, high) of clean pictures. scope: what one score is about (`frame`, or `clip`: several consecutive
    frames scored together, `window` of them where nothing else is asked for: as many as a frame's score looks back on).
    preprocessing: what is done to RGB in [0, 1] before the network, inside the differentiable graph.
    factory: dotted path of a function (info, device, weights path or None) -> TargetMetric.
    packages, weights, backbones: what must be there to build it; `weights` is the file
    that `create_metric(weights=...)` replaces. `lower_better` and `score_range` are None
    only for metrics without a row, whose package knows them.
    gpu: whether it practically needs one: over ten seconds per frame of 960x540 on a processor's core, or over 8 GB.
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
    window: int = 1
    preprocessing: str = ""
    gpu: bool = False

    @property
    def files(self) -> tuple[WeightsFile, ...]:
        """All files that it loads."""
        return (*((self.weights,) if self.weights else ()), *self.backbones)

    @property
    def needs(self) -> tuple[str, ...]:
        """The packages and files that it needs, by name."""
        return (*self.packages, *(file.name for file in self.files))

    def how_to_give(self, file: WeightsFile) -> str:
        """What is missing without `file`, and what to do, for people."""
        if file.folder == "package":
            return f"the file {file.path} of this project; restore it"
        source = f" ({file.origin})" if file.origin else ""
        itself = "downloaded at first use where there is a network; without one, " if file.downloads else ""
        by_hand = ", or give it with --weights FILE" if file == self.weights else ""
        return f"the weights file {file.name}{source}; {itself}put it there: {file.place}{by_hand}"
