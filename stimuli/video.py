"""Video files: probing, streaming decode to planes, streaming encode of the delivered file (PyAV)."""

import dataclasses
import errno
import itertools
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import torch

from stimuli.colour import MATRICES, PRIMARIES, TRANSFERS, ColourDescription, PixelFormat, Planes, resolve_colour
from stimuli.delivery import DeliveryProfile
from stimuli.errors import DiskFull, InvalidSource, VideoError

__all__ = [
    "Picture",
    "VideoInfo",
    "announced_frames",
    "av_versions",
    "codec_string",
    "probe",
    "read_planes",
    "read_unprobed",
    "write_video",
]

# The names that PyAV prints; yuvj* are the full-range twins of old MJPEG and phone files.
_YUV_NAME = re.compile(r"yuv(j?)(420|422|444)p(?:(10|12)le)?")
_RGB_FORMATS = {"gbrp": 8, "gbrp10le": 10, "gbrp12le": 12}
_PACKED_RGB = {"rgb24", "bgr24", "rgb0", "bgr0", "0rgb", "0bgr"}
_SHIFTS = {"420": (1, 1), "422": (1, 0), "444": (0, 0)}
# Ten times the level, most luma samples a second, most luma samples a picture (VP9 levels, webmproject.org/vp9/levels).
_VP9_LEVELS = (
    (10, 829_440, 36_864),
    (11, 2_764_800, 73_728),
    (20, 4_608_000, 122_880),
    (21, 9_216_000, 245_760),
    (30, 20_736_000, 552_960),
    (31, 36_864_000, 983_040),
    (40, 83_558_400, 2_228_224),
    (41, 160_432_128, 2_228_224),
    (50, 311_951_360, 8_912_896),
    (51, 588_251_136, 8_912_896),
    (52, 1_176_502_272, 8_912_896),
    (60, 1_176_502_272, 35_651_584),
    (61, 2_353_004_544, 35_651_584),
)
_NO_FRAME = "{} holds a video stream without a single frame; get a whole copy of it."
_STANDARD_RATES = tuple(Fraction(n) for n in (24, 25, 30, 48, 50, 60, 100, 120)) + tuple(
    Fraction(n * 1000, 1001) for n in (24, 30, 48, 60, 120)
)


@dataclass(frozen=True)
class VideoInfo:
    """What a file really holds, counted by decoding it to its end."""

    width: int
    height: int
    frames: int
    fps: Fraction
    pixel_format: PixelFormat
    colour: ColourDescription
    pixel_aspect: Fraction
    codec: str


@dataclass(frozen=True)
class Picture:
    """What the first frame of a file tells of all."""

    width: int
    height: int
    pixel_format: PixelFormat
    colour: ColourDescription


def probe(path: Path) -> VideoInfo:
    """Decode a whole file once and describe it.

    Raises: InvalidSource, one sentence naming the file, where it is no video, has no frames, is truncated or damaged,
    has a variable frame rate, is interlaced, rotated by metadata, HDR, or of a pixel format or matrix that is not
    converted exactly here; where a command mends it, the sentence holds the command.
    """
    info, times = {}, []
    with _reading(path) as (container, stream):
        rate, time_base = stream.average_rate, stream.time_base
        for frame in _sound_frames(path, container, stream):
            info = info or _describe(path, frame, stream)
            times.append(frame.pts)
    return VideoInfo(frames=len(times), fps=_constant_rate(path, times, time_base, rate), **info)


def read_planes(path: Path, *, chunk: int, limit: int | None = None) -> Iterator[Planes]:
    """Decode a file in chunks of at most `chunk` frames, the first `limit` frames of it.

    Yields planes as they are coded (uint8, or int32 above 8 bits; R, G, B for RGB formats), never the whole clip.
    """
    with _reading(path) as (container, stream):
        batch, left = [], limit
        for frame in container.decode(stream):
            if left == 0:
                break
            batch.append(_planes_of(frame))
            left = None if left is None else left - 1
            if len(batch) == chunk:
                yield _stack(batch)
                batch = []
        if batch:
            yield _stack(batch)


def read_unprobed(
    path: Path, *, chunk: Callable[[int, int], int], limit: int | None = None
) -> Iterator[tuple[Picture, Planes]]:
    """As `read_planes`, in one pass with most of what `probe` would check: only the frame rate may be anything.

    chunk: (width, height) -> frames at a time.
    Raises: InvalidSource as `probe` does, where the fault is met: at a truncated end, when all else was yielded.
    """
    with _reading(path) as (container, stream):
        picture, batch = None, []
        for frame in itertools.islice(_sound_frames(path, container, stream), limit):
            if picture is None:
                info = _describe(path, frame, stream)
                picture = Picture(**{field.name: info[field.name] for field in dataclasses.fields(Picture)})
                size = chunk(picture.width, picture.height)
            batch.append(_planes_of(frame))
            if len(batch) == size:
                yield picture, _stack(batch)
                batch = []
        if batch:
            yield picture, _stack(batch)


