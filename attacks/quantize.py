"""Frames in [0, 1] to 8 bits: rounded, or dithered; never truncated.

Truncation turns any negative change, however tiny, into a full -1 (spec/performance.md
section 5), so a strength would mean nothing below about 3/255.
"""

import torch

__all__ = ["dither_uint8", "to_uint8"]

# The dither stays half a step, 1.2e-4, away from 0 and 1: whole 8-bit levels survive /255
# and *255 in float32 to about 2e-5 of a level, so they are never dithered to a neighbour.
_DITHER_STEPS = 4096


def to_uint8(frames: torch.Tensor) -> torch.Tensor:
    """Round (N, 3, H, W) in [0, 1] to the nearest level, floor(255 x + 0.5), as uint8."""
    return frames.mul(255).add_(0.5).floor_().clamp_(0, 255).to(torch.uint8)


def dither_uint8(frames: torch.Tensor, seed: int) -> torch.Tensor:
    """Round (N, 3, H, W) in [0, 1] to floor(255 x + u) as uint8, with u uniform in (0, 1).

    One pattern u (3, H, W) serves all frames of a clip, so the result does not depend on
    how the clip is cut into chunks and adds no flicker; it depends on `seed` and the frame
    size only, not on the device. Values that are whole 8-bit levels come back unchanged.
    Between two levels the chance of the upper one is the fraction above the lower, so the
    mean change of a weak perturbation survives 8 bits.
    """
    generator = torch.Generator().manual_seed(seed)
    steps = torch.randint(_DITHER_STEPS, frames.shape[1:], generator=generator)
    pattern = ((steps + 0.5) / _DITHER_STEPS).to(frames)
    return frames.mul(255).add_(pattern).floor_().clamp_(0, 255).to(torch.uint8)
