"""Colour conversion against FFmpeg's exact flags, a float64 reference written from the standards, and itself."""

import itertools

import av
import numpy as np
import pytest
import torch
from av.video.reformatter import Interpolation

from stimuli.colour import (
    ColourDescription,
    PixelFormat,
    Planes,
    add_perturbation,
    delivered_colour,
    display_frames,
    luma,
    perturbation_planes,
    resolve_colour,
    to_delivery,
    to_rgb,
)
from stimuli.rounding import rounding_offsets

WEIGHTS = {"bt709": (0.2126, 0.0722), "smpte170m": (0.299, 0.114), "bt2020nc": (0.2627, 0.0593)}
SHIFTS = {"420": (1, 1), "422": (1, 0), "444": (0, 0)}


def description(matrix, range_="limited"):
    return ColourDescription(matrix, range_, "bt709", "bt709")


def random_planes(layout, depth=8, frames=2, height=32, width=48, seed=0):
    """Noise over all code values that limited range uses."""
    sx, sy = SHIFTS[layout]
    scale = 2 ** (depth - 8)
    generator = torch.Generator().manual_seed(seed)
    dtype = torch.uint8 if depth == 8 else torch.int32
    y = torch.randint(16 * scale, 235 * scale + 1, (frames, height, width), generator=generator).to(dtype)
    u, v = (
        torch.randint(16 * scale, 240 * scale + 1, (frames, height >> sy, width >> sx), generator=generator).to(dtype)
        for _ in range(2)
    )
    return Planes(y, u, v)


def reference_rgb(planes, layout, depth, colour):
    """float64, from ITU-T H.273; chroma by bilinear interpolation between sample centres, sample by sample."""
    kr, kb = WEIGHTS[colour.matrix]
    kg = 1 - kr - kb
    scale = 2 ** (depth - 8)
    y, u, v = (plane.numpy().astype(np.float64) for plane in (planes.y, planes.u, planes.v))
    if colour.range == "limited":
        y, u, v = (y / scale - 16) / 219, (u / scale - 128) / 224, (v / scale - 128) / 224
    else:
        peak = 2**depth - 1
        y, u, v = y / peak, (u - 128 * scale) / peak, (v - 128 * scale) / peak

    def stretch(plane, axis, size):
        centres = (np.arange(size) + 0.5) / 2 - 0.5
        low = np.floor(centres).astype(int)
        share = centres - low
        last = plane.shape[axis] - 1
        a = np.take(plane, np.clip(low, 0, last), axis)
        b = np.take(plane, np.clip(low + 1, 0, last), axis)
        shape = [1, 1, 1]
        shape[axis] = size
        share = share.reshape(shape)
        return a * (1 - share) + b * share

    sx, sy = SHIFTS[layout]
    for axis, shift in ((1, sy), (2, sx)):
        if shift:
            u, v = stretch(u, axis, y.shape[axis]), stretch(v, axis, y.shape[axis])
    rgb = [y + 2 * (1 - kr) * v, None, y + 2 * (1 - kb) * u]
    rgb[1] = (y - kr * rgb[0] - kb * rgb[2]) / kg
    return np.clip(np.stack(rgb, 1), 0, 1)


@pytest.mark.parametrize(
    ("matrix", "range_", "layout", "depth"),
    list(itertools.product(WEIGHTS, ("limited", "full"), SHIFTS, (8, 10, 12))),
)
def test_to_rgb_is_exact(matrix, range_, layout, depth):
    planes, colour = random_planes(layout, depth), description(matrix, range_)
    got = to_rgb(planes, PixelFormat("yuv", depth, *SHIFTS[layout]), colour).numpy()
    assert np.abs(got - reference_rgb(planes, layout, depth, colour)).max() < 2e-6


