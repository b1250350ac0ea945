"""Random changes of a frame where they are seen least: the starts of the score-boundary attack."""

import itertools
from collections.abc import Iterator

import torch
import torch.nn.functional as functional

from attacks.edges import canny
from attacks.jnd import just_noticeable_difference
from attacks.saliency import spectral_residual

__all__ = ["TrialSpace"]

# The constants of Yang et al. 2024.
_LARGEST_SCALE = 0.1
_JND_SHARE = 0.38
_SALIENT = 0.225

_BLOCKS = 5


class TrialSpace:
    """What may change in one frame (3, H, W) in [0, 1], by how much, and in which patterns.

    Every value stays within 0.38 of the just-noticeable difference of its pixel. Trials change
    the pixels at Canny's edges (thresholds 50 and 150, one pixel wider) and the salient ones.
    """

    def __init__(self, frame: torch.Tensor):
        self._frame = frame
        self._limit = (_JND_SHARE / 255) * just_noticeable_difference(frame[None])[0]
        self._low, self._high = (frame - self._limit).clamp_min(0), (frame + self._limit).clamp_max(1)
        edges = canny(frame[None].mul(255).add_(0.5).floor_()).float()
        near = functional.max_pool2d(edges, 3, stride=1, padding=1)[0] > 0
        region = near | (spectral_residual(frame[None])[0] > _SALIENT)
        self._patterns = [pattern * region for pattern in _textures(frame)]

    def draws(self, generator: torch.Generator) -> Iterator[tuple[int, float]]:
        """Trials without end: the number of a pattern and its factor."""
        while True:
            pattern = int(torch.randint(len(self._patterns), (), generator=generator))
            yield pattern, _LARGEST_SCALE * (2 * float(torch.rand((), generator=generator)) - 1)

    def moved(self, picture: torch.Tensor, pattern: int, factor: float) -> torch.Tensor:
        """`picture` with as much of a pattern added as its change so far leaves room for."""
        change = picture - self._frame
        wanted = torch.minimum(self._patterns[pattern] * factor, self._limit - change.clamp_min(0))
        wanted = torch.maximum(wanted, -self._limit - change.clamp_max(0))
        return self.allowed(picture + wanted)

    def allowed(self, picture: torch.Tensor) -> torch.Tensor:
        """`picture` with every value brought within the limits around the frame's, and into [0, 1]."""
        return picture.clamp(self._low, self._high)


def _textures(frame: torch.Tensor) -> Iterator[torch.Tensor]:
    """Pictures of the frame's size and of mean 0, each filled with one busy square of the frame and its mirror images.

    The squares, half as wide as the frame's shorter side, are those of the highest variance of the channels' mean.
    """
    side = max(min(frame.shape[1:]) // 2, 1)
    stride = max(side // 4, 1)
    grey = frame.mean(dim=0, keepdim=True)
    variance = functional.avg_pool2d(grey.square(), side, stride) - functional.avg_pool2d(grey, side, stride).square()
    busiest = variance.flatten().argsort(descending=True, stable=True)[:_BLOCKS].tolist()
    for place, turned in itertools.product(busiest, (False, True)):
        row, column = (stride * number for number in divmod(place, variance.shape[-1]))
        square = frame[:, row : row + side, column : column + side]
        texture = _tiled(square.flip(-1) if turned else square, frame.shape[1:])
        yield texture - texture.mean(dim=(1, 2), keepdim=True)


def _tiled(square: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    for dim, length in zip((1, 2), size, strict=True):
        square = torch.cat([square, square.flip(dim)], dim)
        places = torch.arange(length, device=square.device) % square.shape[dim]
        square = square.index_select(dim, places)
    return square
