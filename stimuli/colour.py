"""Exact colour: YUV planes to what a screen shows and back, in torch.

Every default conversion of the common libraries is off by about one 8-bit level on average (nearest chroma,
truncation), as much as a weak perturbation; so the arithmetic is done here, from ITU-T H.273 and BT.709/601/2020.
Chroma of 4:2:0 and 4:2:2 is interpolated bilinearly between sample centres, which is what Chromium with GPU
compositing shows; its partner, the 2x2 mean, brings chroma down again.
"""

from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from stimuli.colour_names import LUMA_WEIGHTS, MATRICES, PRIMARIES, RANGES, TRANSFERS, ColourDescription

__all__ = [
    "MATRICES",
    "PRIMARIES",
    "TRANSFERS",
    "ColourDescription",
    "Perturbation",
    "PixelFormat",
    "Planes",
    "add_perturbation",
    "delivered_colour",
    "display_frames",
    "luma",
    "perturbation_planes",
    "resolve_colour",
    "to_delivery",
    "to_rgb",
]


@dataclass(frozen=True)
class PixelFormat:
    """Layout of decoded planes: `kind` "yuv" or "rgb", bits per sample, log2 of the chroma subsampling."""

    kind: str
    depth: int
    shift_x: int
    shift_y: int


@dataclass(frozen=True)
class Planes:
    """Three planes of N frames, (N,H,W) each (chroma smaller where subsampled); R, G, B for RGB sources.

    uint8 for the delivered 4:2:0 form; int32 for sources of more than 8 bits.
    """

    y: Tensor
    u: Tensor
    v: Tensor

    def __len__(self) -> int:
        return len(self.y)

    def __getitem__(self, frames: slice | list[int]) -> "Planes":
        return Planes(self.y[frames], self.u[frames], self.v[frames])

    def to(self, device: torch.device | str) -> "Planes":
        return Planes(self.y.to(device), self.u.to(device), self.v.to(device))

    def equal(self, other: "Planes") -> bool:
        return all(torch.equal(getattr(self, name), getattr(other, name)) for name in "yuv")

    @classmethod
    def cat(cls, parts: "list[Planes]") -> "Planes":
        return cls(*(torch.cat([getattr(part, name) for part in parts]) for name in "yuv"))


@dataclass(frozen=True)
class Perturbation:
    """A change of 4:2:0 limited-range planes in code values, float32: (N,H,W) and twice (N,H/2,W/2)."""

    y: Tensor
    u: Tensor
    v: Tensor


def resolve_colour(
    *, matrix: int, range_: int, primaries: int, transfer: int, rgb: bool, height: int
) -> ColourDescription:
    """Complete what a file says about its colour (H.273 numbers, 2 or 0 meaning unsaid).

    Untagged matrix: BT.709 from 720 lines on, else BT.601, as players do. Untagged primaries and transfer follow a
    709 or 2020 matrix; beside a 601 matrix they stay those of BT.709, because players that see 601 primaries map the
    gamut, which nobody asked for in an untagged file. Untagged range: limited, RGB always full.

    Raises: KeyError with the number of a matrix, primaries or transfer that this module does not know.
    """
    if rgb:
        name = "rgb"
    elif matrix in (0, 2):
        name = "bt709" if height >= 720 else "smpte170m"
    else:
        name = MATRICES[matrix]
    wide = name == "bt2020nc"
    return ColourDescription(
        matrix=name,
        range="full" if rgb else RANGES.get(range_, "limited"),
        primaries=("bt2020" if wide else "bt709") if primaries in (0, 2) else PRIMARIES[primaries],
        transfer=("bt2020-10" if wide else "bt709") if transfer in (0, 2) else TRANSFERS[transfer],
    )


def delivered_colour(source: ColourDescription) -> ColourDescription:
    """The description of the delivered file: the source's, in limited range (browsers ignore full-range H.264).

    RGB sources have no matrix and are delivered as BT.709.
    """
    return replace(source, matrix="bt709" if source.matrix == "rgb" else source.matrix, range="limited")


