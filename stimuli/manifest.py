"""manifest.json: what a stimulus set is, as records; reading and checking it needs neither torch nor a codec."""

import dataclasses
import json
import math
import types
import typing
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from stimuli.errors import InvalidManifest

__all__ = [
    "FORMAT_VERSION",
    "AttackRecord",
    "ColourRecord",
    "DeliveredRecord",
    "DeliveryRecord",
    "GainRecord",
    "LpipsRecord",
    "Manifest",
    "MetricPasses",
    "QualityRecord",
    "SourceRecord",
    "StimulusRecord",
    "TargetMetricRecord",
    "UnreachableRecord",
    "VerificationRecord",
    "read_manifest",
]

FORMAT_VERSION = 2


@dataclass(frozen=True)
class TargetMetricRecord:
    """The metric attacked. score_range: usual scores on clean pictures. window: frames scored together.

    files: sha256 of every file that was loaded, by name; weights_sha256 is that of the metric's own.
    """

    name: str
    title: str
    weights_sha256: str | None
    score_range: tuple[float, ...]
    lower_better: bool
    window: int = 1
    files: dict = dataclasses.field(default_factory=dict)


@dataclass(frozen=True)
class GainRecord:
    """What was made the same: `target`, a ratio, for the matches clip and dataset; `linf`, 8-bit levels, for linf.

    tolerance: share of the target; form of all gains: relative or scaled (attacks.gain).
    """

    target: float | None
    linf: float | None
    tolerance: float
    match: str
    form: str


@dataclass(frozen=True)
class DeliveryRecord:
    """Profile and the encoder's settings; of "auto" the floor that chose, and the settings with each source."""

    profile: str
    settings: dict | None
    retention_floor: float | None


@dataclass(frozen=True)
class ColourRecord:
    """How code values are read, by FFmpeg's names."""

    matrix: str
    range: str
    primaries: str
    transfer: str


@dataclass(frozen=True)
class DeliveredRecord:
    """What all delivered files of a source share: even size, limited-range colour, profile and encoder's settings.

    below_floor: conditions of which even the highest rung keeps less than the retention floor.
    """

    width: int
    height: int
    colour: ColourRecord
    profile: str
    settings: dict
    below_floor: tuple[str, ...]


@dataclass(frozen=True)
class SourceRecord:
    """A clean clip. width, height, colour: of the file; frames: those used. pixel_aspect: width:height of a pixel."""

    id: str
    file: str
    sha256: str
    bytes: int
    width: int
    height: int
    frames: int
    fps: str
    pixel_aspect: str
    colour: ColourRecord
    delivered: DeliveredRecord


@dataclass(frozen=True)
class AttackRecord:
    """An attack and all its options."""

    name: str
    options: dict


@dataclass(frozen=True)
class MetricPasses:
    """Passes through the target metric per frame; the matching's are beyond the clean gradient that attacks share."""

    forwards: float
    backwards: float


@dataclass(frozen=True)
class QualityRecord:
    """The delivered file against the source, see stimuli.quality; null where a number does not exist."""

    psnr: float | None
    ssim: float | None
    vif: float | None
    lpips: float | None
    mae_star: float | None
    temporal_instability: float | None


@dataclass(frozen=True)
class LpipsRecord:
    """What measured the LPIPS of the set: sha256 of the files by name. missing: packages and files by name, for lack
    of which it was not measured.
    """

    files: dict
    missing: tuple[str, ...]


@dataclass(frozen=True)
class StimulusRecord:
    """One source under one condition, as the delivered file. attack is None for the reference.

    strength: the attack's own scalar; linf: the largest change of any value that it made, in 8-bit levels before
    rounding. gain_frames: before the codec, on 8-bit 4:2:0 frames; gain_delivered: on the decoded
    file against the delivered reference. score_clean: mean over the frames of the clean source; score_delivered: of
    the decoded file. metric_cost: of the attack itself; matching_cost: of finding the strength. speed_matched: whether
    the attack needs one gradient per frame at most (None where that was not asked, and for the reference). bytes: with
    padding; bytes_encoded: without. codec: as in RFC 6381.
    """

    id: str
    source: str
    attack: AttackRecord | None
    condition: str
    file: str
    strength: float
    linf: float
    gain_frames: float
    gain_delivered: float
    score_clean: float
    score_delivered: float
    retention: float | None
    retention_luma: float | None
    evaluations: int
    encodes: int
    metric_cost: MetricPasses
    matching_cost: MetricPasses
    speed_matched: bool | None
    quality: QualityRecord
    codec: str
    bytes: int
    bytes_encoded: int
    sha256: str
    width: int
    height: int
    frames: int
    fps: str


@dataclass(frozen=True)
class UnreachableRecord:
    """An attack that cannot reach the target on a source, with the most that it did, in the unit of the match:
    best_gain (a ratio), or best_linf (8-bit levels) for the match linf; strength: where that was.
    """

    source: str
    attack: AttackRecord
    condition: str
    best_gain: float | None
    best_linf: float | None
    strength: float
    reason: str