def announced_frames(path: Path) -> int | None:
    """How many frames the head of a file says that there are, by their duration where it does not count them.

    None where it says nothing, or is no video.
    """
    try:
        with _reading(path) as (container, stream):
            length = stream.duration * stream.time_base if stream.duration else Fraction(container.duration or 0, 10**6)
            return stream.frames or round(length * (stream.average_rate or 0)) or None
    except InvalidSource:
        return None


def write_video(
    path: Path,
    chunks: Iterable[Planes],
    *,
    width: int,
    height: int,
    fps: Fraction,
    colour: ColourDescription,
    profile: DeliveryProfile,
    pixel_aspect: Fraction = Fraction(1),
) -> int:
    """Encode chunks of uint8 limited-range 4:2:0 planes to `path`; returns the number of frames.

    All four colour tags are written: a player that has to guess guesses another matrix than its neighbour.

    Raises: DiskFull; VideoError for anything else that the encoder refuses.
    """
    codes = _codes(colour)
    frames = 0
    try:
        with av.open(str(path), "w", format=profile.container, options=dict(profile.container_options)) as container:
            stream = container.add_stream(profile.encoder, rate=fps, options=dict(profile.options))
            stream.width, stream.height, stream.pix_fmt = width, height, profile.pixel_format
            stream.time_base = 1 / fps
            context = stream.codec_context
            context.time_base = 1 / fps
            context.gop_size = profile.group_of_pictures
            context.thread_count = profile.threads
            context.sample_aspect_ratio = pixel_aspect
            context.color_range = 1
            context.colorspace, context.color_primaries, context.color_trc = codes
            for planes in chunks:
                for index in range(len(planes)):
                    frame = _frame_of(planes, index, profile.pixel_format)
                    frame.pts, frame.time_base = frames, 1 / fps
                    frame.color_range = 1
                    frame.colorspace, frame.color_primaries, frame.color_trc = codes
                    container.mux(stream.encode(frame))
                    frames += 1
            container.mux(stream.encode(None))
    except (av.FFmpegError, OSError) as error:
        if getattr(error, "errno", None) == errno.ENOSPC:
            raise DiskFull(f"The disk is full: {path.parent} has no space left for the video being written.") from error
        raise VideoError(f"{path} could not be encoded: {error}.") from error
    return frames


def codec_string(path: Path) -> str:
    """The RFC 6381 name of a delivered file's codec, such as "avc1.640028" or "vp09.00.30.08"."""
    with _reading(path) as (_, stream):
        context = stream.codec_context
        if context.name == "h264":
            return "avc1." + bytes(context.extradata)[1:4].hex()
        area = context.width * context.height
        return f"vp09.00.{_vp9_level(area, area * stream.average_rate)}.08"


def av_versions() -> dict[str, str]:
    """Versions of PyAV and of the libavcodec inside it; both decide the bytes of an encoded file."""
    return {"av": av.__version__, "libavcodec": ".".join(map(str, av.library_versions["libavcodec"]))}


def _vp9_level(area: int, rate: Fraction) -> int:
    """Ten times the lowest VP9 level that holds pictures of `area` pixels at `rate` pixels a second."""
    return next((level for level, most_rate, most in _VP9_LEVELS if area <= most and rate <= most_rate), 62)