def to_rgb(planes: Planes, pixel_format: PixelFormat, colour: ColourDescription) -> Tensor:
    """(N,3,H,W) float32 RGB in [0,1], exact but for the clamp to [0,1].

    planes: (N,H,W) code values of `pixel_format`, any layout that `PixelFormat` describes.
    """
    if pixel_format.kind == "rgb":
        peak = float(2**pixel_format.depth - 1)
        return torch.stack([planes.y, planes.u, planes.v], 1).float() / peak
    return _rgb_of(*_at_full_size(planes, pixel_format, colour), colour)


def _at_full_size(planes: Planes, pixel_format: PixelFormat, colour: ColourDescription) -> tuple[Tensor, ...]:
    """y in [0,1], u and v in [-0.5,0.5], (N,H,W) all three."""
    y, u, v = _normalise(planes, pixel_format.depth, colour)
    if u.shape != y.shape:
        both = torch.stack([u, v], 1)
        scale = (1 << pixel_format.shift_y, 1 << pixel_format.shift_x)
        both = F.interpolate(both, scale_factor=scale, mode="bilinear", align_corners=False)
        # An odd size leaves one chroma column or row more than there is luma.
        u, v = both[:, :, : y.shape[-2], : y.shape[-1]].unbind(1)
    return y, u, v


def _rgb_of(y: Tensor, u: Tensor, v: Tensor, colour: ColourDescription) -> Tensor:
    """(N,3,H,W) in [0,1]."""
    kr, kg, kb = _weights(colour)
    rgb = y.new_empty((len(y), 3, *y.shape[1:]))
    red, green, blue = rgb.unbind(1)
    # In place: new planes for each step would take half as long again.
    torch.sub(y, torch.mul(u, 2 * kb * (1 - kb) / kg, out=blue), out=green)
    green.sub_(torch.mul(v, 2 * kr * (1 - kr) / kg, out=blue))
    torch.mul(v, 2 * (1 - kr), out=red).add_(y)
    torch.mul(u, 2 * (1 - kb), out=blue).add_(y)
    return rgb.clamp_(0, 1)


_DELIVERED = PixelFormat("yuv", 8, 1, 1)
# Rows at a time that stay in a CPU's cache from the first step to the last: a third of the time.
_STRIP = 128


def display_frames(planes: Planes, colour: ColourDescription) -> Tensor:
    """What a screen shows of delivered planes: (N,3,H,W) float32, whole 8-bit levels / 255.

    Every score in this package is taken on these frames: of the clean source, of the adversarial frames before the
    codec and of the decoded file alike.
    """
    if planes.y.device.type != "cpu":
        return _rounded(to_rgb(planes, _DELIVERED, colour))
    shown = torch.empty((len(planes), 3, *planes.y.shape[1:]))
    for index in range(len(planes)):
        whole = _at_full_size(planes[index : index + 1], _DELIVERED, colour)
        for row in range(0, planes.y.shape[1], _STRIP):
            strip = slice(row, row + _STRIP)
            y, u, v = (plane[:, strip] for plane in whole)
            shown[index, :, strip] = _rounded(_rgb_of(y, u, v, colour))[0]
    return shown


def _rounded(rgb: Tensor) -> Tensor:
    """To whole 8-bit levels, in place."""
    return rgb.mul_(255).add_(0.5).floor_().div_(255)