@dataclass(frozen=True)
class VerificationRecord:
    """The obviously impaired version of a source."""

    id: str
    source: str
    file: str
    impairment: dict
    bytes: int
    bytes_encoded: int
    sha256: str
    width: int
    height: int
    frames: int
    fps: str


@dataclass(frozen=True)
class Manifest:
    """A whole stimulus set; paths are relative to the folder that holds manifest.json.

    lpips: None where an earlier version of this program wrote the set.
    """

    format_version: int
    created_at: str
    software: dict
    command: tuple[str, ...]
    seed: int
    device: str
    target_metric: TargetMetricRecord
    gain: GainRecord
    delivery: DeliveryRecord
    rounding: str
    speed_matched: bool
    sources: tuple[SourceRecord, ...]
    stimuli: tuple[StimulusRecord, ...]
    unreachable: tuple[UnreachableRecord, ...]
    verification: tuple[VerificationRecord, ...]
    lpips: LpipsRecord | None = None

    def to_document(self) -> dict:
        """What manifest.json holds."""
        return json.loads(json.dumps(dataclasses.asdict(self), allow_nan=False))


def read_manifest(path: str | Path) -> Manifest:
    """Read manifest.json, given itself or its folder. Whether the media are whole is the importer's to check.

    Raises: InvalidManifest, one sentence: missing, no JSON, another format version, a key missing or of a wrong kind,
    an id or condition twice, a stimulus of no source, or a file outside the set.
    """
    path = Path(path)
    path = path / "manifest.json" if path.is_dir() else path
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InvalidManifest(f"There is no {path}; make the set with generate_stimuli, or finish it.") from None
    except (OSError, ValueError) as error:
        raise InvalidManifest(f"{path} cannot be read as JSON ({error}); make the set again.") from error
    version = document.get("format_version") if isinstance(document, dict) else None
    if version == 1:
        raise InvalidManifest(
            f"{path} was written by an earlier version of this program (format version 1); make the set again by the "
            f"generate_stimuli command that it records, into the same folder or another."
        )
    if version != FORMAT_VERSION:
        raise InvalidManifest(f"{path} has the format version {version!r}; this program reads {FORMAT_VERSION}.")
    try:
        manifest = _build(Manifest, document, "")
        _check(manifest)
    except _Fault as fault:
        raise InvalidManifest(f"{path} is not a stimulus set: {fault}.") from None
    return manifest


class _Fault(Exception):
    """What is wrong in a document, and where."""


def _check(manifest: Manifest) -> None:
    sources = {source.id for source in manifest.sources}
    ids, conditions = set(), set()
    for item in (*manifest.stimuli, *manifest.verification):
        if item.id in ids:
            raise _Fault(f"the id {item.id!r} is there twice")
        ids.add(item.id)
        if item.source not in sources:
            raise _Fault(f"{item.id!r} belongs to the source {item.source!r}, which is not listed")
        parts = PurePosixPath(item.file)
        if parts.is_absolute() or ".." in parts.parts or "\\" in item.file:
            raise _Fault(f"the file {item.file!r} of {item.id!r} lies outside the set")
        if parts.suffix not in (".mp4", ".webm"):
            raise _Fault(f"the file {item.file!r} of {item.id!r} is neither .mp4 nor .webm")
    for item in manifest.stimuli:
        if (item.source, item.condition) in conditions:
            raise _Fault(f"the condition {item.condition!r} of {item.source!r} is there twice")
        conditions.add((item.source, item.condition))


def _build(kind, value, where: str):
    """`value` of a JSON document as `kind`: a dataclass, tuple, union with None, or plain type."""
    if isinstance(kind, types.UnionType):
        if value is None:
            return None
        (kind,) = (part for part in typing.get_args(kind) if part is not type(None))
    if dataclasses.is_dataclass(kind):
        if not isinstance(value, dict):
            raise _Fault(f"{where or 'it'} must be an object")
        hints = typing.get_type_hints(kind)
        missing = [item.name for item in dataclasses.fields(kind) if _is_required(item) and item.name not in value]
        if missing:
            raise _Fault(f"{where + '.' if where else ''}{missing[0]} is missing")
        there = [name for name in hints if name in value]
        return kind(**{name: _build(hints[name], value[name], f"{where}.{name}".lstrip(".")) for name in there})
    if typing.get_origin(kind) is tuple:
        if not isinstance(value, list):
            raise _Fault(f"{where} must be a list")
        return tuple(_build(typing.get_args(kind)[0], item, f"{where}[{index}]") for index, item in enumerate(value))
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise _Fault(f"{where} must be {_KINDS[kind]}, it is {json.dumps(value)[:40]}")
    if kind is float and not math.isfinite(value):
        raise _Fault(f"{where} must be a finite number")
    return value


def _is_required(item: dataclasses.Field) -> bool:
    """Fields with a default came after the format version, and may be missing in older files."""
    return item.default is dataclasses.MISSING and item.default_factory is dataclasses.MISSING


_KINDS = {str: "text", int: "a whole number", float: "a number", bool: "true or false", dict: "an object"}
