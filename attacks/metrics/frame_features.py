"""ResNet-50 features of frames, in little memory where a gradient is asked for."""

import torch
from torch.utils.checkpoint import checkpoint

from attacks.errors import InvalidFrames
from attacks.metrics.backbones import torchvision_network
from attacks.metrics.preprocessing import Normalised

__all__ = ["FrameFeatures", "features_of_clip", "resnet50_features"]

# The last maps have one value for so many pixels of a side.
_STRIDE = 32
# Of a window, so many pixels (or one frame) are held at a time: some 2 GB of what ResNet-50 keeps for its gradient.
_PIXELS_AT_ONCE = 2**20


class FrameFeatures(torch.nn.Module):
    """(N, 3, H, W) RGB in [0, 1], larger than 32 pixels one way -> (N, F): a network for ImageNet's pictures."""

    def __init__(self, network: torch.nn.Module):
        super().__init__()
        self.normalised = Normalised()
        self.network = network

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        height, width = frames.shape[2:]
        if max(height, width) <= _STRIDE:
            raise InvalidFrames(
                f"frames of {width}x{height} leave ResNet-50 one value per map, which has no deviation; use frames "
                f"that are larger than {_STRIDE} pixels one way at least."
            )
        return self.network(self.normalised(frames))


class _MeanAndDeviation(torch.nn.Module):
    """(N, C, h, w) maps -> (N, 2 C): the mean of each, then the standard deviation of each (divisor h w - 1)."""

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        return torch.cat([maps.mean((2, 3)), maps.flatten(2).std(2)], 1)


def resnet50_features() -> torch.nn.Module:
    """torchvision's ResNet-50, untrained, (N, 3, H, W) -> (N, 4096): mean and deviation of the last maps."""
    network = torchvision_network("resnet50")
    network.avgpool, network.fc = _MeanAndDeviation(), torch.nn.Identity()
    return network


def features_of_clip(network: torch.nn.Module, frames: torch.Tensor) -> torch.Tensor:
    """network(frames), (T, 3, H, W) -> (T, F), a few frames at a time.

    Where a gradient is asked for and they do not all fit at once, only the features are kept: the way back computes
    each few frames again. That costs one forward more and gives the same gradient.
    """
    parts = frames.split(max(_PIXELS_AT_ONCE // (frames.shape[2] * frames.shape[3]), 1))
    if len(parts) == 1 or not (frames.requires_grad and torch.is_grad_enabled()):
        return torch.cat([network(part) for part in parts])
    # Nothing in a network in evaluation mode is drawn at random.
    return torch.cat([checkpoint(network, part, use_reentrant=False, preserve_rng_state=False) for part in parts])
