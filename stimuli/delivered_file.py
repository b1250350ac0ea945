"""Delivered files as they lie on a server: what they say of themselves, and their pictures, without torch.

The web process reads files here and nowhere else; making and scoring stimuli goes through stimuli.video.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

from stimuli.colour_names import LUMA_WEIGHTS, MATRICES, PRIMARIES, RANGES, TRANSFERS
from stimuli.errors import InvalidSource

__all__ = ["DeliveredFile", "DeliveredPicture", "delivered_pictures", "inspect_delivered"]

_PIXEL_FORMATS = ("yuv420p",)


@dataclass(frozen=True)
class DeliveredFile:
    """What the head and the first frame of a file tell.

    seconds: length by the container. The four colour tags are FFmpeg's names; None where the file does not say, and
    the bare number where the name is not known here.
    """

    width: int
    height: int
    seconds: float
    codec: str
    pixel_format: str
    matrix: str | None
    range: str | None
    primaries: str | None
    transfer: str | None


@dataclass(frozen=True)
class DeliveredPicture:
    """One decoded 8-bit limited-range 4:2:0 frame: y (H,W), u and v (H/2,W/2), uint8, and its matrix."""

    y: np.ndarray
    u: np.ndarray
    v: np.ndarray
    matrix: str

    def levels(self) -> np.ndarray:
        """(3,H,W) int16: the code values of the three planes, chroma repeated to full size."""
        return np.stack([self.y, *(_enlarged(plane, self.y.shape) for plane in (self.u, self.v))]).astype(np.int16)

    def rgb(self) -> np.ndarray:
        """(H,W,3) float32 from 0 to 255, not rounded; chroma is repeated, not interpolated: for looking only."""
        red, blue = LUMA_WEIGHTS.get(self.matrix, LUMA_WEIGHTS["bt709"])
        y, u, v = self.levels().astype(np.float32)
        y, u, v = (y - 16) / 219, (u - 128) / 224, (v - 128) / 224
        r, b = y + 2 * (1 - red) * v, y + 2 * (1 - blue) * u
        g = (y - red * r - blue * b) / (1 - red - blue)
        return (np.stack([r, g, b], axis=-1) * 255).clip(0, 255)


def inspect_delivered(path: Path) -> DeliveredFile:
    """Describe a delivered file by its head and first frame.

    Raises: InvalidSource, one sentence: missing, no video, or damaged where it begins.
    """
    with _reading(path) as (container, stream):
        frame = next(container.decode(stream), None)
        if frame is None:
            raise InvalidSource(f"{path} holds a video stream without a single frame; get a whole copy of it.")
        seconds = stream.duration * stream.time_base if stream.duration else (container.duration or 0) / 10**6
        return DeliveredFile(
            width=frame.width,
            height=frame.height,
            seconds=float(seconds),
            codec=stream.codec_context.name,
            pixel_format=frame.format.name,
            matrix=_name(MATRICES, frame.colorspace),
            range=_name(RANGES, frame.color_range),
            primaries=_name(PRIMARIES, frame.color_primaries),
            transfer=_name(TRANSFERS, frame.color_trc),
        )


def delivered_pictures(path: Path) -> Iterator[DeliveredPicture]:
    """Decode a delivered file frame by frame.

    Raises: InvalidSource as `inspect_delivered`, and for another pixel format than 8-bit 4:2:0.
    """
    with _reading(path) as (container, stream):
        for frame in container.decode(stream):
            if frame.format.name not in _PIXEL_FORMATS:
                raise InvalidSource(f"{path} has the pixel format {frame.format.name}; delivered files are yuv420p.")
            y, u, v = (
                np.frombuffer(plane, np.uint8).reshape(plane.height, -1)[:, : plane.width].copy()
                for plane in frame.planes
            )
            yield DeliveredPicture(y, u, v, _name(MATRICES, frame.colorspace) or "bt709")


@contextmanager
def _reading(path: Path):
    if not path.is_file():
        raise InvalidSource(f"{path} is not a file.")
    try:
        with av.open(str(path), "r") as container:
            if not container.streams.video:
                raise InvalidSource(f"{path} has no video stream; give a file with pictures in it.")
            stream = container.streams.video[0]
            # One thread: a server has other work, and the head needs no second.
            stream.codec_context.thread_count = 1
            yield container, stream
    except (av.FFmpegError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InvalidSource(f"{path} is not a video that can be decoded, or it is damaged ({reason}).") from error


def _name(table: dict[int, str], code: int) -> str | None:
    """The name of a tag; 2, "unspecified" in H.273 (and 0 for the range), is a missing tag."""
    code = int(code)
    if table is RANGES:
        return table.get(code)
    return None if code == 2 else table.get(code, str(code))


def _enlarged(plane: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    return plane.repeat(2, 0).repeat(2, 1)[: shape[0], : shape[1]]