def to_delivery(planes: Planes, pixel_format: PixelFormat, colour: ColourDescription) -> Planes:
    """uint8 limited-range 4:2:0 planes of an even size from planes of any source.

    8-bit 4:2:0 limited sources pass bit for bit. Others are converted without going through RGB (plane by plane,
    chroma by the 2x2 mean, rounded to nearest); an odd last column or row is cropped.
    """
    height, width = (size // 2 * 2 for size in planes.y.shape[-2:])
    if pixel_format.kind == "rgb":
        y, u, v = _to_ycbcr(to_rgb(planes, pixel_format, colour)[..., :height, :width], delivered_colour(colour))
        shift_x = shift_y = 0
    else:
        shift_x, shift_y = pixel_format.shift_x, pixel_format.shift_y
        planes = Planes(
            planes.y[:, :height, :width],
            planes.u[:, : height >> shift_y, : width >> shift_x],
            planes.v[:, : height >> shift_y, : width >> shift_x],
        )
        if pixel_format == _DELIVERED and colour.range == "limited":
            return planes
        y, u, v = _normalise(planes, pixel_format.depth, colour)
    mean = (2 >> shift_y, 2 >> shift_x)
    u, v = F.avg_pool2d(torch.stack([u, v], 1), mean).unbind(1)

    def levels(values: Tensor) -> Tensor:
        return torch.floor(values + 0.5).clamp_(0, 255).to(torch.uint8)

    return Planes(levels(16 + 219 * y), levels(128 + 224 * u), levels(128 + 224 * v))


def perturbation_planes(delta: Tensor, colour: ColourDescription) -> Perturbation:
    """The change of delivered planes that a change of RGB asks for, not rounded.

    delta: (N,3,H,W) float32, adversarial minus clean in [0,1] units. The conversion is linear, so a delta of 0 gives
    exactly 0 and the source's own planes survive bit for bit.
    """
    y, u, v = _to_ycbcr(delta, colour)
    u, v = F.avg_pool2d(torch.stack([u, v], 1), 2).unbind(1)
    return Perturbation(219 * y, 224 * u, 224 * v)


def add_perturbation(planes: Planes, change: Perturbation, offsets: Perturbation) -> Planes:
    """uint8 planes + floor(change + offset), clamped to [0,255].

    offsets: in [0,1); 0.5 rounds to nearest, uniform noise dithers. A change of exactly 0 stays 0 under any offset.
    """

    def add(plane: Tensor, delta: Tensor, offset: Tensor) -> Tensor:
        return (plane + torch.floor(delta + offset)).clamp_(0, 255).to(torch.uint8)

    return Planes(
        add(planes.y, change.y, offsets.y), add(planes.u, change.u, offsets.u), add(planes.v, change.v, offsets.v)
    )


def luma(frames: Tensor, colour: ColourDescription) -> Tensor:
    """(N,H,W) luma in [0,1] of (N,3,H,W) RGB, with the weights of the colour's matrix."""
    weights = torch.tensor(_weights(colour), dtype=frames.dtype, device=frames.device)
    return torch.einsum("nchw,c->nhw", frames, weights)


def _weights(colour: ColourDescription) -> tuple[float, float, float]:
    red, blue = LUMA_WEIGHTS["bt709" if colour.matrix == "rgb" else colour.matrix]
    return red, 1 - red - blue, blue


def _normalise(planes: Planes, depth: int, colour: ColourDescription) -> tuple[Tensor, Tensor, Tensor]:
    """y in [0,1], u and v in [-0.5,0.5] (H.273 equations 26 to 31 inverted)."""
    step = 2 ** (depth - 8)
    half = 128 * step
    if colour.range == "limited":
        black, luma_scale, chroma_scale = 16 * step, 219 * step, 224 * step
    else:
        black, luma_scale, chroma_scale = 0, 2**depth - 1, 2**depth - 1
    return (
        planes.y.float().sub_(black).div_(luma_scale),
        planes.u.float().sub_(half).div_(chroma_scale),
        planes.v.float().sub_(half).div_(chroma_scale),
    )


def _to_ycbcr(rgb: Tensor, colour: ColourDescription) -> tuple[Tensor, Tensor, Tensor]:
    kr, kg, kb = _weights(colour)
    red, green, blue = rgb.unbind(1)
    y = kr * red + kg * green + kb * blue
    return y, (blue - y) / (2 * (1 - kb)), (red - y) / (2 * (1 - kr))
