"""The two-dimensional cosine transform, through the FFT, on any device."""

import math

import torch

__all__ = ["dct", "inverse_dct", "low_frequencies"]


def dct(pictures: torch.Tensor) -> torch.Tensor:
    """Orthonormal DCT-II over the last two axes of (..., H, W) float32."""
    return _forward(_forward(pictures, -1), -2)


def inverse_dct(coefficients: torch.Tensor) -> torch.Tensor:
    """What `dct` was made from (DCT-III)."""
    return _inverse(_inverse(coefficients, -1), -2)


def low_frequencies(height: int, width: int, share: float) -> torch.Tensor:
    """(height, width) bool: the first `share` of the coefficients in zig-zag order, rounded down, at least one.

    The order runs along the anti-diagonals, in turns upwards and downwards.
    """
    rows = torch.arange(height)[:, None].expand(height, width)
    columns = torch.arange(width).expand(height, width)
    diagonal = rows + columns
    along = torch.where(diagonal % 2 == 0, columns, rows)
    order = (diagonal * max(height, width) + along).flatten().argsort()
    kept = torch.zeros(height * width, dtype=torch.bool)
    kept[order[: max(int(share * height * width), 1)]] = True
    return kept.view(height, width)


def _forward(values: torch.Tensor, dim: int) -> torch.Tensor:
    spectrum = torch.fft.fft(values, n=2 * values.shape[dim], dim=dim).narrow(dim, 0, values.shape[dim])
    return (spectrum * _phases(values, dim).conj()).real


def _inverse(values: torch.Tensor, dim: int) -> torch.Tensor:
    count = values.shape[dim]
    spectrum = torch.fft.ifft(values * _phases(values, dim), n=2 * count, dim=dim, norm="forward")
    return spectrum.real.narrow(dim, 0, count)


def _phases(values: torch.Tensor, dim: int) -> torch.Tensor:
    """exp(i pi k / 2n), times what makes the transform orthonormal, along `dim`."""
    count = values.shape[dim]
    angles = torch.arange(count, dtype=torch.float64) * (math.pi / (2 * count))
    sizes = torch.full_like(angles, math.sqrt(2 / count))
    sizes[0] = math.sqrt(1 / count)
    phases = torch.polar(sizes, angles).to(values.device, torch.complex64)
    return phases if dim == -1 else phases[:, None]
