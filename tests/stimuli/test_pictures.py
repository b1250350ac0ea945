"""Picture files of every kind, and those that are refused."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from stimuli.errors import InvalidSource
from stimuli.pictures import read_picture

NOISE = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)


def read(path):
    return read_picture(path).permute(1, 2, 0).numpy()


def write_16_bit_png(path, colour_type=2, channels=3):
    """Pillow writes none in colour, and reads the upper byte of one without a word."""

    def part(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    lines = b"".join(b"\0" + bytes(2 * channels * 8) for _ in range(8))
    head = struct.pack(">IIBBBBB", 8, 8, 16, colour_type, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + part(b"IHDR", head) + part(b"IDAT", zlib.compress(lines)) + part(b"IEND", b"")
    )


def test_every_format_comes_as_it_was_written(tmp_path):
    for suffix, options in (("png", {}), ("bmp", {}), ("tif", {}), ("webp", {"lossless": True})):
        path = tmp_path / f"a.{suffix}"
        Image.fromarray(NOISE).save(path, **options)
        assert np.array_equal(read(path), NOISE), suffix
    Image.fromarray(NOISE).save(tmp_path / "a.jpg", quality=95)
    assert np.array_equal(read(tmp_path / "a.jpg"), np.asarray(Image.open(tmp_path / "a.jpg")))


def test_grey_fills_all_channels_and_an_opaque_alpha_is_dropped(tmp_path):
    grey = Image.fromarray(NOISE[..., 0])
    grey.save(tmp_path / "grey.png")
    assert np.array_equal(read(tmp_path / "grey.png"), np.repeat(NOISE[..., :1], 3, axis=2))
    opaque = Image.fromarray(NOISE).convert("RGBA")
    opaque.save(tmp_path / "opaque.png")
    assert np.array_equal(read(tmp_path / "opaque.png"), NOISE)
    palette = Image.fromarray(NOISE).quantize(8)
    palette.save(tmp_path / "palette.png")
    assert np.array_equal(read(tmp_path / "palette.png"), np.asarray(palette.convert("RGB")))


def test_a_turned_photograph_is_read_as_it_is_seen(tmp_path):
    turned = Image.Exif()
    turned[0x0112] = 6  # a quarter to the right
    Image.fromarray(NOISE).save(tmp_path / "turned.png", exif=turned)
    assert np.array_equal(read(tmp_path / "turned.png"), np.rot90(NOISE, -1))


def test_what_needs_a_decision_is_refused_by_name(tmp_path):
    see_through = Image.fromarray(NOISE).convert("RGBA")
    see_through.putpixel((3, 4), (1, 2, 3, 254))
    see_through.save(tmp_path / "alpha.png")
    Image.fromarray(NOISE).quantize(8).save(tmp_path / "palette.png", transparency=0)
    write_16_bit_png(tmp_path / "rgb16.png")
    write_16_bit_png(tmp_path / "grey16.png", 0, 1)
    Image.fromarray(NOISE).convert("CMYK").save(tmp_path / "cmyk.tif")
    Image.fromarray(NOISE).save(tmp_path / "two.tif", save_all=True, append_images=[Image.fromarray(NOISE)])
    Image.fromarray(NOISE).save(tmp_path / "whole.png")
    (tmp_path / "broken.png").write_bytes((tmp_path / "whole.png").read_bytes()[:400])
    (tmp_path / "text.jpg").write_text("a text")
    for name, words in (
        ("alpha.png", "transparent in places; put it on"),
        ("palette.png", "transparent in places"),
        ("rgb16.png", "more than 8 bits per channel; save it with 8"),
        ("grey16.png", "more than 8 bits"),
        ("cmyk.tif", "CMYK picture; save it as RGB"),
        ("two.tif", "holds 2 pictures; save each"),
        ("broken.png", "cannot be read as a picture; remove it"),
        ("text.jpg", "cannot be read"),
        ("none.png", "There is no picture"),
    ):
        with pytest.raises(InvalidSource, match=words) as caught:
            read_picture(tmp_path / name)
        assert name in str(caught.value)
