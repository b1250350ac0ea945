"""Real files through probe, decode and encode; every refused kind gets one sentence that names the file."""

import subprocess
import sys
from fractions import Fraction

import av
import numpy as np
import pytest
import torch
from av.video.reformatter import Interpolation

from stimuli.clip import Clip, evenly_spaced
from stimuli.colour import ColourDescription, PixelFormat, Planes, display_frames, to_rgb
from stimuli.delivery import get_profile
from stimuli.errors import DiskFull, InvalidSource, VideoError
from stimuli.video import codec_string, probe, read_planes, write_video
from tests.stimuli.conftest import BT601, BT709, textured

CPU = torch.device("cpu")


def encode(
    path, frames, *, codec="libx264", pix_fmt="yuv420p", rate=25, times=None, tags=None, options=None, turn=None
):
    """Write numpy frames with PyAV itself, so that a file can be as odd as a test wants."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, options=options or {})
        stream.width, stream.height, stream.pix_fmt = frames[0].width, frames[0].height, pix_fmt
        for name, value in (tags or {}).items():
            setattr(stream.codec_context, name, value)
        if turn:
            stream.set_display_rotation(turn)
        for index, frame in enumerate(frames):
            frame.pts = index if times is None else times[index]
            frame.time_base = Fraction(1, rate)
            for name, value in (tags or {}).items():
                setattr(frame, name, value)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def grey_frames(count=6, width=64, height=48, pix_fmt="yuv420p"):
    frames = []
    for index in range(count):
        frame = av.VideoFrame(width, height, pix_fmt)
        for plane in frame.planes:
            view = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
            view[:] = 60 + 5 * index
        frames.append(frame)
    return frames


def refused(path, *words):
    with pytest.raises(InvalidSource) as caught:
        probe(path)
    sentence = str(caught.value)
    assert path.name in sentence
    assert "\n" not in sentence
    for word in words:
        assert word in sentence, sentence


@pytest.mark.parametrize("colour", [BT709, BT601, ColourDescription("bt2020nc", "limited", "bt2020", "bt2020-10")])
def test_all_four_tags_and_the_rate_survive(tmp_path, colour):
    path = tmp_path / "tagged.mp4"
    rate = Fraction(30000, 1001)
    planes = textured(5, 64, 80)
    count = write_video(
        path,
        [planes[:2], planes[2:]],
        width=80,
        height=64,
        fps=rate,
        colour=colour,
        profile=get_profile("h264"),
        pixel_aspect=Fraction(12, 11),
    )
    info = probe(path)
    assert count == info.frames == 5
    assert (info.width, info.height, info.fps, info.colour) == (80, 64, rate, colour)
    assert info.pixel_aspect == Fraction(12, 11)
    assert codec_string(path).startswith("avc1.6400")  # High profile, never High 4:4:4 Predictive (f4)


def test_near_lossless(make_clip):
    planes = textured(6, 64, 80)
    decoded = Planes.cat(list(read_planes(make_clip(), chunk=4)))
    for name in "yuv":
        error = (getattr(planes, name).float() - getattr(decoded, name).float()).abs()
        assert error.mean() < 0.7


def test_group_of_pictures_and_faststart(make_clip):
    path = make_clip(frames=32)
    with av.open(str(path)) as container:
        keys = [p.is_keyframe for p in container.demux(video=0) if p.size]
    assert max(np.diff([i for i, key in enumerate(keys) if key])) <= 15
    data = path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def test_same_input_same_bytes(make_clip):
    assert make_clip().read_bytes() == make_clip("again").read_bytes()


@pytest.mark.parametrize("chunk", [1, 4, 100])
def test_chunks_do_not_change_what_is_read(make_clip, chunk):
    path = make_clip(frames=6)
    parts = list(read_planes(path, chunk=chunk))
    assert max(len(part) for part in parts) <= chunk
    whole = Planes.cat(list(read_planes(path, chunk=6)))
    assert torch.equal(Planes.cat(parts).y, whole.y)


def test_limit_reads_the_first_frames(make_clip):
    assert sum(len(part) for part in read_planes(make_clip(frames=6), chunk=4, limit=5)) == 5


def test_a_file_shows_what_ffmpegs_exact_flags_show(tmp_path):
    """A real 4:2:0 file with chroma that is flat along x: there libswscale's siting and ours agree."""
    frame = av.VideoFrame(64, 48, "yuv420p")
    generator = np.random.default_rng(0)
    for plane, (low, high) in zip(frame.planes, ((40, 210), (90, 160), (90, 160)), strict=True):
        view = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
        view[:] = generator.integers(low, high, view.shape if plane.width == 64 else (plane.height, 1))
    tags = {"colorspace": 1, "color_range": 1, "color_primaries": 1, "color_trc": 1}
    path = encode(tmp_path / "exact.mkv", [frame], codec="ffv1", tags=tags)
    shown = display_frames(next(read_planes(path, chunk=1)), probe(path).colour)
    with av.open(str(path)) as container:
        decoded = next(container.decode(video=0))
        flags = Interpolation.BILINEAR | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
        oracle = decoded.reformat(format="rgb24", interpolation=flags, dst_color_range=2).to_ndarray()
    error = np.abs(255 * shown[0].permute(1, 2, 0).numpy() - oracle)
    assert error.max() < 1.5
    assert error.mean() < 0.01