@contextmanager
def _reading(path: Path):
    if not path.is_file():
        raise InvalidSource(f"{path} is not a file.")
    try:
        with av.open(str(path), "r") as container:
            # FFmpeg reads any text file by its ending as a picture of text.
            if container.format.name == "tty":
                raise InvalidSource(f"{path} is a text file, not a video; give a file with pictures in it.")
            if not container.streams.video:
                raise InvalidSource(f"{path} has no video stream; give a file with pictures in it.")
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            yield container, stream
    except av.EOFError as error:
        raise InvalidSource(_NO_FRAME.format(path)) from error
    except (av.FFmpegError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InvalidSource(f"{path} is not a video that can be decoded, or it is damaged ({reason}).") from error


def _sound_frames(path: Path, container, stream) -> Iterator[av.VideoFrame]:
    """All frames. Raises InvalidSource where one is damaged or of another kind than the first, or some are missing."""
    first, frames = None, 0
    for frame in container.decode(stream):
        kind = (frame.width, frame.height, frame.format.name)
        first = first or kind
        if kind != first:
            raise InvalidSource(f"{path} changes its picture size or format at frame {frames}; cut it there.")
        if frame.is_corrupt:
            raise InvalidSource(f"{path} is damaged at frame {frames}; get a whole copy of it.")
        yield frame
        frames += 1
    if not frames:
        raise InvalidSource(_NO_FRAME.format(path))
    if stream.frames > frames:
        raise InvalidSource(
            f"{path} is truncated: it promises {stream.frames} frames and holds {frames}; get a whole copy."
        )


def _describe(path: Path, frame: av.VideoFrame, stream) -> dict:
    """The fields of VideoInfo that the first frame tells."""
    name = frame.format.name
    pixel_format = _pixel_format(name)
    if pixel_format is None:
        raise InvalidSource(
            f"{path} has the pixel format {name}, which is not converted exactly here; make it 4:2:0 first: "
            f"ffmpeg -i IN -pix_fmt yuv420p -crf 1 OUT.mp4"
        )
    if frame.rotation:
        raise InvalidSource(
            f"{path} is rotated by {frame.rotation} degrees through metadata; turn its pixels first: "
            f"ffmpeg -i IN -crf 1 OUT.mp4"
        )
    if frame.interlaced_frame:
        raise InvalidSource(f"{path} is interlaced; deinterlace it first: ffmpeg -i IN -vf bwdif -crf 1 OUT.mp4")
    codes = {"matrix": frame.colorspace, "primaries": frame.color_primaries, "transfer": frame.color_trc}
    known = {"matrix": MATRICES, "primaries": PRIMARIES, "transfer": TRANSFERS}
    for what, code in codes.items():
        if code not in known[what] and code not in (0, 2):
            raise InvalidSource(
                f"{path} has the colour {what} number {int(code)} of ITU-T H.273, which is not converted here; "
                f"convert it first: ffmpeg -i IN -vf colorspace=bt709 -crf 1 OUT.mp4"
            )
    colour = resolve_colour(
        matrix=codes["matrix"],
        range_=2 if "yuvj" in name else frame.color_range,
        primaries=codes["primaries"],
        transfer=codes["transfer"],
        rgb=pixel_format.kind == "rgb",
        height=frame.height,
    )
    if colour.transfer in ("smpte2084", "arib-std-b67"):
        raise InvalidSource(
            f"{path} is HDR ({colour.transfer}), which an 8-bit H.264 file cannot carry; tone-map it to BT.709 first."
        )
    return {
        "width": frame.width,
        "height": frame.height,
        "pixel_format": pixel_format,
        "colour": colour,
        "pixel_aspect": stream.sample_aspect_ratio or Fraction(1),
        "codec": stream.codec_context.name,
    }


def _pixel_format(name: str) -> PixelFormat | None:
    if name in _PACKED_RGB or name in _RGB_FORMATS:
        return PixelFormat("rgb", _RGB_FORMATS.get(name, 8), 0, 0)
    match = _YUV_NAME.fullmatch(name)
    return match and PixelFormat("yuv", int(match[3] or 8), *_SHIFTS[match[2]])


def _constant_rate(path: Path, times: list[int | None], time_base: Fraction, average: Fraction | None) -> Fraction:
    """The frame rate, where every frame lies within a quarter of a frame of its place."""
    if None in times or len(times) == 1:
        if not average:
            raise InvalidSource(f"{path} does not say its frame rate; give it one: ffmpeg -r 25 -i IN -crf 1 OUT.mp4")
        return _snap(average)
    span = (times[-1] - times[0]) * time_base
    step = span / (len(times) - 1)
    slack = step / 4 + time_base
    if step <= 0 or any(abs((time - times[0]) * time_base - index * step) > slack for index, time in enumerate(times)):
        raise InvalidSource(
            f"{path} has a variable frame rate; make it constant first: "
            f"ffmpeg -i IN -vf fps={float(average or 25):.4g} -crf 1 OUT.mp4"
        )
    return _snap(1 / step)


def _snap(rate: Fraction) -> Fraction:
    """The standard rate within 0.05 %: containers round time stamps, so 29.97 comes back as 29.9704."""
    nearest = min(_STANDARD_RATES, key=lambda standard: abs(standard - rate))
    return nearest if abs(nearest / rate - 1) < Fraction(1, 2000) else rate.limit_denominator(1001)


def _codes(colour: ColourDescription) -> tuple[int, int, int]:
    def code(table: dict[int, str], name: str) -> int:
        return next(number for number, known in table.items() if known == name)

    return code(MATRICES, colour.matrix), code(PRIMARIES, colour.primaries), code(TRANSFERS, colour.transfer)


def _planes_of(frame: av.VideoFrame) -> tuple[np.ndarray, ...]:
    if frame.format.name in _PACKED_RGB:
        frame = frame.reformat(format="gbrp")  # a shuffle of bytes, nothing is converted
    name = frame.format.name
    wide = frame.format.components[0].bits > 8
    arrays = []
    for plane in frame.planes:
        samples = np.frombuffer(plane, np.uint16 if wide else np.uint8)
        samples = samples.reshape(plane.height, -1)[:, : plane.width]
        arrays.append(samples.astype(np.int32) if wide else samples.copy())
    return (arrays[2], arrays[0], arrays[1]) if name in _RGB_FORMATS else tuple(arrays)


def _stack(batch: list[tuple[np.ndarray, ...]]) -> Planes:
    return Planes(*(torch.from_numpy(np.stack(planes)) for planes in zip(*batch, strict=True)))


def _frame_of(planes: Planes, index: int, pixel_format: str) -> av.VideoFrame:
    height, width = planes.y.shape[-2:]
    frame = av.VideoFrame(width, height, pixel_format)
    for target, source in zip(frame.planes, (planes.y, planes.u, planes.v), strict=True):
        view = np.frombuffer(target, np.uint8).reshape(-1, target.line_size)
        view[: target.height, : target.width] = source[index].cpu().numpy()
    return frame
