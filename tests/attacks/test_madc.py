"""MADC against its equations in plain NumPy, with a metric whose gradient is known in closed form."""

import numpy as np
import pytest
import torch

from attacks import create_attack
from attacks.errors import InvalidOption
from attacks.metrics import wrap_module

BUDGET = 10 / 255


class Cubic(torch.nn.Module):
    """score = sum(a x + b x^3): its gradient is a + 3 b x^2."""

    def __init__(self, a, b):
        super().__init__()
        self.a, self.b = (torch.from_numpy(value).float() for value in (a, b))

    def forward(self, frames):
        return (self.a * frames + self.b * frames**3).sum(dim=(1, 2, 3))


def coefficients(shape, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=shape), rng.normal(size=shape)


def oracle(x0, a, b, rate, iterations, budget=BUDGET):
    """One frame (3, H, W) in float64."""
    x = x0.copy()
    for t in range(iterations):
        g = -(a + 3 * b * x**2)
        q = g
        if t > 0:
            distance = np.sqrt(np.mean((x - x0) ** 2))
            d = (x - x0) / (x.size * distance)
            q = g - (d * g).sum() / (d * d).sum() * d
        x = x - rate * np.sign(q)
        distance = np.sqrt(np.mean((x - x0) ** 2))
        if distance > budget:
            x = x0 + (x - x0) * budget / distance
        x = np.clip(x, 0, 1)
    return x


@pytest.mark.parametrize(("rate", "iterations"), [(0.001, 8), (0.01, 8), (0.03, 5), (0.5, 3), (0.002, 1)])
def test_is_the_equations(rate, iterations, seeded_frames):
    frames, (a, b) = seeded_frames(2, 24, 32), coefficients((3, 24, 32))
    result = create_attack("madc", iterations=iterations).perturb(frames, wrap_module(Cubic(a, b)), rate).numpy()
    expected = np.stack([oracle(frame, a, b, rate, iterations) for frame in frames.double().numpy()])
    # A sign within rounding of zero moves a value by a step, and through the projection all others by very little.
    assert (np.abs(result - expected) > 1e-4 * rate + 2e-6).mean() < 2e-3


def test_later_steps_are_not_those_of_ifgsm(seeded_frames):
    frames, metric = seeded_frames(1, 24, 32), wrap_module(Cubic(*coefficients((3, 24, 32))))
    ours = create_attack("madc", iterations=4).perturb(frames, metric, 0.005)
    assert (ours != create_attack("ifgsm", iterations=4, eps=1).perturb(frames, metric, 0.005)).float().mean() > 0.2


@pytest.mark.parametrize("budget", [0.004, BUDGET])
@pytest.mark.parametrize("rate", [0.05, 1.0])
def test_the_root_mean_square_change_stays_inside_the_budget(budget, rate, seeded_frames):
    frames, metric = seeded_frames(2, 24, 32), wrap_module(Cubic(*coefficients((3, 24, 32))))
    change = create_attack("madc", budget=budget).perturb(frames, metric, rate) - frames
    size = change.square().mean(dim=(1, 2, 3)).sqrt()
    assert (size <= budget * (1 + 1e-5)).all() and (size > 0.5 * budget).all()


def test_each_frame_has_its_own_budget():
    """A frame that can move in one row only leaves the other's share alone, and keeps its full step."""

    class Above(torch.nn.Module):
        def forward(self, frames):
            return (frames - 0.5).relu().square().sum(dim=(1, 2, 3))

    frames = torch.full((2, 3, 24, 32), 0.6)
    frames[1, :, 1:] = 0.2
    change = create_attack("madc", iterations=1).perturb(frames, wrap_module(Above()), 0.06) - frames
    torch.testing.assert_close(change[0], torch.full_like(change[0], BUDGET))
    torch.testing.assert_close(change[1, :, 0], torch.full_like(change[1, :, 0], 0.06))
    assert not change[1, :, 1:].any()


def test_a_frame_without_gradient_stays_finite_and_unchanged(seeded_frames, make_metric):
    frames = seeded_frames(2, 24, 32)
    frames[1] = 0.5
    result = create_attack("madc").perturb(frames, make_metric("highpass"), 0.01)
    assert torch.equal(result[1], frames[1]) and torch.isfinite(result).all()
    assert not torch.equal(result[0], frames[0])


def test_no_budget_is_no_change(seeded_frames, make_metric):
    from attacks.errors import NoChange

    with pytest.raises(NoChange, match="madc"):
        create_attack("madc", budget=0).perturb(seeded_frames(1, 24, 32), make_metric("net"), 0.01)


@pytest.mark.parametrize("budget", [-0.1, 2, "much"])
def test_bad_budget(budget):
    with pytest.raises(InvalidOption, match="budget"):
        create_attack("madc", budget=budget)