def test_ten_bit_planes_keep_their_levels(tmp_path):
    frame = av.VideoFrame(64, 48, "yuv420p10le")
    for plane, value in zip(frame.planes, (301, 515, 509), strict=True):
        np.frombuffer(plane, np.uint16)[:] = value
    path = encode(tmp_path / "ten.mkv", [frame], codec="ffv1", pix_fmt="yuv420p10le", times=[0])
    info = probe(path)
    assert info.pixel_format == PixelFormat("yuv", 10, 1, 1)
    planes = next(read_planes(path, chunk=1))
    assert (planes.y.unique().tolist(), planes.u.unique().tolist(), planes.v.unique().tolist()) == ([301], [515], [509])


def test_rgb_planes_come_as_red_green_blue(tmp_path):
    rgb = np.zeros((48, 64, 3), np.uint8)
    rgb[:] = (10, 120, 230)
    frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format="bgr0")
    path = encode(tmp_path / "rgb.mkv", [frame], codec="ffv1", pix_fmt="bgr0", times=[0])
    info = probe(path)
    assert info.pixel_format.kind == "rgb"
    shown = to_rgb(next(read_planes(path, chunk=1)), info.pixel_format, info.colour)
    assert (255 * shown[0, :, 0, 0]).round().tolist() == [10, 120, 230]


def test_full_range_is_known(tmp_path):
    path = encode(tmp_path / "full.mp4", grey_frames(pix_fmt="yuvj420p"), pix_fmt="yuvj420p")
    assert probe(path).colour.range == "full"


@pytest.mark.parametrize(("width", "height"), [(65, 48), (64, 49), (65, 49)])
def test_odd_size_is_cropped(tmp_path, width, height):
    path = encode(tmp_path / "odd.mkv", grey_frames(width=width, height=height), codec="ffv1")
    info = probe(path)
    assert (info.width, info.height) == (width, height)
    clip = Clip.open(path, info, max_frames=None, chunk=4, device=CPU)
    _, planes = next(clip.chunks())
    assert planes.y.shape[1:] == (clip.height, clip.width) == (48, 64)
    clip.write(tmp_path / "even.mp4", (planes for _, planes in clip.chunks()), get_profile("h264"))
    assert (probe(tmp_path / "even.mp4").width, probe(tmp_path / "even.mp4").frames) == (64, 6)


def test_not_a_video(tmp_path):
    path = tmp_path / "notes.mp4"
    path.write_text("this is no video")
    refused(path, "not a video")


def test_empty_file(tmp_path):
    path = tmp_path / "empty.mp4"
    path.touch()
    refused(path, "not a video")


def test_missing_file(tmp_path):
    refused(tmp_path / "nowhere.mp4", "not a file")


