"""Delivered files as the web process reads them, without torch."""

from dataclasses import replace
from fractions import Fraction

import numpy
import pytest
import torch

from stimuli import delivered_pictures, inspect_delivered
from stimuli.colour import display_frames
from stimuli.delivery import get_profile
from stimuli.errors import InvalidSource
from stimuli.video import read_planes, write_video
from tests.stimuli.conftest import BT709, textured


@pytest.fixture(params=["h264", "vp9-lossless"])
def delivered(request, tmp_path):
    """A file of 10 frames as the product writes it, with another matrix than the usual one."""
    profile = get_profile(request.param)
    path = tmp_path / f"file{profile.suffix}"
    colour = replace(BT709, matrix="smpte170m")
    write_video(path, [textured(10, 64, 80)], width=80, height=64, fps=Fraction(25), colour=colour, profile=profile)
    return path


def test_a_file_says_what_was_written(delivered):
    found = inspect_delivered(delivered)
    assert (found.width, found.height, found.pixel_format) == (80, 64, "yuv420p")
    assert found.seconds == pytest.approx(0.4, abs=0.04)
    assert (found.matrix, found.range, found.primaries, found.transfer) == ("smpte170m", "limited", "bt709", "bt709")


def test_pictures_are_the_decoded_planes(delivered):
    planes = next(read_planes(delivered, chunk=10))
    pictures = list(delivered_pictures(delivered))
    assert len(pictures) == 10
    for index, picture in enumerate(pictures):
        for name in "yuv":
            assert numpy.array_equal(getattr(picture, name), getattr(planes, name)[index].numpy())
    assert pictures[0].levels().shape == (3, 64, 80)


def test_colours_to_look_at_are_those_of_the_exact_arithmetic(delivered):
    """Where chroma is flat, repeating it and interpolating it are the same."""
    planes = next(read_planes(delivered, chunk=10))
    picture = next(delivered_pictures(delivered))
    flat = replace(picture, u=numpy.full_like(picture.u, 100), v=numpy.full_like(picture.v, 150))
    exact = replace(planes[:1], u=torch.full_like(planes.u[:1], 100), v=torch.full_like(planes.v[:1], 150))
    expected = display_frames(exact, replace(BT709, matrix="smpte170m"))[0].permute(1, 2, 0).numpy() * 255
    assert abs(flat.rgb() - expected).max() <= 0.501


@pytest.mark.parametrize("content", [None, b"", b"no video at all", b"\0" * 4000])
def test_what_is_no_video_is_one_sentence(tmp_path, content):
    path = tmp_path / "file.mp4"
    if content is not None:
        path.write_bytes(content)
    for read in (inspect_delivered, lambda path: list(delivered_pictures(path))):
        with pytest.raises(InvalidSource, match=str(path)):
            read(path)


def test_untagged_files_say_so(tmp_path):
    import av

    path = tmp_path / "untagged.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        container.mux(stream.encode(av.VideoFrame(64, 48, "yuv420p")))
        container.mux(stream.encode())
    found = inspect_delivered(path)
    assert (found.matrix, found.range, found.primaries, found.transfer) == (None, None, None, None)