@pytest.mark.parametrize(("matrix", "av_matrix"), [("bt709", 1), ("smpte170m", 5)])
@pytest.mark.parametrize(("range_", "av_range"), [("limited", 1), ("full", 2)])
def test_agrees_with_ffmpegs_exact_flags(matrix, av_matrix, range_, av_range):
    """swscale with accurate rounding: at most one level off, 0.01 on average. 4:4:4, where siting plays no part."""
    planes = random_planes("444", height=64, width=96)
    frame = av.VideoFrame(96, 64, "yuv444p")
    for target, plane in zip(frame.planes, (planes.y, planes.u, planes.v), strict=True):
        view = np.frombuffer(target, np.uint8).reshape(-1, target.line_size)
        view[:, :96] = plane[0].numpy()
    frame.colorspace, frame.color_range = av_matrix, av_range
    flags = Interpolation.BILINEAR | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
    oracle = frame.reformat(
        format="rgb24", interpolation=flags, src_colorspace=av_matrix, src_color_range=av_range, dst_color_range=2
    ).to_ndarray()
    got = 255 * to_rgb(planes, PixelFormat("yuv", 8, 0, 0), description(matrix, range_))[0]
    error = np.abs(torch.floor(got + 0.5).permute(1, 2, 0).numpy() - oracle)
    assert error.max() <= 1
    assert error.mean() < 0.01


def test_rgb_sources_are_their_code_values():
    planes = Planes(*(torch.full((1, 4, 4), value, dtype=torch.uint8) for value in (0, 51, 255)))
    assert to_rgb(planes, PixelFormat("rgb", 8, 0, 0), description("rgb", "full"))[0, :, 0, 0].tolist() == [
        0,
        pytest.approx(0.2),
        1,
    ]


def test_display_frames_in_strips_are_those_of_the_whole_picture():
    generator = torch.Generator().manual_seed(4)
    sizes = ((2, 302, 34), (2, 151, 17), (2, 151, 17))
    planes = Planes(*(torch.randint(0, 256, size, generator=generator, dtype=torch.uint8) for size in sizes))
    kept = Planes(*(getattr(planes, name).clone() for name in "yuv"))
    rgb = to_rgb(planes, PixelFormat("yuv", 8, 1, 1), description("bt709"))
    assert torch.equal(display_frames(planes, description("bt709")), torch.floor(255 * rgb + 0.5) / 255)
    assert planes.equal(kept)


def test_display_frames_are_whole_levels():
    frames = display_frames(random_planes("420"), description("bt709"))
    assert frames.dtype == torch.float32
    assert torch.equal(frames, torch.round(255 * frames) / 255)


def test_eight_bit_limited_420_passes_bit_for_bit():
    planes = random_planes("420")
    kept = to_delivery(planes, PixelFormat("yuv", 8, 1, 1), description("smpte170m"))
    assert all(torch.equal(getattr(kept, name), getattr(planes, name)) for name in "yuv")


