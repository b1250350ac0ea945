"""The verification stimulus: a source spoilt so plainly that anyone who looks sees it."""

import torch
import torch.nn.functional as F

from stimuli.colour import Planes

__all__ = ["IMPAIRMENT", "impair"]

# Blur: every picture is shrunk to `lines` lines and enlarged again. Then luma keeps `levels` grey levels.
IMPAIRMENT = {"kind": "blur and quantisation", "lines": 18, "levels": 8}


def impair(planes: Planes) -> Planes:
    """The obviously impaired version of uint8 limited-range 4:2:0 planes, same frames and size."""
    height, width = planes.y.shape[-2:]
    small = (min(IMPAIRMENT["lines"], height), max(round(IMPAIRMENT["lines"] * width / height), 1))

    def blur(plane: torch.Tensor) -> torch.Tensor:
        values = F.interpolate(plane[:, None].float(), size=small, mode="area")
        return F.interpolate(values, size=plane.shape[-2:], mode="bilinear", align_corners=False)[:, 0]

    step = 219 / (IMPAIRMENT["levels"] - 1)
    luma = torch.floor((blur(planes.y) - 16) / step + 0.5) * step + 16
    return Planes(
        *(torch.floor(v + 0.5).clamp_(0, 255).to(torch.uint8) for v in (luma, blur(planes.u), blur(planes.v)))
    )
