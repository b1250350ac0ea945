"""SSAH's loss against the explicit definition, and its walk against torch's own Adam on that loss."""

import pytest
import torch
import torch.nn.functional as functional

from attacks import create_attack
from attacks.metrics import wrap_module
from attacks.ssah import low_frequency_gradient
from tests.attacks.adam_oracle import agree


def low_band(picture):
    """(1, 3, H, W): low band of a one-level orthonormal Haar transform, inverted; odd sizes padded and cropped."""
    height, width = picture.shape[-2:]
    padded = functional.pad(picture, (0, width % 2, 0, height % 2), mode="replicate")
    a, b = padded[..., ::2, ::2], padded[..., ::2, 1::2]
    c, d = padded[..., 1::2, ::2], padded[..., 1::2, 1::2]
    band = (a + b + c + d) / 2
    inverted = torch.zeros_like(padded)
    for row in (0, 1):
        for column in (0, 1):
            inverted[..., row::2, column::2] = band / 2
    return inverted[..., :height, :width]


def low_frequency_loss(x, clean):
    return functional.smooth_l1_loss(low_band(x), low_band(clean), reduction="sum", beta=1.0)


def oracle_walk(frame, module, span, weight, rate, steps):
    clean = frame.double()
    x = clean.clone().requires_grad_(True)
    for step in range(steps):
        loss = 1 - module(x).sum() / span + weight * low_frequency_loss(x, clean)
        (gradient,) = torch.autograd.grad(loss, x)
        if step == 0:
            # Small enough for a first step that is the sign.
            optimizer = torch.optim.Adam([x], lr=rate, eps=1e-16 * float(gradient.abs().max()))
        x.grad = gradient.nan_to_num(0.0)
        optimizer.step()
        with torch.no_grad():
            x.clamp_(0, 1)
    return x.detach().numpy()


@pytest.mark.parametrize("size", [(24, 32), (23, 31), (24, 31), (23, 32), (1, 1), (3, 5)])
def test_low_frequency_gradient_is_that_of_the_loss(size, seeded_frames):
    clean, x = seeded_frames(1, *size).double(), seeded_frames(1, *size, seed=1).double().requires_grad_(True)
    (expected,) = torch.autograd.grad(low_frequency_loss(x, clean), x)
    torch.testing.assert_close(low_frequency_gradient(x.detach(), clean), expected)


@pytest.mark.slow
@pytest.mark.parametrize("size", [(24, 32), (23, 31)])
@pytest.mark.parametrize(
    ("steps", "weight", "span"),
    [(1, 0.1, 100.0), (2, 0.1, 100.0), (6, 0.1, 100.0), (6, 0.1, 1.0), (6, 2.0, 1.0), (6, 0.0, 1.0)],
)
def test_the_walk_is_adam_on_the_loss(size, steps, weight, span, seeded_frames, make_module):
    frames = seeded_frames(2, *size)
    metric = wrap_module(make_module("net"), score_range=(0, span))
    result = create_attack("ssah", iterations=steps, low_frequency=weight).perturb(frames, metric, 0.004)
    module = make_module("net").double()
    for found, frame in zip(result, frames, strict=True):
        # Where the changes of a block cancel, float32 leaves a rest of them, here up to 3 % of a step.
        assert agree(found, oracle_walk(frame[None], module, span, weight, 0.004, steps)[0], tolerance=2e-4)


def test_the_weight_takes_the_low_band_away(seeded_frames, make_metric):
    frames, metric = 0.2 + 0.6 * seeded_frames(1, 24, 32), make_metric("net")
    shares = []
    for weight in (0.0, 0.1, 10.0):
        change = create_attack("ssah", low_frequency=weight, iterations=30).perturb(frames, metric, 0.002) - frames
        shares.append(float(low_band(change).norm() / change.norm()))
    assert shares[0] > 0.4 and shares[1] < 0.05 and shares[2] < 0.05
