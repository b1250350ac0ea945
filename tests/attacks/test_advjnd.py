"""AdvJND against the equations, with OpenCV's edges and SciPy's windows."""

import cv2
import numpy as np
import pytest
import torch
from scipy import ndimage

from attacks import create_attack
from attacks.advjnd import jnd_weight


def adaptation(grey):
    return np.where(grey <= 127, 17 * (1 - np.sqrt(grey / 127)) + 3, 3 * (grey - 127) / 128 + 3)


def grey_of(levels):
    """levels (3, H, W) uint8 -> (H, W) uint8."""
    return cv2.cvtColor(np.ascontiguousarray(levels.transpose(1, 2, 0)), cv2.COLOR_RGB2GRAY)


def oracle_weight(levels):
    grey = grey_of(levels)
    edges = cv2.Canny(grey, 50, 150).astype(float)
    contrast = lambda z: ndimage.maximum_filter(z, 5, mode="nearest") - ndimage.minimum_filter(z, 5, mode="nearest")  # noqa: E731
    masking = 0.117 * contrast(edges) + 3 * 0.117 * contrast(grey - edges)
    adapted = adaptation(grey.astype(float))
    jnd = adapted + masking - 0.3 * np.minimum(adapted, masking)
    return jnd / jnd.mean()


def figure_weight(levels):
    return np.array([0.09, 1, 0.01])[:, None, None] * (1 + 0.015 * (adaptation(grey_of(levels).astype(float)) - 3))


def picture(seed=0):
    """A smooth scene with edges, (3, 24, 32) uint8."""
    y, x = np.mgrid[0:24, 0:32]
    scene = 100 + 80 * np.sin(x / 9 + np.arange(3)[:, None, None]) + 50 * (x > 12) * (y > 9)
    return np.clip(scene + np.random.default_rng(seed).normal(0, 4, scene.shape), 0, 255).round().astype(np.uint8)


def signs(module, x):
    leaf = torch.from_numpy(x)[None].requires_grad_(True)
    return torch.autograd.grad(module(leaf).sum(), leaf)[0].sign()[0].numpy()


@pytest.mark.parametrize("steps", [1, 4])
@pytest.mark.parametrize(("variant", "weight"), [("jnd", oracle_weight), ("paper_figure", figure_weight)])
@pytest.mark.parametrize("strength", [4 / 255, 0.2])
def test_the_attack_is_the_equations(steps, variant, weight, strength, make_metric, make_module):
    pictures = np.stack([picture(0), picture(1)])
    frames = torch.from_numpy(pictures).float() / 255
    result = create_attack("advjnd", variant=variant, iterations=steps).perturb(frames, make_metric("net"), strength)
    module = make_module("net").double()
    for found, levels in zip(result.numpy(), pictures, strict=True):
        clean = levels / 255
        x, bound = clean, strength * weight(levels)
        for _ in range(steps):
            x = np.clip(np.clip(x + bound / steps * signs(module, x), clean - bound, clean + bound), 0, 1)
        assert (np.abs(found - x) > 1e-5).mean() < 2e-3
        assert (np.abs(found - clean) <= bound + 1e-6).all()


def test_the_mean_strength_is_the_strength(make_metric):
    frames = 0.3 + 0.4 * torch.from_numpy(picture())[None].float() / 255
    change = create_attack("advjnd").perturb(frames, make_metric("linear"), 0.02) - frames
    assert change.abs().mean() == pytest.approx(0.02, rel=1e-3)
    assert jnd_weight(frames).mean() == pytest.approx(1, rel=1e-5)


def test_paper_figure_is_almost_all_green(make_metric):
    frames = torch.from_numpy(picture())[None].float() / 255
    change = create_attack("advjnd", variant="paper_figure").perturb(frames, make_metric("net"), 25 / 255) - frames
    red, green, blue = 255 * change.abs().amax(dim=(0, 2, 3))
    assert 24 < green < 32 and 1.5 < red < 3 and blue < 1
