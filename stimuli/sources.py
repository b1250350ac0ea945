"""Source files of a set: hashed, probed once, and refused before any work starts."""

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from stimuli.colour import ColourDescription, PixelFormat
from stimuli.errors import InvalidRequest, InvalidSource
from stimuli.store import SetFolder, fingerprint, hash_of_file
from stimuli.video import VideoInfo, probe

__all__ = ["SourceFile", "open_sources"]

# VIF needs 41 pixels a side, an H.264 block 16; below that nothing can be judged anyway.
_SMALLEST = 48


@dataclass(frozen=True)
class SourceFile:
    """A source: its id in the set, where it is, what it holds."""

    id: str
    path: Path
    sha256: str
    bytes: int
    info: VideoInfo


def open_sources(paths: Iterable[Path], folder: SetFolder) -> list[SourceFile]:
    """All sources, checked; what probing found is kept in the folder, so a second run decodes nothing.

    Raises: InvalidSource; InvalidRequest for the same content twice.
    """
    sources: list[SourceFile] = []
    for path in paths:
        try:
            sha256 = hash_of_file(path) if path.is_file() else ""
        except OSError as error:
            raise InvalidSource(f"{path} cannot be read: {error.strerror or error}.") from error
        for other in sources:
            if other.sha256 == sha256:
                raise InvalidRequest(f"{path} and {other.path} are the same video; give each source once.")
        key = fingerprint({"probe": sha256})
        record = folder.load(key)
        if record is None:
            record = folder.commit(key, _to_json(probe(path)))
        info = _from_json(record)
        if min(info.width, info.height) < _SMALLEST:
            raise InvalidSource(
                f"{path} is {info.width}x{info.height}; a source must be at least {_SMALLEST} pixels wide and high."
            )
        sources.append(SourceFile(path.stem, path, sha256, path.stat().st_size, info))
    return sources


def _to_json(info: VideoInfo) -> dict:
    return dataclasses.asdict(info) | {"fps": str(info.fps), "pixel_aspect": str(info.pixel_aspect)}


def _from_json(record: dict) -> VideoInfo:
    return VideoInfo(
        **record
        | {
            "fps": Fraction(record["fps"]),
            "pixel_aspect": Fraction(record["pixel_aspect"]),
            "colour": ColourDescription(**record["colour"]),
            "pixel_format": PixelFormat(**record["pixel_format"]),
        }
    )
