"""Objective quality against independent implementations."""

import importlib.util
import math

import numpy as np
import pytest
import torch
from scipy.ndimage import convolve1d
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from stimuli.colour import ColourDescription, luma
from stimuli.quality import QualityMeter, mae_star, projection, vif

BT709 = ColourDescription("bt709", "limited", "bt709", "bt709")
BT601 = ColourDescription("smpte170m", "limited", "smpte170m", "smpte170m")


def pair(frames=2, height=72, width=90, noise=0.04, seed=0):
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(frames, 3, 12, 15, generator=generator)
    clean = torch.nn.functional.interpolate(coarse, size=(height, width), mode="bicubic").clamp(0, 1)
    noisy = (clean + noise * torch.randn(clean.shape, generator=generator)).clamp(0, 1)
    return clean, noisy


def reference_vif(clean, noisy):
    """VIFp of one luma plane in levels, from Sheikh and Bovik's equations, in float64 with scipy."""
    kept = there = 0.0
    for scale in range(4):
        size = 2 ** (4 - scale) + 1
        x = np.arange(size) - size // 2
        window = np.exp(-(x**2) / (2 * (size / 5) ** 2))
        window /= window.sum()
        edge = size // 2

        def local_mean(plane, window=window, edge=edge):
            blurred = convolve1d(convolve1d(plane, window, axis=0), window, axis=1)
            return blurred[edge:-edge, edge:-edge]

        if scale:
            clean, noisy = local_mean(clean)[::2, ::2], local_mean(noisy)[::2, ::2]
        m1, m2 = local_mean(clean), local_mean(noisy)
        s1 = np.maximum(local_mean(clean**2) - m1**2, 0)
        s2 = np.maximum(local_mean(noisy**2) - m2**2, 0)
        s12 = local_mean(clean * noisy) - m1 * m2
        for a, b, c in zip(s1.ravel(), s2.ravel(), s12.ravel(), strict=True):
            g = c / (a + 1e-10)
            rest = b - g * c
            if a < 1e-10:
                g, rest, a = 0, b, 0
            if b < 1e-10:
                g, rest = 0, 0
            if g < 0:
                g, rest = 0, b
            kept += np.log10(1 + g * g * a / (max(rest, 1e-10) + 2))
            there += np.log10(1 + a / 2)
    return kept / there


@pytest.mark.parametrize("noise", [0.005, 0.04, 0.2])
def test_vif_agrees_with_its_equations(noise):
    clean, noisy = (frames[:, 0] for frames in pair(noise=noise))
    oracle = [
        reference_vif(255 * a.double().numpy(), 255 * b.double().numpy()) for a, b in zip(clean, noisy, strict=True)
    ]
    assert vif(clean, noisy).numpy() == pytest.approx(oracle, abs=2e-4)


def test_identical_frames_are_perfect():
    clean, _ = pair()
    assert vif(clean[:, 0], clean[:, 0]) == pytest.approx([1, 1], abs=1e-4)


def test_vif_of_too_small_frames_does_not_exist():
    clean, noisy = pair(height=40)
    assert torch.isnan(vif(clean[:, 0], noisy[:, 0])).all()


@pytest.mark.parametrize("width", [90, 91])
def test_mae_star_is_the_mean_magnitude_of_the_whole_spectrum(width):
    clean, noisy = pair(width=width)
    spectrum = np.abs(np.fft.fft2(255 * (noisy - clean).double().numpy()))
    assert mae_star(clean, noisy).numpy() == pytest.approx(spectrum.mean((1, 2, 3)), rel=1e-4)


def test_mae_star_bounds_the_largest_change():
    clean, noisy = pair()
    assert (255 * (noisy - clean).abs().amax((1, 2, 3)) <= 3 * mae_star(clean, noisy)).all()


