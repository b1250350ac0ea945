"""Structural similarity against scikit-image, its gradient against automatic differentiation."""

import pytest
import torch
from skimage.metrics import structural_similarity as oracle

from attacks import structural_similarity
from attacks.ssim import SSIMGradient

OPTIONS = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 1, "channel_axis": 0}


def pair(height, width, noise=0.05, frames=2, dtype=torch.float32):
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(frames, 3, 5, 6, generator=generator, dtype=dtype)
    clean = torch.nn.functional.interpolate(coarse, size=(height, width), mode="bicubic").clamp(0, 1)
    return clean, (clean + noise * torch.randn(clean.shape, generator=generator, dtype=dtype)).clamp(0, 1)


@pytest.mark.parametrize("noise", [0.005, 0.05, 0.3])
@pytest.mark.parametrize("size", [(24, 32), (23, 31), (11, 40)])
def test_it_is_scikit_images(noise, size):
    clean, noisy = pair(*size, noise=noise)
    expected = [oracle(a, b, **OPTIONS) for a, b in zip(clean.double().numpy(), noisy.double().numpy(), strict=True)]
    assert structural_similarity(clean, noisy).numpy() == pytest.approx(expected, abs=2e-5)


def test_planes_without_channels():
    clean, noisy = pair(24, 32)
    one_by_one = torch.stack([structural_similarity(clean[:, c], noisy[:, c]) for c in range(3)]).mean(0)
    torch.testing.assert_close(structural_similarity(clean, noisy), one_by_one)


def test_identical_frames_are_perfect():
    clean, _ = pair(24, 32)
    assert structural_similarity(clean, clean) == pytest.approx([1, 1], abs=1e-6)


@pytest.mark.parametrize("size", [(24, 32), (23, 31), (11, 11)])
def test_the_gradient_is_that_of_the_similarity(size):
    clean, noisy = pair(*size, dtype=torch.float64)
    noisy.requires_grad_(True)
    (expected,) = torch.autograd.grad(structural_similarity(clean, noisy).sum(), noisy)
    torch.testing.assert_close(SSIMGradient(clean).at(noisy.detach()), expected, rtol=1e-9, atol=1e-14)


def test_the_gradient_is_the_change_of_scikit_images_value():
    clean, noisy = pair(16, 20, frames=1, dtype=torch.float64)
    gradient = SSIMGradient(clean).at(noisy)[0].numpy()
    clean, noisy = clean[0].numpy(), noisy[0].numpy()
    for place in [(0, 0, 0), (1, 8, 9), (2, 15, 19), (0, 5, 17)]:
        moved = [noisy.copy(), noisy.copy()]
        moved[0][place] -= 1e-5
        moved[1][place] += 1e-5
        low, high = (oracle(clean, picture, **OPTIONS) for picture in moved)
        assert gradient[place] == pytest.approx((high - low) / 2e-5, rel=1e-5, abs=1e-10)


def test_the_gradient_vanishes_at_the_reference():
    clean, noisy = pair(24, 32)
    gradient = SSIMGradient(clean)
    assert gradient.at(clean).abs().max() < 1e-3 * gradient.at(noisy).abs().max()
