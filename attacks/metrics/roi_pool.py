"""Max pooling of the whole frame's region into 2x2, for torchvision builds without compiled operators."""

import math

import torch

__all__ = ["FullFrameRoIPool"]


class FullFrameRoIPool(torch.nn.Module):
    """What torchvision.ops.RoIPool gives when each frame has the one region (0, 0, width, height).

    The region's far corner on the feature map is round(side * `spatial_scale`), halves
    away from zero, and belongs to the region (Girshick, Fast R-CNN, 2015), so a region
    may reach beyond the map; bins overlap by the rounding outwards of their ends.
    """

    def __init__(self, output_size: tuple[int, int], spatial_scale: float):
        super().__init__()
        self.output_size = output_size
        self.spatial_scale = spatial_scale

    def forward(self, features: torch.Tensor, regions: list[torch.Tensor]) -> torch.Tensor:
        """features (N, C, h, w) and per frame one region (0, 0, width, height) in pixels -> (N, C, *output_size)."""
        _, _, width, height = regions[0][0].tolist()
        rows = self._bins(height, self.output_size[0], features.shape[-2])
        columns = self._bins(width, self.output_size[1], features.shape[-1])
        return torch.stack(
            [torch.stack([features[..., y, x].amax(dim=(-2, -1)) for x in columns], dim=-1) for y in rows], dim=-2
        )

    def _bins(self, side: float, count: int, size: int) -> list[slice]:
        bin_size = (math.floor(side * self.spatial_scale + 0.5) + 1) / count
        starts = [min(math.floor(i * bin_size), size - 1) for i in range(count)]
        return [
            slice(start, max(start + 1, min(math.ceil((i + 1) * bin_size), size))) for i, start in enumerate(starts)
        ]
