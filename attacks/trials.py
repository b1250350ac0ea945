"""Random changes of a frame where they are seen least: the starts of the score-boundary attack."""

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
        self._region = near | (spectral_residual(frame[None])[0] > _SALIENT)
        self._squares = [square for busy in _busiest(frame) for square in (busy, busy.flip(-1))]

    def draws(self, generator: torch.Generator) -> Iterator[tuple[int, float]]:
        """Trials without end: the number of a pattern and its factor."""
        while True:
            pattern = int(torch.randint(len(self._squares), (), generator=generator))
            yield pattern, _LARGEST_SCALE * (2 * float(torch.rand((), generator=generator)) - 1)

    def moved(self, picture: torch.Tensor, pattern: int, factor: float) -> torch.Tensor:
        """`picture` with as much of a pattern added as its change so far leaves room for."""
        wanted = self._pattern(pattern).mul_(factor).clamp_(-self._limit, self._limit)
        return self.allowed(wanted.add_(picture))

    def allowed(self, picture: torch.Tensor) -> torch.Tensor:
        """`picture` with every value brought within the limits around the frame's, and into [0, 1]."""
        return picture.clamp(self._low, self._high)

    def _pattern(self, number: int) -> torch.Tensor:
        """A square and its mirror images over the whole frame, less their mean, where changes are allowed.

        Made anew for each trial: ten of them, kept, would be most of what an attack on a large frame holds.
        """
        texture = _tiled(self._squares[number], self._frame.shape[1:])
        return texture.sub_(texture.mean(dim=(1, 2), keepdim=True)).mul_(self._region)


def _busiest(frame: torch.Tensor) -> Iterator[torch.Tensor]:
    """Squares of the frame, half as wide as its shorter side: those of the highest variance of the channels' mean."""
    side = max(min(frame.shape[1:]) // 2, 1)
    stride = max(side // 4, 1)
    grey = frame.mean(dim=0, keepdim=True)
    variance = functional.avg_pool2d(grey.square(), side, stride) - functional.avg_pool2d(grey, side, stride).square()
    busiest = variance.flatten().argsort(descending=True, stable=True)[:_BLOCKS].tolist()
    for place in busiest:
        row, column = (stride * number for number in divmod(place, variance.shape[-1]))
        yield frame[:, row : row + side, column : column + side]


def _tiled(square: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """(3, S, S) and its mirror images side by side, as a new tensor (3, *size)."""
    for dim, length in zip((1, 2), size, strict=True):
        square = torch.cat([square, square.flip(dim)], dim)
        places = torch.arange(length, device=square.device) % square.shape[dim]
        square = square.index_select(dim, places)
    return square
