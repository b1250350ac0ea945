"""FGSM and I-FGSM against the loop of the equations, in which nothing is shared with the implementation."""

import pytest
import torch

from attacks import CleanGradient, create_attack
from attacks.errors import InvalidOption


def oracle(frames, module, alpha, iterations, eps, momentum=0.0):
    perturbation, velocity = torch.zeros_like(frames), 0.0
    for _ in range(iterations):
        point = torch.clamp(frames + perturbation, 0, 1).requires_grad_(True)
        (gradient,) = torch.autograd.grad(-module(point).sum(), point)
        velocity = gradient + momentum * velocity
        perturbation = torch.clamp(perturbation - alpha * torch.sign(velocity), -eps, eps)
    return torch.clamp(frames + perturbation, 0, 1)


@pytest.mark.parametrize(
    ("iterations", "eps", "momentum"),
    [(1, 1.0, 0.0), (3, 1.0, 0.0), (10, 10 / 255, 0.0), (4, 0.03, 0.0), (5, 0.03, 1.0)],
)
@pytest.mark.parametrize("alpha", [1 / 255, 0.02, 0.2])
def test_ifgsm_is_the_equations(iterations, eps, momentum, alpha, seeded_frames, make_metric, make_module):
    frames = seeded_frames(2, 24, 32)
    attack = create_attack("ifgsm", iterations=iterations, eps=eps, momentum=momentum)
    result = attack.perturb(frames, make_metric("net"), alpha)
    expected = oracle(frames, make_module("net"), alpha, iterations, eps, momentum)
    assert ((result - expected).abs() > 1e-6).float().mean() < 1e-3


def test_fgsm_is_the_first_step(seeded_frames, make_metric):
    frames, metric = seeded_frames(1, 24, 32), make_metric("net")
    one = create_attack("ifgsm", iterations=1, eps=1.0)
    assert torch.equal(create_attack("fgsm").perturb(frames, metric, 0.03), one.perturb(frames, metric, 0.03))


def test_fgsm_moves_every_free_value_by_the_strength(make_metric):
    frames = torch.full((1, 3, 24, 32), 0.5)
    change = create_attack("fgsm").perturb(frames, make_metric("linear"), 0.25) - frames
    torch.testing.assert_close(change.abs(), torch.full_like(change, 0.25))


@pytest.mark.parametrize("strength", [0.01, 0.05, 0.5])
def test_the_bound_binds(strength, make_metric):
    frames, eps = torch.full((1, 3, 24, 32), 0.5), 0.02
    change = create_attack("ifgsm", eps=eps, iterations=5).perturb(frames, make_metric("linear"), strength) - frames
    torch.testing.assert_close(change.abs(), torch.full_like(change, eps))


@pytest.mark.parametrize("options", [{"iterations": 0}, {"iterations": 2.5}, {"iterations": True}, {"eps": -1}])
def test_bad_options(options):
    with pytest.raises(InvalidOption, match="must be"):
        create_attack("ifgsm", **options)


def test_momentum_leaves_frames_without_a_gradient_unchanged(make_metric):
    """Where the caller has the signs of a whole clip, black frames at a cut are no reason to stop."""
    frames = torch.zeros(2, 3, 24, 32)
    signs = CleanGradient(torch.zeros(2), torch.zeros(2, 3, 24, 32, dtype=torch.int8))
    prepared = create_attack("ifgsm", momentum=1.0).prepare(frames, make_metric("highpass"), clean=signs)
    assert torch.equal(prepared.at(0.02), frames)
