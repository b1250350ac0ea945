"""What can be read of a video file without a codec."""

import struct

import pytest

from studyserver.leak_media import media_facts


@pytest.fixture
def mp4(tiny_set):
    return sorted((tiny_set / "media").iterdir())[0].read_bytes()


@pytest.mark.slow
def test_a_file_tells_its_length_its_frames_and_its_padding(mp4):
    labels, amounts = media_facts(mp4)
    assert (labels["bytes"], labels["frames"], labels["duration"], labels["codec"]) == (
        len(mp4),
        25,
        "1000/1000 s",
        "avc1",
    )
    assert "x264" in labels["encoder settings"]
    padded, more = media_facts(mp4 + struct.pack(">I4s", 20, b"free") + bytes(12))
    assert more["free"] == amounts["free"] + 12
    assert {name: value for name, value in padded.items() if name != "bytes"} == {
        name: value for name, value in labels.items() if name != "bytes"
    }


def test_another_duration_or_a_title_is_a_label(mp4):
    labels, _ = media_facts(mp4)
    place = mp4.index(b"mvhd") + 20
    longer, _ = media_facts(mp4[:place] + struct.pack(">I", 1040) + mp4[place + 4 :])
    assert longer["duration"] == "1040/1000 s"
    title = struct.pack(">I4s", 20, b"name") + b"gold example"
    titled, _ = media_facts(mp4 + title)
    assert set(titled) - set(labels) == {"name"} and titled["name"].endswith("gold example")


def test_a_webm_file_tells_its_length_and_its_names():
    def element(kind: bytes, body: bytes) -> bytes:
        return kind + (len(body) | 1 << 28).to_bytes(4) + body

    length = element(b"\x44\x89", struct.pack(">d", 320.0))
    info = element(b"\x15\x49\xa9\x66", length + element(b"\x4d\x80", b"a muxer's name"))
    stream = element(b"\x1f\x43\xb6\x75", bytes(100))
    padding = element(b"\xec", bytes(50))
    data = element(b"\x1a\x45\xdf\xa3", b"\x42\x82\x84webm") + element(b"\x18\x53\x80\x67", info + stream) + padding
    labels, amounts = media_facts(data)
    assert labels["duration"] == 320.0 and "a muxer's name" in labels["Segment/Info/4D80"]
    assert amounts == {"Segment/Cluster": 100, "Void": 50}


@pytest.mark.parametrize(
    ("data", "container"),
    [(b"", "unknown"), (b"GIF89a", "unknown"), (b"\0\0\0\x08ftyp\0\0\0\x01moov", "damaged")],
)
def test_what_is_no_video_is_called_so(data, container):
    assert media_facts(data)[0]["container"] == container
