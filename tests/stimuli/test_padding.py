"""Bytes that make files equally large, read by parsers written here from the standards, and by a decoder."""

from fractions import Fraction

import numpy as np
import pytest

from stimuli.delivery import get_profile
from stimuli.padding import LEAST_PADDING, padding_header
from stimuli.store import SetFolder
from stimuli.video import codec_string, probe, read_planes, write_video
from tests.stimuli.conftest import BT709, textured


def boxes(data):
    """(type, size) of the boxes at the top of an ISO base media file; they must cover it to its last byte."""
    found, position = [], 0
    while position < len(data):
        size = int.from_bytes(data[position : position + 4])
        found.append((data[position + 4 : position + 8], size))
        position += size
    assert position == len(data)
    return found


def elements(data):
    """(id, size with header) of the EBML elements at the top; they must cover the data to its last byte."""

    def length(position):
        return next(n + 1 for n in range(8) if data[position] & 0x80 >> n)

    found, position = [], 0
    while position < len(data):
        head = length(position)
        number = data[position : position + head]
        width = length(position + head)
        value = int.from_bytes(data[position + head : position + head + width]) & (1 << 7 * width) - 1
        found.append((number, head + width + value))
        position += head + width + value
    assert position == len(data)
    return found


@pytest.mark.parametrize("size", [LEAST_PADDING, 100, 70_000, 3_000_000])
def test_the_padding_is_one_element_of_just_that_size(size):
    for suffix, parse, name in ((".mp4", boxes, b"free"), (".webm", elements, b"\xec")):
        header = padding_header(suffix, size)
        assert parse(header + bytes(size - len(header))) == [(name, size)]


@pytest.mark.parametrize("profile", ["h264", "vp9-lossless"])
def test_a_padded_file_decodes_to_the_same_frames(tmp_path, profile):
    profile = get_profile(profile)
    plain, padded = tmp_path / f"plain{profile.suffix}", tmp_path / f"padded{profile.suffix}"
    planes = textured(6, 64, 80)
    write_video(plain, [planes], width=80, height=64, fps=Fraction(25), colour=BT709, profile=profile)
    header = padding_header(profile.suffix, 5000)
    padded.write_bytes(plain.read_bytes() + header + bytes(5000 - len(header)))
    (elements if profile.container == "webm" else boxes)(padded.read_bytes())
    assert probe(padded) == probe(plain)
    assert codec_string(padded) == codec_string(plain)
    (before,), (after,) = read_planes(plain, chunk=9), read_planes(padded, chunk=9)
    assert all(np.array_equal(getattr(before, p), getattr(after, p)) for p in "yuv")
    if profile.name == "vp9-lossless":
        assert all(np.array_equal(getattr(before, p), getattr(planes, p)) for p in "yuv")


def test_padding_takes_a_manifest_away_that_tells_of_other_bytes(tmp_path):
    """A run killed between the padding and its own manifest leaves none that does not fit the files."""
    with SetFolder.open(tmp_path / "set", {}) as folder:
        records = []
        for key, size in (("a", 100), ("b", 140)):
            file = folder.temporary / f"{key}.mp4"
            file.write_bytes(bytes(size))
            records.append(folder.commit(key, {}, file))
        padded = folder.pad(records)
        assert {record["bytes"] for record in padded} == {140 + LEAST_PADDING}
        (folder.path / "manifest.json").write_text("{}")
        folder.pad(records)
        assert (folder.path / "manifest.json").exists()
        folder.pad(records[:1])
        assert not (folder.path / "manifest.json").exists()
