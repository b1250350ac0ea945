"""A source in its delivered form: 8-bit 4:2:0 limited planes of an even size, in chunks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import torch

from stimuli.colour import ColourDescription, Planes, delivered_colour, to_delivery
from stimuli.delivery import DeliveryProfile
from stimuli.errors import VideoError
from stimuli.video import VideoInfo, read_planes, write_video

__all__ = ["Clip", "evenly_spaced", "fitting_chunk", "in_whole_windows"]

# Enough frames in a chunk to keep a metric busy, few enough that float frames and gradients stay small.
_PIXELS_PER_CHUNK = 2**21


@dataclass(frozen=True)
class Clip:
    """The first `frames` frames of a source file; planes come on `device`, `chunk` frames at a time."""

    path: Path
    info: VideoInfo
    frames: int
    chunk: int
    device: torch.device

    @classmethod
    def open(
        cls, path: Path, info: VideoInfo, *, max_frames: int | None, chunk: int | None, device: torch.device
    ) -> "Clip":
        """`max_frames` None takes all frames; `chunk` None fits the chunk to the picture size."""
        frames = min(info.frames, max_frames or info.frames)
        return cls(path, info, frames, chunk or fitting_chunk(info.width, info.height), device)

    @property
    def width(self) -> int:
        return self.info.width // 2 * 2

    @property
    def height(self) -> int:
        return self.info.height // 2 * 2

    @property
    def fps(self) -> Fraction:
        return self.info.fps

    @property
    def colour(self) -> ColourDescription:
        """Of the delivered planes."""
        return delivered_colour(self.info.colour)

    def in_windows(self, window: int) -> "Clip":
        """The same clip in chunks that are a whole number of a metric's windows of `window` frames."""
        return replace(self, chunk=in_whole_windows(self.chunk, window))

    def chunks(self) -> Iterator[tuple[int, Planes]]:
        """(index of the first frame, uint8 planes) from the start of the clip to its end."""
        first = 0
        for planes in read_planes(self.path, chunk=self.chunk, limit=self.frames):
            yield first, to_delivery(planes.to(self.device), self.info.pixel_format, self.info.colour)
            first += len(planes)

    def pick(self, indices: Sequence[int]) -> Planes:
        """The frames of these indices, in the order of the clip."""
        return Planes.cat(
            [
                planes[index - first : index - first + 1]
                for first, planes in self.chunks()
                for index in indices
                if first <= index < first + len(planes)
            ]
        )

    def delivered(self, path: Path) -> Iterator[Planes]:
        """Decoded planes of a delivered file of this clip, in the same chunks.

        Raises: VideoError where the file has more or fewer frames than the clip.
        """
        frames = 0
        for planes in read_planes(path, chunk=self.chunk):
            frames += len(planes)
            if len(planes) != self.chunk and frames != self.frames:
                break
            yield planes.to(self.device)
        if frames != self.frames:
            raise VideoError(f"{path} decodes to {frames} frames instead of {self.frames}; nothing of it is kept.")

    def write(self, path: Path, chunks: Iterator[Planes], profile: DeliveryProfile) -> None:
        """Encode planes of this clip's size, rate and colour."""
        write_video(
            path,
            chunks,
            width=self.width,
            height=self.height,
            fps=self.fps,
            colour=self.colour,
            profile=profile,
            pixel_aspect=self.info.pixel_aspect,
        )


def fitting_chunk(width: int, height: int) -> int:
    """Frames of this size to hold at a time."""
    return min(max(_PIXELS_PER_CHUNK // (width * height), 1), 16)


def in_whole_windows(chunk: int, window: int) -> int:
    """At least `chunk` frames, a whole number of windows."""
    return -(-chunk // window) * window


def evenly_spaced(frames: int, count: int) -> tuple[int, ...]:
    """At most `count` frame indices, the middles of equal parts of the clip."""
    count = min(count, frames)
    return tuple((2 * part + 1) * frames // (2 * count) for part in range(count))
