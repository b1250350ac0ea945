"""Frames in [0, 1] to 8 bits: rounded, never truncated.

Truncation turns any negative change, however tiny, into a full -1, so a strength would mean nothing below about 3/255.
"""

import torch

__all__ = ["to_uint8"]


def to_uint8(frames: torch.Tensor) -> torch.Tensor:
    """Round (N, 3, H, W) in [0, 1] to the nearest level, floor(255 x + 0.5), as uint8."""
    return frames.mul(255).add_(0.5).floor_().clamp_(0, 255).to(torch.uint8)
