"""The small network behind the demonstration metric `demo`; trained by `training/`, described in its model card."""

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from attacks.metrics.preprocessing import require_size

__all__ = ["MINIMUM_SIDE", "DemonstrationNet"]

MINIMUM_SIDE = 32

_LUMA_WEIGHTS = (0.299, 0.587, 0.114)
_WINDOW = 7
_WINDOW_SIGMA = 7 / 6
# Local contrast below this share of full scale is treated as flat. It is as large as mild sensor noise, so that a
# flat wall is not normalised into full-strength noise.
_FLAT = 0.012
_CONTRAST_GAIN = 10.0
# The heads work near zero; these bring the pooled value to points, clean pictures near 60.
_CENTRE = 40.0
_SPREAD = 20.0
_FLOOR = 1.0
_BEND = 20.0


class DemonstrationNet(nn.Module):
    """Frames (N, 3, H, W) float RGB in [0, 1], any size from 32x32, odd sizes too -> scores (N,), higher better.

    Luma enters at full, half and quarter resolution, each time minus its local mean, and also divided by its local
    standard deviation (the normalised coefficients of Mittal et al. 2012, BRISQUE, section III-A); the two colour
    differences enter at half resolution. Five convolutions with SiLU take them in, and a quality map is averaged
    under a learned positive weight map. Every operation is smooth, so the gradient exists everywhere.

    Scores lie above 1 and have no upper bound: 10 to 20 for the strongest distortions, 55 to 70 for clean pictures.
    Demonstration only: see DEMONSTRATION_METRIC.md.
    """

    def __init__(self) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(
            [
                nn.Conv2d(2, 16, 5, stride=2, padding=2),
                nn.Conv2d(20, 32, 3, stride=2, padding=1),
                nn.Conv2d(34, 48, 3, stride=2, padding=1),
                nn.Conv2d(48, 64, 3, padding=1),
                nn.Conv2d(64, 64, 1),
            ]
        )
        self.head = nn.Conv2d(64, 2, 1)
        offsets = torch.arange(_WINDOW) - _WINDOW // 2
        window = torch.exp(-0.5 * (offsets / _WINDOW_SIGMA) ** 2)
        # Constants of the architecture, not learned: kept out of the weights file.
        self.register_buffer("window", window / window.sum(), persistent=False)
        self.register_buffer("luma_weights", torch.tensor(_LUMA_WEIGHTS).view(1, 3, 1, 1), persistent=False)

    def forward(self, frames: Tensor) -> Tensor:
        require_size(frames, MINIMUM_SIDE, MINIMUM_SIDE, "the demonstration metric")
        maps, *coarser = self._front_end(frames)
        for i, convolution in enumerate(self.convolutions):
            maps = functional.silu(convolution(maps))
            if i < len(coarser):
                maps = torch.cat((maps, coarser[i]), dim=1)
        quality, importance = self.head(maps).unbind(dim=1)
        weights = functional.softplus(importance) + 1e-3
        pooled = (quality * weights).sum(dim=(1, 2)) / weights.sum(dim=(1, 2))
        return positive(_CENTRE + _SPREAD * pooled)

    def _front_end(self, frames: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Maps at full, half and quarter resolution, of the sizes that the convolutions of stride 2 give."""
        luma = (frames * self.luma_weights).sum(dim=1, keepdim=True)
        half = _halved(luma)
        chroma = _halved(frames[:, 0::2] - luma)
        chroma = _CONTRAST_GAIN * (chroma - self._blur(chroma))
        return self._details(luma), torch.cat((self._details(half), chroma), dim=1), self._details(_halved(half))

    def _details(self, luma: Tensor) -> Tensor:
        detail = luma - self._blur(luma)
        deviation = (self._blur(detail * detail) + 1e-6).sqrt()
        return torch.cat((_CONTRAST_GAIN * detail, detail / (deviation + _FLAT)), dim=1)

    def _blur(self, planes: Tensor) -> Tensor:
        n, channels, height, width = planes.shape
        margin = _WINDOW // 2
        single = functional.pad(planes.reshape(n * channels, 1, height, width), (margin,) * 4, mode="reflect")
        rows = functional.conv2d(single, self.window.view(1, 1, 1, _WINDOW))
        return functional.conv2d(rows, self.window.view(1, 1, _WINDOW, 1)).reshape(planes.shape)


def _halved(planes: Tensor) -> Tensor:
    # ceil_mode keeps the last row and column of odd sizes.
    return functional.avg_pool2d(planes, 2, ceil_mode=True, count_include_pad=False)


def positive(points: Tensor) -> Tensor:
    """Any number -> above 1; close to `points` + 1 where points are well above 20.

    Half of (x + sqrt(x^2 + b^2)): like softplus, but its slope falls as 1/x^2 and not as exp(x), so that the worst
    frame still has a gradient that float32 can hold.
    """
    root = (points * points + _BEND**2).sqrt()
    # For negative points the sum cancels; the conjugate form is exact there.
    return _FLOOR + 0.5 * torch.where(points > 0, points + root, _BEND**2 / (root - points.clamp(max=0)))
