"""What to make: the request for a stimulus set, checked where it is written (no torch, no codec)."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from stimuli.delivery import get_profile
from stimuli.errors import InvalidRequest

__all__ = ["AttackSpec", "StimulusRequest", "collect_sources", "parse_attacks"]

_MATCHES = ("clip",)
_ROUNDINGS = ("dither", "nearest")
_VIDEO_SUFFIXES = (".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".ts", ".webm", ".wmv", ".y4m")


@dataclass(frozen=True)
class AttackSpec:
    """An attack by name, with the options that differ from its defaults."""

    name: str
    options: dict[str, int | float] = field(default_factory=dict)

    @property
    def condition(self) -> str:
        """The label of the condition: unique per attack and options."""
        return ":".join([self.name, *(f"{key}={self.options[key]:g}" for key in sorted(self.options))])


@dataclass(frozen=True)
class StimulusRequest:
    """A whole set. `gain` is the target relative gain (0.1 is +10 %), `tolerance` is relative to it.

    `metric` is a registry name; `weights` a local weights file for it. `max_frames` uses the first frames of every
    source only. `chunk` frames are held in memory at a time (None: as many as fit the picture size). `rounding` is
    "dither" or "nearest", for every condition alike.
    """

    sources: tuple[Path, ...]
    metric: str
    attacks: tuple[AttackSpec, ...]
    gain: float
    out: Path
    match: str = "clip"
    tolerance: float = 0.02
    device: str = "auto"
    delivery: str = "h264"
    weights: Path | None = None
    max_frames: int | None = None
    chunk: int | None = None
    seed: int = 0
    rounding: str = "dither"
    command: tuple[str, ...] = ()

    def check(self) -> None:
        """Raises InvalidRequest, one sentence saying what to change."""
        if not (math.isfinite(self.gain) and 0 < self.gain <= 10):
            raise InvalidRequest(
                f"The gain is a ratio above 0 and at most 10 (0.1 raises the metric by 10 %), got {self.gain}."
            )
        if not 0.001 <= self.tolerance <= 0.5:
            raise InvalidRequest(
                f"The tolerance is a share of the gain from 0.001 to 0.5 (0.02 is 2 %), got {self.tolerance}."
            )
        if self.match not in _MATCHES:
            raise InvalidRequest(
                f"Matching {self.match!r} is not there yet; use --match clip, one strength per clip and attack."
            )
        if self.rounding not in _ROUNDINGS:
            raise InvalidRequest(f"The rounding is {' or '.join(_ROUNDINGS)}, got {self.rounding!r}.")
        for name, value in (("--max-frames", self.max_frames), ("--chunk", self.chunk)):
            if value is not None and value < 1:
                raise InvalidRequest(f"{name} must be at least 1, got {value}.")
        if not 0 <= self.seed < 2**63:
            raise InvalidRequest(f"The seed must be a whole number from 0 to 2^63 - 1, got {self.seed}.")
        get_profile(self.delivery)
        if not self.attacks:
            raise InvalidRequest("No attack is given; name at least one, for example --attacks fgsm,ioi.")
        labels = [attack.condition for attack in self.attacks]
        for label in labels:
            if labels.count(label) > 1:
                raise InvalidRequest(f"The attack {label} is given twice; give each attack, with its options, once.")


def parse_attacks(text: str) -> tuple[AttackSpec, ...]:
    """Attacks from "fgsm,ifgsm:iterations=4,ioi:keep=0.1:mean_floor=1": commas between, colons before options.

    Raises: InvalidRequest naming the part that cannot be read. Names and options are checked by `create_attack`.
    """
    specs = []
    for part in (part.strip() for part in text.split(",")):
        if not part:
            continue
        name, *options = part.split(":")
        values = {}
        for option in options:
            key, equals, value = option.partition("=")
            if not equals or not key:
                raise InvalidRequest(f"The option {option!r} of {name} cannot be read; write {name}:option=value.")
            if key.strip() in values:
                raise InvalidRequest(f"The option {key.strip()} of {name} is given twice; give it once.")
            try:
                values[key.strip()] = int(value) if value.strip().lstrip("+-").isdigit() else float(value)
            except ValueError:
                raise InvalidRequest(f"The option {key} of {name} must be a number, got {value!r}.") from None
        specs.append(AttackSpec(name.strip(), values))
    return tuple(specs)


def collect_sources(paths: Iterable[Path]) -> tuple[Path, ...]:
    """Source files; a folder stands for the videos in it, by name.

    Raises: InvalidRequest for none, for a path that does not exist, a folder without videos, and for two sources of
    the same name (their name is what tables call them).
    """
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(
                file for file in path.iterdir() if file.suffix.lower() in _VIDEO_SUFFIXES and file.is_file()
            )
            if not inside:
                raise InvalidRequest(f"The folder {path} holds no video ({', '.join(_VIDEO_SUFFIXES)}).")
            files += inside
        elif path.exists():
            files.append(path)
        else:
            raise InvalidRequest(f"There is no file {path}; check the name.")
    if not files:
        raise InvalidRequest("No source is given; name one video file at least, or a folder of them.")
    seen: dict[str, Path] = {}
    for file in files:
        if file.stem in seen:
            raise InvalidRequest(
                f"Two sources are called {file.stem!r} ({seen[file.stem]} and {file}); give each file once, and "
                f"rename one if they differ."
            )
        seen[file.stem] = file
    return tuple(files)
