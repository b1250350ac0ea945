"""What to make: the request for a stimulus set, checked where it is written (no torch, no codec)."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from attacks import OptionValue, list_attacks, value_text
from stimuli.delivery import AUTO, get_profile
from stimuli.errors import InvalidRequest

__all__ = [
    "PICTURE_SUFFIXES",
    "VIDEO_SUFFIXES",
    "AttackSpec",
    "StimulusRequest",
    "collect_sources",
    "collect_videos",
    "parse_attacks",
]

_MATCHES = ("clip", "dataset", "linf")
_ROUNDINGS = ("dither", "nearest")
PICTURE_SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
VIDEO_SUFFIXES = (".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".ts", ".webm", ".wmv", ".y4m")


@dataclass(frozen=True)
class AttackSpec:
    """An attack by name, with the options that differ from its defaults."""

    name: str
    options: dict[str, OptionValue] = field(default_factory=dict)

    @property
    def condition(self) -> str:
        """The label of the condition: unique per attack and options; of a file its bare name."""
        texts = {key: _label(value) for key, value in self.options.items()}
        return ":".join([self.name, *(f"{key}={texts[key]}" for key in sorted(texts))])


@dataclass(frozen=True)
class StimulusRequest:
    """A whole set.

    match: "clip" matches the gain with one strength per clip and attack, "dataset" with one strength per attack for
    all clips; both need `gain`, the target relative gain (0.1 is +10 %). "linf" makes the largest change of any value
    the same, `linf` 8-bit levels. `tolerance` is relative to the target.

    `metric` is a registry name; `weights` a local weights file for it; `window`, of a metric of clips, the number of
    frames that are scored together (None: the metric's own; 1: single frames). `trained` are files and folders in
    which the file of a trained attack is looked up; with `transfer` one made for another metric will do. `delivery`
    is a profile or "auto", the cheapest rung of the ladder for each source that keeps `retention_floor` of every
    perturbation (None: the default). `max_frames` uses the first frames of every source only. `chunk` frames are held
    in memory at a time (None: as many as fit the picture size). `rounding` is "dither" or "nearest", for every
    condition alike.
    `speed_matched` marks the attacks that need more than one gradient per frame.
    """

    sources: tuple[Path, ...]
    metric: str
    attacks: tuple[AttackSpec, ...]
    out: Path
    gain: float | None = None
    linf: float | None = None
    match: str = "clip"
    tolerance: float = 0.02
    device: str = "auto"
    delivery: str = "h264"
    retention_floor: float | None = None
    weights: Path | None = None
    window: int | None = None
    trained: tuple[Path, ...] = ()
    transfer: bool = False
    max_frames: int | None = None
    chunk: int | None = None
    seed: int = 0
    rounding: str = "dither"
    speed_matched: bool = False
    command: tuple[str, ...] = ()

    def check(self) -> None:
        """Raises InvalidRequest, one sentence saying what to change."""
        self._check_target()
        if not 0.001 <= self.tolerance <= 0.5:
            raise InvalidRequest(
                f"The tolerance is a share of the target from 0.001 to 0.5 (0.02 is 2 %), got {self.tolerance}."
            )
        if self.rounding not in _ROUNDINGS:
            raise InvalidRequest(f"The rounding is {' or '.join(_ROUNDINGS)}, got {self.rounding!r}.")
        for name, value in (
            ("--max-frames", self.max_frames),
            ("--chunk", self.chunk),
            ("--window", self.window),
        ):
            if value is not None and value < 1:
                raise InvalidRequest(f"{name} must be at least 1, got {value}.")
        if not 0 <= self.seed < 2**63:
            raise InvalidRequest(f"The seed must be a whole number from 0 to 2^63 - 1, got {self.seed}.")
        if self.delivery != AUTO:
            get_profile(self.delivery)
            if self.retention_floor is not None:
                raise InvalidRequest(f"A retention floor chooses among profiles; give --delivery {AUTO} with it.")
        if self.retention_floor is not None and not 0 < self.retention_floor <= 1:
            raise InvalidRequest(
                f"The retention floor is a share above 0 and at most 1 (0.9 keeps 90 %), got {self.retention_floor}."
            )
        if not self.attacks:
            raise InvalidRequest("No attack is given; name at least one, for example --attacks fgsm,ioi.")
        labels = [attack.condition for attack in self.attacks]
        for label in labels:
            if labels.count(label) > 1:
                raise InvalidRequest(f"The attack {label} is given twice; give each attack, with its options, once.")

    def _check_target(self) -> None:
        if self.match not in _MATCHES:
            raise InvalidRequest(f"--match is one of {', '.join(_MATCHES)}, got {self.match!r}.")
        if self.match == "linf":
            if self.linf is None or self.gain is not None:
                raise InvalidRequest("--match linf takes its target from --linf, in 8-bit levels, and no --gain.")
            if not (math.isfinite(self.linf) and 0 < self.linf <= 255):
                raise InvalidRequest(f"--linf is a number of 8-bit levels above 0 and at most 255, got {self.linf}.")
        else:
            if self.gain is None or self.linf is not None:
                raise InvalidRequest(
                    f"Give --gain, the target of --match {self.match} (0.1 is +10 %), and no --linf, which goes with "
                    "--match linf."
                )
            if not (math.isfinite(self.gain) and 0 < self.gain <= 10):
                raise InvalidRequest(
                    f"The gain is a ratio above 0 and at most 10 (0.1 raises the metric by 10 %), got {self.gain}."
                )


def parse_attacks(text: str) -> tuple[AttackSpec, ...]:
    """Attacks from "fgsm,ifgsm:iterations=4,ioi:keep=0.1:mean_floor=1": commas between, colons before options.

    "all" stands for every attack with its defaults, "paper" for those of the IOI paper's one-iteration comparison that
    are not the same picture as another; "-name" takes an attack out of those before it: "all,-scoreboundary".

    Raises: InvalidRequest naming the part that cannot be read, or takes nothing out. Names and options are checked by
    `create_attack`.
    """
    specs = []
    for part in (part.strip() for part in text.split(",")):
        if part == "all":
            specs += [AttackSpec(info.name) for info in list_attacks()]
        elif part == "paper":
            specs += [AttackSpec(info.name, dict(info.paper)) for info in list_attacks() if info.paper is not None]
        elif part.startswith("-"):
            kept = [spec for spec in specs if spec.name != part[1:].strip()]
            if len(kept) == len(specs):
                raise InvalidRequest(f"{part!r} takes nothing out: no attack before it has that name.")
            specs = kept
        elif part:
            specs.append(_parse_attack(part))
    return tuple(specs)


def _parse_attack(text: str) -> AttackSpec:
    name, *options = text.split(":")
    values = {}
    for option in options:
        key, equals, value = (part.strip() for part in option.partition("="))
        if not equals or not key or not value:
            raise InvalidRequest(f"The option {option!r} of {name} cannot be read; write {name}:option=value.")
        if key in values:
            raise InvalidRequest(f"The option {key} of {name} is given twice; give it once.")
        values[key] = _parse_value(value)
    return AttackSpec(name.strip(), values)


def _parse_value(text: str) -> OptionValue:
    try:
        return int(text) if text.lstrip("+-").isdigit() else float(text)
    except ValueError:
        return text


def _label(value: OptionValue) -> str:
    if isinstance(value, (bool, str)):
        return Path(value_text(value)).stem
    return f"{value:g}"


def collect_sources(paths: Iterable[Path]) -> tuple[Path, ...]:
    """Source files; a folder stands for the videos in it, by name.

    Raises: InvalidRequest as `collect_videos` does, and for two sources of the same name (their name is what tables
    call them).
    """
    files = collect_videos(paths)
    seen: dict[str, Path] = {}
    for file in files:
        if file.stem in seen:
            raise InvalidRequest(
                f"Two sources are called {file.stem!r} ({seen[file.stem]} and {file}); give each file once, and "
                f"rename one if they differ."
            )
        seen[file.stem] = file
    return files


def collect_videos(paths: Iterable[Path]) -> tuple[Path, ...]:
    """Files of any names; a folder stands for the videos in it, by name.

    Raises: InvalidRequest for none, for a path that does not exist, a folder without videos, and a picture (which
    would be read as a video of 4:2:0 planes, and not as what it is).
    """
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(file for file in path.iterdir() if file.suffix.lower() in VIDEO_SUFFIXES and file.is_file())
            if not inside:
                raise InvalidRequest(f"The folder {path} holds no video ({', '.join(VIDEO_SUFFIXES)}).")
            files += inside
        elif not path.exists():
            raise InvalidRequest(f"There is no file {path}; check the name.")
        elif path.suffix.lower() in PICTURE_SUFFIXES:
            raise InvalidRequest(f"{path} is a picture; give a video, pictures are for evaluate_robustness.")
        else:
            files.append(path)
    if not files:
        raise InvalidRequest("No source is given; name one video file at least, or a folder of them.")
    return tuple(files)