def test_a_text_file_is_not_played_as_a_picture_of_text(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("what FFmpeg shows as a terminal\n" * 40)
    refused(path, "text file, not a video")


def test_sound_only(tmp_path):
    path = tmp_path / "sound.wav"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        frame.rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    refused(path, "no video stream")


@pytest.mark.parametrize("suffix", ["mkv", "avi"])
def test_zero_frames(tmp_path, suffix):
    path = tmp_path / f"none.{suffix}"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        container.start_encoding()
    refused(path, "without a single frame")


def test_truncated(make_clip):
    path = make_clip(frames=20)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * 0.6)])
    refused(path, "get a whole copy")


def test_variable_rate_names_the_command_that_mends_it(tmp_path):
    path = encode(tmp_path / "vfr.mp4", grey_frames(), times=[0, 1, 2, 5, 6, 9])
    refused(path, "variable frame rate", "ffmpeg -i IN -vf fps=")


def test_interlaced(tmp_path):
    path = encode(tmp_path / "interlaced.mp4", grey_frames(height=64), options={"x264-params": "tff=1"})
    refused(path, "interlaced", "bwdif")


def test_rotated(tmp_path):
    path = encode(tmp_path / "turned.mp4", grey_frames(), turn=90)
    refused(path, "rotated")


def test_hdr(tmp_path):
    tags = {"color_trc": 16, "color_primaries": 9, "colorspace": 9, "color_range": 1}
    path = encode(tmp_path / "hdr.mp4", grey_frames(), tags=tags)
    refused(path, "HDR", "smpte2084")


def test_unknown_matrix(tmp_path):
    path = encode(tmp_path / "fcc.mp4", grey_frames(), tags={"colorspace": 4, "color_range": 1})
    refused(path, "matrix number 4")


def test_unknown_pixel_format(tmp_path):
    path = encode(tmp_path / "411.mkv", grey_frames(pix_fmt="yuv411p"), codec="ffv1", pix_fmt="yuv411p")
    refused(path, "yuv411p", "ffmpeg -i IN")


def test_no_space_left_is_said(tmp_path, monkeypatch):
    class Full:
        def __init__(self, *_, **__):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(av, "open", Full)
    with pytest.raises(DiskFull, match="no space left"):
        write_video(
            tmp_path / "x.mp4", [], width=64, height=48, fps=Fraction(25), colour=BT709, profile=get_profile("h264")
        )


def test_unwritable_folder_is_said(tmp_path):
    with pytest.raises(VideoError, match="could not be encoded"):
        write_video(
            tmp_path / "absent" / "x.mp4",
            [textured(1, 64, 80)],
            width=80,
            height=64,
            fps=Fraction(25),
            colour=BT709,
            profile=get_profile("h264"),
        )


def test_evenly_spaced_frames():
    assert evenly_spaced(24, 8) == (1, 4, 7, 10, 13, 16, 19, 22)
    assert evenly_spaced(3, 8) == (0, 1, 2)


@pytest.mark.slow
def test_memory_does_not_grow_with_the_clip(tmp_path):
    """Peak memory of decoding, converting and encoding: a clip four times as long takes no more."""
    code = """
import resource, sys, torch
from fractions import Fraction
from pathlib import Path
from stimuli.clip import Clip
from stimuli.colour import Planes
from stimuli.delivery import get_profile
from stimuli.video import probe, write_video
torch.set_num_threads(1)
source, frames = Path(sys.argv[1]), int(sys.argv[2])
still = torch.linspace(40, 200, 640).to(torch.uint8).expand(4, 480, 640).contiguous()
part = Planes(still, still[:, ::2, ::2].contiguous(), still[:, 1::2, 1::2].contiguous())
from stimuli.colour import ColourDescription
colour = ColourDescription("bt709", "limited", "bt709", "bt709")
write_video(source, (part for _ in range(frames // 4)), width=640, height=480, fps=Fraction(25), colour=colour,
            profile=get_profile("h264"))
clip = Clip.open(source, probe(source), max_frames=None, chunk=4, device=torch.device("cpu"))
clip.write(source.with_name("out.mp4"), (planes for _, planes in clip.chunks()), get_profile("h264"))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""
    peaks = []
    for frames in (60, 240):
        done = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path / "in.mp4"), str(frames)], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        peaks.append(int(done.stdout))
    # 180 more frames are 83 MB as planes, 660 MB as float RGB.
    assert peaks[1] - peaks[0] < 40