def test_meter_gives_the_same_in_any_chunks():
    clean, noisy = pair(frames=5)
    whole, parts = QualityMeter(BT709), QualityMeter(BT709)
    whole.add(clean, noisy)
    for part in (slice(0, 2), slice(2, 3), slice(3, 5)):
        parts.add(clean[part], noisy[part])
    one, two = whole.result(), parts.result()
    assert two.psnr == pytest.approx(one.psnr, abs=1e-4)
    assert two.temporal_instability == pytest.approx(one.temporal_instability, rel=1e-5)
    assert (two.ssim, two.vif, two.mae_star) == pytest.approx((one.ssim, one.vif, one.mae_star), rel=1e-5)


def test_psnr_and_ssim_agree_with_scikit_image():
    clean, noisy = pair(frames=3)
    meter = QualityMeter(BT709)
    meter.add(clean, noisy)
    assert meter.result().psnr == pytest.approx(
        peak_signal_noise_ratio(clean.numpy(), noisy.numpy(), data_range=1), abs=1e-4
    )
    planes = (luma(frames, BT709).double().numpy() for frames in (clean, noisy))
    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 1}
    oracle = [structural_similarity(a, b, **options) for a, b in zip(*planes, strict=True)]
    assert meter.result().ssim == pytest.approx(np.mean(oracle), abs=2e-5)


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("pyiqa") is None, reason="pyiqa is not installed: make pyiqa")
@pytest.mark.parametrize("noise", [0.005, 0.04, 0.2])
def test_psnr_and_ssim_agree_with_pyiqa(noise):
    """The IOI paper's figures are pyiqa's. It adds 1e-8 to the squared error and rounds luma (BT.601) to 8 bits."""
    from attacks.metrics.torchvision_shim import import_torchvision

    import_torchvision()
    from pyiqa.archs.psnr_arch import PSNR
    from pyiqa.archs.ssim_arch import SSIM

    clean, noisy = pair(frames=1, noise=noise)
    meter = QualityMeter(BT601)
    meter.add(clean, noisy)
    ours = meter.result()
    assert -10 * math.log10(10 ** (-ours.psnr / 10) + 1e-8) == pytest.approx(float(PSNR()(noisy, clean)), abs=1e-4)
    assert ours.ssim == pytest.approx(float(SSIM()(noisy, clean)), abs=2e-3)
    # On luma of whole levels there is nothing to round.
    grey_clean, grey_noisy = (
        (255 * luma(frames, BT601)).round()[:, None].expand(-1, 3, -1, -1) / 255 for frames in (clean, noisy)
    )
    meter = QualityMeter(BT601)
    meter.add(grey_clean, grey_noisy)
    assert meter.result().ssim == pytest.approx(float(SSIM()(grey_noisy, grey_clean)), abs=2e-5)


def test_temporal_instability_sees_flicker_and_not_a_still_change():
    clean, _ = pair(frames=1)
    clean = clean.expand(4, -1, -1, -1) * 0.5 + 0.2
    still, flicker = QualityMeter(BT709), QualityMeter(BT709)
    still.add(clean, clean + 4 / 255)
    signs = torch.tensor([1.0, -1, 1, -1]).view(4, 1, 1, 1)
    flicker.add(clean, clean + signs * 4 / 255)
    assert still.result().temporal_instability == pytest.approx(0, abs=1e-4)
    assert flicker.result().temporal_instability == pytest.approx(8, rel=1e-4)


def test_identical_clips_have_no_psnr_and_one_frame_no_instability():
    clean, _ = pair(frames=1)
    meter = QualityMeter(BT709)
    meter.add(clean, clean)
    assert meter.result().psnr is None
    assert meter.result().temporal_instability is None


def test_projection_is_the_share_that_is_left():
    meant = torch.randn(1, 3, 20, 20, generator=torch.Generator().manual_seed(0))
    got, full = projection(0.25 * meant, meant)
    assert got / full == pytest.approx(0.25, rel=1e-5)
