"""What published metrics do to frames before their network, inside the differentiable graph."""

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from attacks.errors import InvalidFrames

__all__ = ["IMAGENET", "Normalised", "patches", "require_size", "resized"]

# Mean and standard deviation of the channels of ImageNet's RGB pictures in [0, 1].
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


class Normalised(nn.Module):
    """(frames - mean) / deviation per channel; (N, 3, H, W) in, the same out. Not part of the network's state."""

    def __init__(self, mean: tuple[float, ...] = IMAGENET[0], deviation: tuple[float, ...] = IMAGENET[1]):
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean).view(1, -1, 1, 1), persistent=False)
        self.register_buffer("deviation", torch.tensor(deviation).view(1, -1, 1, 1), persistent=False)

    def forward(self, frames: Tensor) -> Tensor:
        return (frames - self.mean) / self.deviation


def resized(frames: Tensor, height: int, width: int) -> Tensor:
    """(N, C, height, width): bilinear with antialiasing, as Pillow and torchvision resize pictures.

    Differs from them in that nothing is rounded to 8 bits: at most one level (1/255), a quarter of one on average.
    """
    if frames.shape[-2:] == (height, width):
        return frames
    return functional.interpolate(frames, (height, width), mode="bilinear", align_corners=False, antialias=True)


def patches(frames: Tensor, side: int, rows: list[int], columns: list[int]) -> Tensor:
    """(N, len(rows) * len(columns), C, side, side): the squares whose upper left corners are at `rows` x `columns`."""
    return torch.stack(
        [frames[..., row : row + side, column : column + side] for row in rows for column in columns], dim=1
    )


def require_size(frames: Tensor, height: int, width: int, metric: str) -> None:
    """Raise InvalidFrames where frames are lower or narrower than `metric` can score."""
    if frames.shape[-2] < height or frames.shape[-1] < width:
        raise InvalidFrames(
            f"{metric} needs frames of at least {width}x{height}, got {frames.shape[-1]}x{frames.shape[-2]}; "
            "use larger frames or another metric."
        )