@pytest.mark.parametrize(("height", "width"), [(33, 49), (32, 49), (33, 48)])
@pytest.mark.parametrize("layout", SHIFTS)
def test_odd_sizes_lose_one_line(height, width, layout):
    sx, sy = SHIFTS[layout]
    planes = Planes(
        torch.randint(16, 236, (2, height, width)).to(torch.uint8),
        *(torch.randint(16, 240, (2, -(-height >> sy), -(-width >> sx))).to(torch.uint8) for _ in range(2)),
    )
    kept = to_delivery(planes, PixelFormat("yuv", 8, sx, sy), description("bt709"))
    even = (height // 2 * 2, width // 2 * 2)
    assert kept.y.shape[1:] == even
    assert kept.u.shape[1:] == kept.v.shape[1:] == (even[0] // 2, even[1] // 2)
    assert torch.equal(kept.y, planes.y[:, : even[0], : even[1]])


@pytest.mark.parametrize("matrix", WEIGHTS)
@pytest.mark.parametrize(
    ("layout", "depth", "range_"), [("420", 10, "limited"), ("444", 8, "full"), ("420", 8, "full"), ("422", 10, "full")]
)
def test_delivery_keeps_the_picture(matrix, layout, depth, range_):
    """Converted to the delivered form, a smooth picture shows the same colours within what 8 bits can hold."""
    source, pixel_format = description(matrix, range_), PixelFormat("yuv", depth, *SHIFTS[layout])
    ramp = torch.linspace(0.3, 0.7, 64)
    y = (ramp[None, :, None] * 0.5 + ramp[None, None, :] * 0.5) * (2**depth - 1)
    sx, sy = SHIFTS[layout]
    u = (0.4 + 0.2 * torch.linspace(0, 1, 64 >> sy))[None, :, None].expand(1, 64 >> sy, 64 >> sx) * (2**depth - 1)
    planes = Planes(*(torch.floor(p + 0.5).to(torch.int32) for p in (y, u, u.flip(1))))
    shown = display_frames(to_delivery(planes, pixel_format, source), delivered_colour(source))
    error = 255 * (shown - to_rgb(planes, pixel_format, source)).abs()
    assert error.max() < 3
    assert error.mean() < 0.8


def test_rgb_source_to_delivery_and_back():
    ramp = torch.linspace(60, 200, 64).expand(1, 64, 64)
    planes = Planes(*(torch.floor(p + 0.5).to(torch.uint8) for p in (ramp, ramp.transpose(1, 2), ramp)))
    rgb = description("rgb", "full")
    shown = display_frames(to_delivery(planes, PixelFormat("rgb", 8, 0, 0), rgb), delivered_colour(rgb))
    error = 255 * (shown - to_rgb(planes, PixelFormat("rgb", 8, 0, 0), rgb)).abs()
    # Away from the edge, where centre-sited chroma has a neighbour on both sides.
    assert error[..., 2:-2, 2:-2].max() < 3
    assert error.mean() < 0.8


@pytest.mark.parametrize("matrix", WEIGHTS)
@pytest.mark.parametrize("rounding", ["dither", "nearest"])
def test_delta_zero_returns_the_source_bit_for_bit(matrix, rounding):
    planes = random_planes("420")
    offsets = rounding_offsets(rounding, seed=3, height=32, width=48, device="cpu")
    change = perturbation_planes(torch.zeros(2, 3, 32, 48), description(matrix))
    same = add_perturbation(planes, change, offsets)
    assert all(torch.equal(getattr(same, name), getattr(planes, name)) for name in "yuv")


@pytest.mark.parametrize("matrix", WEIGHTS)
def test_a_grey_change_moves_luma_by_its_levels(matrix):
    change = perturbation_planes(torch.full((1, 3, 8, 8), 10 / 219), description(matrix))
    assert torch.allclose(change.y, torch.full((1, 8, 8), 10.0), atol=1e-4)
    assert change.u.abs().max() < 1e-4


def test_perturbation_is_the_inverse_of_the_display():
    """A smooth small change of RGB comes back from the planes it asks for, within rounding."""
    planes = Planes(*(torch.full((1, s, s), 120, dtype=torch.uint8) for s in (32, 16, 16)))
    colour = description("bt709")
    wave = torch.sin(torch.linspace(0, 3, 32))
    delta = torch.stack([wave.expand(32, 32), -wave.expand(32, 32), wave.expand(32, 32).T])[None] * 12 / 255
    offsets = rounding_offsets("nearest", seed=0, height=32, width=32, device="cpu")
    changed = add_perturbation(planes, perturbation_planes(delta, colour), offsets)
    got = display_frames(changed, colour) - display_frames(planes, colour)
    assert (255 * (got - delta)).abs().max() < 3


def test_dither_keeps_the_mean_and_nearest_does_not():
    planes = Planes(*(torch.full((1, s, s), 120, dtype=torch.uint8) for s in (128, 64, 64)))
    change = perturbation_planes(torch.full((1, 3, 128, 128), 0.3 / 219), description("bt709"))
    results = {}
    for rounding in ("dither", "nearest"):
        offsets = rounding_offsets(rounding, seed=1, height=128, width=128, device="cpu")
        results[rounding] = float(add_perturbation(planes, change, offsets).y.float().mean()) - 120
    assert results["dither"] == pytest.approx(0.3, abs=0.02)
    assert results["nearest"] == 0


def test_dither_depends_on_the_seed_and_nothing_else():
    first, again, other = (rounding_offsets("dither", seed=s, height=16, width=24, device="cpu") for s in (5, 5, 6))
    assert torch.equal(first.y, again.y)
    assert not torch.equal(first.y, other.y)
    assert first.y.min() >= 0 and first.y.max() < 1


@pytest.mark.parametrize(
    ("height", "tag", "expected"), [(1080, 2, "bt709"), (720, 0, "bt709"), (540, 2, "smpte170m"), (540, 1, "bt709")]
)
def test_untagged_matrix_goes_by_height(height, tag, expected):
    colour = resolve_colour(matrix=tag, range_=0, primaries=2, transfer=2, rgb=False, height=height)
    assert colour == ColourDescription(expected, "limited", "bt709", "bt709")


def test_luma_weights_follow_the_matrix():
    red = torch.tensor([1.0, 0, 0]).view(1, 3, 1, 1)
    assert float(luma(red, description("bt709"))) == pytest.approx(0.2126)
    assert float(luma(red, description("smpte170m"))) == pytest.approx(0.299)
