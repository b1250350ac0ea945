"""What a run of the robustness benchmark is asked for, checked where it is written (no torch, no codec)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from attacks import list_attacks
from attacks.errors import UnknownName
from attacks.metrics import list_metrics
from stimuli.errors import InvalidRequest
from stimuli.request import AttackSpec

__all__ = ["SETTINGS", "BenchmarkRequest"]

# The names of an attack's own strengths, as StrengthRange has them.
SETTINGS = ("low", "default", "high")


@dataclass(frozen=True)
class BenchmarkRequest:
    """Attacks on metrics on sources.

    metrics: registry names. sources: files and folders of videos and pictures, and stimulus sets. attacks: may be
    empty where all sources are sets, which have their own; otherwise it also says which of a set's to take.
    settings: which of the authors' strengths, from "low", "default" and "high"; a set brings its own strengths (None:
    all three, where there is anything but sets). transfer: let every metric score what was made against the others;
    a set's delivered files are scored then, and nothing of it is attacked. rounded: score attacked frames as 8-bit
    pictures, not as floats. weights: local files by metric. window: of the metrics of clips, in frames. trained: files
    and folders with the files of trained attacks; trained_transfer lets one of another metric stand in. max_frames:
    the first so many of every source. chunk: frames in memory at a time (None: by size). seed: of the attacks that
    draw at random, unless their options say another.
    """

    metrics: tuple[str, ...]
    sources: tuple[Path, ...]
    out: Path
    attacks: tuple[AttackSpec, ...] = ()
    settings: tuple[str, ...] | None = None
    transfer: bool = False
    rounded: bool = False
    weights: dict[str, Path] = field(default_factory=dict)
    window: int | None = None
    trained: tuple[Path, ...] = ()
    trained_transfer: bool = False
    device: str = "auto"
    max_frames: int | None = None
    chunk: int | None = None
    seed: int = 0
    command: tuple[str, ...] = ()

    def check(self) -> None:
        """Raises InvalidRequest or UnknownName, one sentence saying what to change."""
        if not self.metrics:
            raise InvalidRequest("No metric is given; name at least one, for example --metrics demo.")
        _refuse_repeated("metric", self.metrics)
        for name in self.weights:
            if name not in self.metrics:
                raise InvalidRequest(f"--weights names {name!r}, which is not among --metrics; correct one of them.")
        known = [info.name for info in list_attacks()]
        for spec in self.attacks:
            if spec.name not in known:
                raise UnknownName(f"there is no attack {spec.name!r}; there are {', '.join(known)}.")
        _refuse_repeated("attack", [spec.condition for spec in self.attacks])
        if self.settings is not None:
            self._check_settings(self.settings)
        for name, value in (("--max-frames", self.max_frames), ("--chunk", self.chunk), ("--window", self.window)):
            if value is not None and value < 1:
                raise InvalidRequest(f"{name} must be at least 1, got {value}.")
        if self.window is not None and not any(
            info.name in self.metrics for info in list_metrics() if info.scope == "clip"
        ):
            raise InvalidRequest("--window is of metrics of clips, and none of --metrics is one; leave it out.")
        if not 0 <= self.seed < 2**31:
            raise InvalidRequest(f"The seed must be a whole number from 0 to 2^31 - 1, got {self.seed}.")

    @staticmethod
    def _check_settings(settings: tuple[str, ...]) -> None:
        for name in settings:
            if name not in SETTINGS:
                raise InvalidRequest(f"A strength is one of {', '.join(SETTINGS)}, got {name!r}.")
        _refuse_repeated("strength", settings)
        if "default" not in settings:
            raise InvalidRequest("The tables are made at the default strengths; add default to --strengths.")


def _refuse_repeated(what: str, names: Sequence[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise InvalidRequest(f"The {what} {name} is given twice; give each once.")
