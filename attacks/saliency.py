"""Where a picture draws the eye: the spectral residual."""

import torch
import torch.nn.functional as functional

from attacks.jnd import grey_levels

__all__ = ["spectral_residual"]

# The longer side of the small picture whose spectrum is taken; it sets how large an object is.
_SIDE = 64
_BLUR = 2.5


def spectral_residual(frames: torch.Tensor) -> torch.Tensor:
    """Saliency of (N, 3, H, W) RGB frames in [0, 1]: (N, 1, H, W) float32 in [0, 1], each frame's largest value 1.

    Hou and Zhang 2007: the logarithm of the amplitude spectrum of the grey picture at 64 pixels, less its 3x3
    local mean, put back with the phases as they are; squared and smoothed. A flat frame has saliency 0.
    """
    height, width = frames.shape[-2:]
    scale = min(_SIDE / max(height, width), 1)
    size = (max(round(height * scale), 1), max(round(width * scale), 1))
    small = functional.interpolate(grey_levels(frames), size, mode="bilinear", antialias=True)
    spectrum = torch.fft.fft2(small - small.mean(dim=(2, 3), keepdim=True))
    amplitude = spectrum.abs()
    # Without the floor a missing frequency would be the most unusual one.
    logarithm = amplitude.clamp_min(1e-3 * amplitude.amax(dim=(2, 3), keepdim=True) + 1e-6).log()
    residual = logarithm - functional.avg_pool2d(logarithm, 3, stride=1, padding=1, count_include_pad=False)
    picture = torch.fft.ifft2(torch.polar(residual.exp(), spectrum.angle())).abs().square()
    flat = small.amax(dim=(2, 3), keepdim=True) - small.amin(dim=(2, 3), keepdim=True) < 1e-3
    smooth = functional.interpolate(_blur(picture), (height, width), mode="bilinear").masked_fill(flat, 0)
    return smooth / smooth.amax(dim=(2, 3), keepdim=True).clamp_min(1e-12)


def _blur(pictures: torch.Tensor) -> torch.Tensor:
    """Gaussian; the weights of pixels outside go to those inside."""
    for dim in (-1, -2):
        places = torch.arange(pictures.shape[dim], dtype=torch.float32, device=pictures.device)
        weights = (-0.5 * ((places[:, None] - places) / _BLUR).square()).exp()
        weights = weights / weights.sum(dim=1, keepdim=True)
        pictures = pictures @ weights.T if dim == -1 else weights @ pictures
    return pictures
