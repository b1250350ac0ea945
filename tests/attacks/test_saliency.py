"""The spectral residual against NumPy and SciPy, and what it is for."""

import numpy as np
import torch
from scipy import ndimage

from attacks.saliency import spectral_residual


def expected_saliency(levels):
    """Hou and Zhang 2007 on grey levels (H, W) of at most 64 pixels a side; a border has no neighbours outside."""

    def inside(filtered, values):
        return filtered(values) / filtered(np.ones_like(values))

    spectrum = np.fft.fft2(levels - levels.mean())
    amplitude = np.abs(spectrum)
    logarithm = np.log(np.maximum(amplitude, 1e-3 * amplitude.max() + 1e-6))
    mean = inside(lambda values: ndimage.uniform_filter(values, 3, mode="constant"), logarithm)
    residual = np.exp(logarithm - mean) * np.exp(1j * np.angle(spectrum))
    picture = np.abs(np.fft.ifft2(residual)) ** 2
    for axis in (0, 1):
        picture = inside(
            lambda values, axis=axis: ndimage.gaussian_filter1d(values, 2.5, axis, mode="constant", truncate=40),
            picture,
        )
    return picture / picture.max()


def test_equals_the_equations():
    for seed in range(3):
        levels = np.random.default_rng(seed).integers(0, 256, (40, 64)).astype(float)
        levels = np.round(ndimage.gaussian_filter(levels, 2) * 1.5).clip(0, 255)
        frames = torch.from_numpy(levels).float().div(255).expand(1, 3, -1, -1)
        np.testing.assert_allclose(spectral_residual(frames)[0, 0].numpy(), expected_saliency(levels), atol=1e-3)


def test_the_odd_one_out_is_salient():
    rows, columns = torch.meshgrid(torch.arange(120), torch.arange(200), indexing="ij")
    stripes = 0.5 + 0.2 * torch.sin(columns * 0.8)
    stripes[40:56, 120:136] = 0.5 + 0.2 * torch.sin(rows[40:56, 120:136] * 0.8)
    saliency = spectral_residual(stripes.expand(1, 3, -1, -1))
    assert saliency.shape == (1, 1, 120, 200) and saliency.min() >= 0 and saliency.max() == 1
    row, column = divmod(int(saliency.argmax()), 200)
    assert 32 <= row < 64 and 112 <= column < 144


def test_a_flat_frame_has_none_and_frames_do_not_mix(seeded_frames):
    frames = torch.cat([seeded_frames(2, 30, 90), torch.full((1, 3, 30, 90), 0.3)])
    saliency = spectral_residual(frames)
    assert not saliency[2].any()
    torch.testing.assert_close(saliency, torch.cat([spectral_residual(frame[None]) for frame in frames]))
