"""Canny's edges, batched and on any device."""

import torch
import torch.nn.functional as functional

__all__ = ["canny"]

# tan(22.5 degrees) in steps of 2^-15: directions are told apart in whole numbers, as OpenCV does.
_TANGENT = 13573
_SHIFT = 15

# Steps of the hysteresis between two looks at whether it still grows; each look waits for the device.
_STEPS = 16


def canny(levels: torch.Tensor, low: int = 50, high: int = 150) -> torch.Tensor:
    """Edges of `levels`, (N, C, H, W) of whole numbers in 0..255 in any type: (N, 1, H, W) bool.

    Canny 1986 as OpenCV computes it, bit for bit: 3x3 Sobel operator with replicated border,
    |dx| + |dy| as the size of the gradient, non-maximum suppression in four directions, and
    hysteresis over the eight neighbours from `high` down to `low`. No smoothing. With several
    channels each pixel takes the one whose gradient is largest.
    """
    dx, dy = _sobel(levels.to(torch.int32))
    size = dx.abs() + dy.abs()
    if levels.shape[1] > 1:
        # argmax takes any of equal values; the first is wanted.
        channel = _first_largest(size)
        dx, dy, size = (values.gather(1, channel) for values in (dx, dy, size))
    candidate = _is_peak(dx, dy, size) & (size > low)
    return _grow(candidate & (size > high), candidate)


def _sobel(levels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    height, width = levels.shape[-2:]
    rows = torch.arange(-1, height + 1, device=levels.device).clamp_(0, height - 1)
    columns = torch.arange(-1, width + 1, device=levels.device).clamp_(0, width - 1)
    padded = levels[..., rows, :][..., columns]
    across = padded[..., 2:] - padded[..., :-2]
    along = padded[..., :-2] + 2 * padded[..., 1:-1] + padded[..., 2:]
    dx = across[..., :-2, :] + 2 * across[..., 1:-1, :] + across[..., 2:, :]
    return dx, along[..., 2:, :] - along[..., :-2, :]


def _first_largest(size: torch.Tensor) -> torch.Tensor:
    count = size.shape[1]
    order = torch.arange(count - 1, -1, -1, device=size.device, dtype=size.dtype).view(1, -1, 1, 1)
    return (size * count + order).argmax(dim=1, keepdim=True)


def _is_peak(dx: torch.Tensor, dy: torch.Tensor, size: torch.Tensor) -> torch.Tensor:
    """Where the gradient is at least as large as that of its two neighbours along it; ties go to the upper left."""
    height, width = size.shape[-2:]
    padded = functional.pad(size, (1, 1, 1, 1))

    def neighbour(down: int, right: int) -> torch.Tensor:
        return padded[..., 1 + down : 1 + down + height, 1 + right : 1 + right + width]

    steep, flat = dy.abs() << _SHIFT, dx.abs() * _TANGENT
    horizontal = steep < flat
    # tan(67.5) = tan(22.5) + 2
    vertical = steep > flat + (dx.abs() << (_SHIFT + 1))
    along_x = (size > neighbour(0, -1)) & (size >= neighbour(0, 1))
    along_y = (size > neighbour(-1, 0)) & (size >= neighbour(1, 0))
    falling = (size > neighbour(-1, -1)) & (size > neighbour(1, 1))
    rising = (size > neighbour(-1, 1)) & (size > neighbour(1, -1))
    diagonal = torch.where((dx ^ dy) < 0, rising, falling)
    return torch.where(horizontal, along_x, torch.where(vertical, along_y, diagonal))


def _grow(strong: torch.Tensor, candidate: torch.Tensor) -> torch.Tensor:
    """The candidates that touch a strong one through other candidates."""
    while True:
        before = strong
        for _ in range(_STEPS):
            wide = strong.clone()
            wide[..., 1:] |= strong[..., :-1]
            wide[..., :-1] |= strong[..., 1:]
            tall = wide.clone()
            tall[..., 1:, :] |= wide[..., :-1, :]
            tall[..., :-1, :] |= wide[..., 1:, :]
            strong = tall & candidate
        if torch.equal(strong, before):
            return strong
