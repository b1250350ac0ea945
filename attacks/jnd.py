"""How large a change of a pixel may be before it is seen: the just-noticeable difference."""

from collections.abc import Callable

import torch
import torch.nn.functional as functional

from attacks.edges import canny

__all__ = ["grey_levels", "just_noticeable_difference", "luminance_adaptation"]

# Share by which two maskings that act together overlap.
_OVERLAP = 0.3
_MASKING = 0.117
_TEXTURE_WEIGHT = 3
_WINDOW = 5


def just_noticeable_difference(frames: torch.Tensor) -> torch.Tensor:
    """(N, 1, H, W) float32, in 8-bit levels, of `frames` (N, 3, H, W) RGB in [0, 1]; never below 3.

    JND = LA + CM - 0.3 min(LA, CM) (Yang et al. 2005): luminance adaptation LA, contrast masking
    CM = 0.117 C(E) + 3 * 0.117 C(Y - E), Y the grey levels, E Canny's edges (255 or 0), C the
    largest minus the smallest value within 5x5 pixels (Liu et al. 2010; Yang, Li et al. 2024).

    Differs: Y - E is signed; the public code computes it in 8 bits, where it wraps to Y + 1 at edges.
    """
    grey = grey_levels(frames)
    edges = canny(grey).float().mul_(255)
    masking = _MASKING * (_contrast(edges) + _TEXTURE_WEIGHT * _contrast(grey - edges))
    adaptation = luminance_adaptation(grey)
    return adaptation + masking - _OVERLAP * torch.minimum(adaptation, masking)


def luminance_adaptation(levels: torch.Tensor) -> torch.Tensor:
    """Change, in 8-bit levels, that is seen on a flat background of `levels` (0..255, any shape): 20 at 0, 3 at 127.

    17 (1 - sqrt(l / 127)) + 3 up to 127, 3 (l - 127) / 128 + 3 above (Chou and Li 1995).

    Differs: takes each pixel's own level, as the score-boundary attack does, not the mean of its surroundings.
    """
    dark = 17 * (1 - (levels / 127).sqrt()) + 3
    bright = 3 * (levels - 127) / 128 + 3
    return torch.where(levels <= 127, dark, bright)


def grey_levels(frames: torch.Tensor) -> torch.Tensor:
    """Rounded luma 0.299 R + 0.587 G + 0.114 B of the rounded 8-bit levels: (N, 1, H, W) float32 in 0..255."""
    red, green, blue = frames.mul(255).add_(0.5).floor_().to(torch.int32).split(1, dim=1)
    # Weights in steps of 2^-15, as OpenCV has them: whole numbers round alike on every device.
    return ((9798 * red + 19235 * green + 3735 * blue + (1 << 14)) >> 15).float()


def _contrast(values: torch.Tensor) -> torch.Tensor:
    """Largest minus smallest value of the window around each pixel; pixels outside the picture do not count."""
    return _pooled(values, torch.maximum) - _pooled(values, torch.minimum)


def _pooled(values: torch.Tensor, extreme: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]) -> torch.Tensor:
    # Three passes a direction: faster than max_pool2d on a CPU.
    margin = _WINDOW // 2
    padded = functional.pad(values, (margin,) * 4, mode="replicate")
    for dim in (2, 3):
        count = padded.shape[dim]
        pairs = extreme(padded.narrow(dim, 0, count - 1), padded.narrow(dim, 1, count - 1))
        fours = extreme(pairs.narrow(dim, 0, count - 3), pairs.narrow(dim, 2, count - 3))
        padded = extreme(fours.narrow(dim, 0, count - 4), padded.narrow(dim, 4, count - 4))
    return padded
