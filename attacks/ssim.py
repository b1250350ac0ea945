"""Structural similarity (Wang, Bovik, Sheikh, Simoncelli 2004), its gradient, and the local moments it is made of."""

import math

import torch

__all__ = ["SSIMGradient", "gaussian_filter", "local_moments", "structural_similarity"]

_SIZE, _SIGMA = 11, 1.5
_C1, _C2 = 0.01**2, 0.03**2
# Values that stay in the cache of one core while a window passes over them.
_CACHED = 2**16


def structural_similarity(reference: torch.Tensor, distorted: torch.Tensor) -> torch.Tensor:
    """(N,) similarity of (N, ..., H, W) in [0, 1]: 11x11 Gaussian window of sigma 1.5, K1 = 0.01, K2 = 0.03.

    The mean is over the channels and the windows that lie wholly inside the picture, which
    must be at least 11x11. The moments are population moments.
    """
    mean_r, mean_d, var_r, var_d, cov = local_moments(reference, distorted, _SIZE, _SIGMA)
    index = (2 * mean_r * mean_d + _C1) * (2 * cov + _C2)
    index = index / ((mean_r.square() + mean_d.square() + _C1) * (var_r + var_d + _C2))
    return index.flatten(1).mean(1)


def local_moments(one: torch.Tensor, two: torch.Tensor, size: int, sigma: float) -> tuple[torch.Tensor, ...]:
    """Local means of `one` and `two`, (N, ..., H, W), their variances and their covariance under a Gaussian window."""
    maps = gaussian_filter(torch.stack([one, two, one * one, two * two, one * two]), size, sigma)
    mean_one, mean_two, square_one, square_two, product = maps
    return (
        mean_one,
        mean_two,
        square_one - mean_one * mean_one,
        square_two - mean_two * mean_two,
        product - mean_one * mean_two,
    )


def gaussian_filter(maps: torch.Tensor, size: int, sigma: float) -> torch.Tensor:
    """(N, ..., H, W) filtered with a Gaussian window of `size` x `size`, only where the window lies inside."""
    window = [math.exp(-((x - size // 2) ** 2) / (2 * sigma**2)) for x in range(size)]
    window = [weight / sum(window) for weight in window]
    planes = maps.flatten(0, -3)
    filtered = torch.cat([_filter(part, window) for part in planes.split(_together(planes))])
    return filtered.view(*maps.shape[:-2], *filtered.shape[-2:])


class SSIMGradient:
    """d(structural_similarity)/d(distorted) against one reference, (N, C, H, W) in [0, 1], at least 11x11.

    The closed form, several times as fast as automatic differentiation: each of the three
    moments that the distorted picture enters has a derivative map, and the window, being
    symmetric, carries it back to the pixels.
    """

    def __init__(self, reference: torch.Tensor):
        self._shape = reference.shape
        self._reference = reference.flatten(0, -3)
        self._mean = gaussian_filter(self._reference, _SIZE, _SIGMA)
        self._square = gaussian_filter(self._reference.square(), _SIZE, _SIGMA)

    def at(self, distorted: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) derivative of each picture's own similarity."""
        planes = (self._reference, self._mean, self._square, distorted.flatten(0, -3))
        parts = (t.split(_together(self._reference)) for t in planes)
        gradient = torch.cat([_plane_gradient(*part) for part in zip(*parts, strict=True)])
        return gradient.view(self._shape).div_(self._shape[1])


def _plane_gradient(
    reference: torch.Tensor, mean_r: torch.Tensor, square_r: torch.Tensor, distorted: torch.Tensor
) -> torch.Tensor:
    """Planes (P, H, W): derivative of each plane's mean similarity with respect to `distorted`."""
    mean_d, square_d, product = gaussian_filter(
        torch.stack([distorted, distorted.square(), distorted * reference]), _SIZE, _SIGMA
    )
    luminance = mean_r * mean_d
    structure = product.sub_(luminance).mul_(2).add_(_C2)
    luminance.mul_(2).add_(_C1)
    luminance_norm = mean_r.square().addcmul_(mean_d, mean_d).add_(_C1)
    structure_norm = square_d.add_(square_r).sub_(luminance_norm).add_(_C1 + _C2)
    norm = luminance_norm * structure_norm
    # The maps stand in the larger picture of zeros from which the window carries them back.
    margin = _SIZE - 1
    height, width = reference.shape[-2:]
    spread = reference.new_zeros(3, len(reference), height + margin, width + margin)
    by_mean, by_square, by_product = spread[..., margin:-margin, margin:-margin]
    torch.div(luminance, norm, out=by_product)
    torch.mul(by_product, structure, out=by_square).div_(structure_norm).neg_()
    structure_norm.div_(luminance_norm).sub_(1).mul_(by_square).mul_(mean_d)
    torch.mul(structure.sub_(luminance), mean_r, out=by_mean).div_(norm).add_(structure_norm)
    by_mean, by_square, by_product = gaussian_filter(spread, _SIZE, _SIGMA)
    gradient = by_mean.addcmul_(distorted, by_square).addcmul_(reference, by_product)
    return gradient.mul_(2 / norm[0].numel())


def _together(planes: torch.Tensor) -> int:
    """How many of these planes to work on at a time: on a CPU what the cache holds, elsewhere all."""
    return max(_CACHED // planes[0].numel(), 1) if planes.device.type == "cpu" else len(planes)


def _filter(maps: torch.Tensor, window: list[float]) -> torch.Tensor:
    """Separable filtering by sums of shifted slices: faster on a CPU than a convolution with one channel."""
    for dim in (-2, -1):
        size = maps.shape[dim] - len(window) + 1
        filtered = maps.narrow(dim, 0, size) * window[0]
        for shift, weight in enumerate(window[1:], start=1):
            filtered.add_(maps.narrow(dim, shift, size), alpha=weight)
        maps = filtered
    return maps
