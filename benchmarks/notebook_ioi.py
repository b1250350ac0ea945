"""IOI the way that its authors' notebook computes it, written anew in NumPy and SciPy from the published description.

It is what the comparison of speed needs: full complex transforms in double precision, a full sort for the threshold,
two-dimensional convolutions for the local contrast, gradients of the weights that nobody uses, 8-bit truncation.
"""

import numpy as np
import torch
from scipy.signal import convolve2d

__all__ = ["notebook_ioi"]


def notebook_ioi(
    network: torch.nn.Module, frames: torch.Tensor, strength: float, keep: float = 0.07, score_range: float = 100.0
) -> torch.Tensor:
    """(N, 3, H, W) in [0, 1] -> the same, on 8-bit levels; `network` has trainable parameters, frames go one by one."""
    return torch.cat([_attack(network, frame[None], strength, keep, score_range) for frame in frames])


def _attack(network, frame, strength, keep, score_range):
    variable = frame.clone().requires_grad_(True)
    loss = 1 - network(variable).sum() / score_range
    loss.backward()
    network.zero_grad()
    with torch.no_grad():
        stepped = (variable - strength * variable.grad.sign()).clamp(0, 1)
    picture = (255 * frame[0].permute(1, 2, 0)).round().cpu().numpy()
    perturbed = (255 * stepped[0].permute(1, 2, 0)).cpu().numpy().astype(np.uint8).astype(float)
    contrast = np.stack([_contrast(picture[..., channel]) for channel in range(3)], axis=-1)
    weight = contrast / contrast.max()
    weight[weight < 0.01] = 0
    weight = np.sqrt(weight)
    result = np.empty_like(perturbed)
    for channel in range(3):
        low, high, high_perturbed = _bands(picture[..., channel], perturbed[..., channel], keep)
        share = weight[..., channel]
        result[..., channel] = low + share * high_perturbed + (1 - share) * high
    levels = np.clip(result, 0, 255).astype(np.uint8)
    return torch.from_numpy(levels).permute(2, 0, 1)[None].to(frame) / 255


def _bands(clean, perturbed, keep):
    spectrum = np.fft.fft2(clean)
    magnitude = np.abs(spectrum)
    threshold = np.sort(magnitude.ravel())[int((1 - keep) * magnitude.size)]
    strong, weak = magnitude > threshold, magnitude < threshold
    return (
        np.fft.ifft2(spectrum * strong).real,
        np.fft.ifft2(spectrum * weak).real,
        np.fft.ifft2(np.fft.fft2(perturbed) * weak).real,
    )


def _contrast(channel):
    window = np.ones((3, 3)) / 9
    mean = convolve2d(channel, window, mode="valid")
    square = convolve2d(channel**2, window, mode="valid")
    deviation = np.sqrt(np.maximum(square - mean**2, 0))
    return np.pad(deviation / np.where(mean == 0, 1, mean), 1)
