"""Objective quality of a delivered file against its source, in torch.

Frames are (N,3,H,W) RGB in [0,1], luma is (N,H,W) in [0,1], the source always comes first.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from attacks import gaussian_filter, local_moments, structural_similarity
from stimuli.colour import ColourDescription, luma

__all__ = ["Quality", "QualityMeter", "mae_star", "projection", "vif"]


@dataclass(frozen=True)
class Quality:
    """Means over the frames of a clip; None where a number does not exist.

    psnr: dB, from the clip's mean squared error over RGB (None where it is 0). ssim, vif: on luma.
    mae_star: 8-bit levels, see `mae_star`. temporal_instability: 8-bit levels, the mean absolute change of
    (delivered - source) from one frame to the next, over RGB; 0 for a change that stands still (None for one frame).
    """

    psnr: float | None
    ssim: float
    vif: float | None
    mae_star: float
    temporal_instability: float | None


class QualityMeter:
    """Gathers `Quality` over the chunks of a clip, in order."""

    def __init__(self, colour: ColourDescription) -> None:
        self._colour = colour
        self._sums = {"mse": 0.0, "ssim": 0.0, "vif": 0.0, "mae_star": 0.0, "step": 0.0}
        self._frames = 0
        self._last: Tensor | None = None

    def add(self, source: Tensor, delivered: Tensor) -> None:
        """The next frames of both, (N,3,H,W) in [0,1]."""
        source_luma, delivered_luma = luma(source, self._colour), luma(delivered, self._colour)
        self._sums["mse"] += float(_mse(source, delivered).sum())
        self._sums["ssim"] += float(structural_similarity(source_luma, delivered_luma).sum())
        self._sums["vif"] += float(vif(source_luma, delivered_luma).sum())
        self._sums["mae_star"] += float(mae_star(source, delivered).sum())
        change = delivered - source
        chain = change if self._last is None else torch.cat([self._last, change])
        self._sums["step"] += 255 * float(chain.diff(dim=0).abs().mean(dim=(1, 2, 3)).sum())
        self._last = change[-1:]
        self._frames += len(source)

    def result(self) -> Quality:
        mean = {name: total / self._frames for name, total in self._sums.items()}
        return Quality(
            psnr=-10 * math.log10(mean["mse"]) if mean["mse"] > 0 else None,
            ssim=mean["ssim"],
            vif=mean["vif"] if math.isfinite(mean["vif"]) else None,
            mae_star=mean["mae_star"],
            temporal_instability=self._sums["step"] / (self._frames - 1) if self._frames > 1 else None,
        )


def _mse(source: Tensor, delivered: Tensor) -> Tensor:
    """(N,) mean squared error over all channels, in squared [0,1] units."""
    return (source - delivered).square().flatten(1).mean(1)


def vif(source: Tensor, delivered: Tensor) -> Tensor:
    """(N,) visual information fidelity of luma, pixel domain (Sheikh and Bovik 2006, VIFp): four scales, noise
    variance 2 in squared 8-bit levels.

    Not the version on a wavelet pyramid (their VIF proper, pyiqa's `vif`), whose values differ; this one is its
    authors' approximation that needs no pyramid.

    1 for identical frames, NaN where the source carries no information (flat) or is smaller than 41 pixels.
    """
    # Centred on mid-grey: variances then keep their digits in float32.
    source, delivered = (255 * source - 128, 255 * delivered - 128)
    noise = 2.0
    kept = torch.zeros(len(source), device=source.device)
    there = torch.zeros_like(kept)
    if min(source.shape[-2:]) < 41:
        return kept / there
    for scale in range(4):
        size = 2 ** (4 - scale) + 1
        sigma = size / 5
        if scale:
            source, delivered = (gaussian_filter(plane, size, sigma)[..., ::2, ::2] for plane in (source, delivered))
        _, _, var_s, var_d, cov = local_moments(source, delivered, size, sigma)
        var_s, var_d = var_s.clamp_min(0), var_d.clamp_min(0)
        gain = (cov / (var_s + 1e-10)).masked_fill((var_s < 1e-10) | (var_d < 1e-10), 0)
        rest = torch.where(var_s < 1e-10, var_d, var_d - gain * cov)
        rest = torch.where(gain < 0, var_d, rest).masked_fill(var_d < 1e-10, 0).clamp_min(1e-10)
        gain = gain.clamp_min(0)
        var_s = var_s.masked_fill(var_s < 1e-10, 0)
        kept += torch.log1p(gain.square() * var_s / (rest + noise)).flatten(1).sum(1)
        there += torch.log1p(var_s / noise).flatten(1).sum(1)
    return kept / there


def mae_star(source: Tensor, delivered: Tensor) -> Tensor:
    """(N,) MAE*: (1/HW) sum |FFT(delivered) - FFT(source)| in 8-bit levels, mean of the channels
    (IOI, ICML 2024; a bound on the largest change of any pixel, unnormalised FFT).
    """
    height, width = source.shape[-2:]
    spectrum = torch.fft.rfft2(255 * (delivered - source)).abs()
    # The half spectrum holds every other column twice, but for the first and, of an even width, the last.
    total = 2 * spectrum.sum((-2, -1)) - spectrum[..., 0].sum(-1)
    if width % 2 == 0:
        total = total - spectrum[..., -1].sum(-1)
    return (total / (height * width)).mean(1)


def projection(delivered: Tensor, intended: Tensor) -> tuple[float, float]:
    """(<delivered, intended>, <intended, intended>): their ratio over a clip is the share of the intended
    perturbation that is still there (1: all of it, 0: none).
    """
    return float((delivered * intended).sum(dtype=torch.float64)), float(intended.square().sum(dtype=torch.float64))
