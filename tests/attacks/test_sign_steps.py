"""The sign-step family against the loops of the equations, in which nothing is shared with the implementation."""

import math

import numpy as np
import pytest
import torch

from attacks import CleanGradient, clean_gradient, create_attack, list_attacks
from attacks.errors import InvalidFrames, InvalidOption, NoChange, NotDifferentiable, TrainedFileError, ZeroGradient
from attacks.metrics import wrap_module

PIXEL = 1 / 255


def descent(module, point):
    """Gradient of minus the score, as the papers write the loss."""
    point = point.clone().requires_grad_(True)
    return torch.autograd.grad(-module(point).sum(), point)[0]


def oracle(frames, module, alpha, iterations, eps, momentum=0.0, start=0.0):
    perturbation, velocity = torch.zeros_like(frames) + start, 0.0
    for _ in range(iterations):
        velocity = descent(module, torch.clamp(frames + perturbation, 0, 1)) + momentum * velocity
        perturbation = torch.clamp(perturbation - alpha * torch.sign(velocity), -eps, eps)
    return torch.clamp(frames + perturbation, 0, 1)


def agree(result, expected):
    """But for signs of gradients within rounding of zero."""
    return ((result - expected).abs() > 1e-6).float().mean() < 1e-3


@pytest.mark.parametrize(("iterations", "eps"), [(1, 1.0), (3, 1.0), (10, 10 / 255), (4, 0.03)])
@pytest.mark.parametrize("alpha", [1 / 255, 0.02, 0.2])
def test_ifgsm_is_the_equations(iterations, eps, alpha, seeded_frames, make_metric, make_module):
    frames = seeded_frames(2, 24, 32)
    result = create_attack("ifgsm", iterations=iterations, eps=eps).perturb(frames, make_metric("net"), alpha)
    assert agree(result, oracle(frames, make_module("net"), alpha, iterations, eps))


@pytest.mark.parametrize(("iterations", "eps", "momentum"), [(5, 0.03, 1.0), (10, 10 / 255, 1.0), (4, 1.0, 0.5)])
@pytest.mark.parametrize("alpha", [1 / 255, 0.02])
def test_mifgsm_is_the_equations(iterations, eps, momentum, alpha, seeded_frames, make_metric, make_module):
    frames = seeded_frames(2, 24, 32)
    attack = create_attack("mifgsm", iterations=iterations, eps=eps, momentum=momentum)
    result = attack.perturb(frames, make_metric("net"), alpha)
    assert agree(result, oracle(frames, make_module("net"), alpha, iterations, eps, momentum))
    if alpha == 0.02:
        forgetful = create_attack("ifgsm", iterations=iterations, eps=eps).perturb(frames, make_metric("net"), alpha)
        assert not agree(result, forgetful)


def test_mifgsm_without_momentum_is_ifgsm(seeded_frames, make_metric):
    frames, metric = seeded_frames(1, 24, 32), make_metric("net")
    plain = create_attack("ifgsm", iterations=4).perturb(frames, metric, PIXEL)
    assert torch.equal(create_attack("mifgsm", iterations=4, momentum=0).perturb(frames, metric, PIXEL), plain)


@pytest.mark.parametrize("iterations", [1, 4])
def test_fgsm_of_several_iterations_shares_its_strength_out(iterations, seeded_frames, make_metric, make_module):
    frames = seeded_frames(2, 24, 32)
    result = create_attack("fgsm", iterations=iterations).perturb(frames, make_metric("net"), 0.04)
    assert agree(result, oracle(frames, make_module("net"), 0.04 / iterations, iterations, math.inf))


def test_fgsm_moves_every_free_value_by_the_strength(make_metric):
    frames = torch.full((1, 3, 24, 32), 0.5)
    change = create_attack("fgsm").perturb(frames, make_metric("linear"), 0.25) - frames
    torch.testing.assert_close(change.abs(), torch.full_like(change, 0.25))


@pytest.mark.parametrize("name", ["ifgsm", "mifgsm"])
@pytest.mark.parametrize(("strength", "iterations"), [(0.01, 5), (0.05, 5), (0.5, 5), (0.05, 1)])
def test_the_bound_binds(name, strength, iterations, make_metric):
    frames, eps = torch.full((1, 3, 24, 32), 0.5), 0.02
    attack = create_attack(name, eps=eps, iterations=iterations)
    change = attack.perturb(frames, make_metric("linear"), strength) - frames
    torch.testing.assert_close(change.abs(), torch.full_like(change, eps))


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("ifgsm", {"iterations": 0}),
        ("ifgsm", {"iterations": 2.5}),
        ("ifgsm", {"iterations": True}),
        ("ifgsm", {"eps": -1}),
        ("mifgsm", {"momentum": math.inf}),
        ("pgd", {"step": 1.5}),
        ("pgd", {"seed": -1}),
    ],
)
def test_bad_options(name, options):
    with pytest.raises(InvalidOption, match="must be"):
        create_attack(name, **options)


@pytest.mark.parametrize("name", ["mifgsm", "amifgsm"])
def test_frames_without_a_gradient_in_a_clip_that_has_one(name, make_metric, make_attack):
    """Black frames at a cut: the caller has the signs of the whole clip, so the metric is not at fault."""
    frames = torch.zeros(2, 3, 24, 32)
    signs = CleanGradient(torch.zeros(2), torch.zeros(2, 3, 24, 32, dtype=torch.int8))
    prepared = make_attack(name, iterations=10).prepare(frames, make_metric("highpass"), clean=signs)
    with pytest.raises(NoChange, match=name):
        prepared.at(0.02)


def test_what_remains_without_a_gradient_is_named(seeded_frames):
    class Detached(torch.nn.Module):
        def forward(self, frames):
            return frames.detach().mean(dim=(1, 2, 3))

    remaining = [info.name for info in list_attacks() if info.access != "white-box"]
    with pytest.raises(NotDifferentiable, match="remain: " + ", ".join(remaining)):
        create_attack("fgsm").perturb(seeded_frames(1, 24, 32), wrap_module(Detached()), 0.1)


class TestAMIFGSM:
    def oracle(self, frames, module, bounds, iterations, momentum=1.0):
        """x_{t+1} = Clip_{x0, eps}(x_t - eps / T sign(v_t)), the bound projected onto as the paper writes it."""
        point, velocity = frames.clone(), 0.0
        for _ in range(iterations):
            velocity = descent(module, point) + momentum * velocity
            point = point - bounds / iterations * torch.sign(velocity)
            point = torch.clamp(torch.maximum(torch.minimum(point, frames + bounds), frames - bounds), 0, 1)
        return point

    @pytest.mark.parametrize(("strength", "iterations"), [(0.5, 10), (2.0, 3), (0.5, 1)])
    def test_reference_variant(self, strength, iterations, seeded_frames, make_metric, make_module):
        frames = seeded_frames(2, 24, 32)
        attack = create_attack("amifgsm", variant="reference", iterations=iterations)
        result = attack.perturb(frames, make_metric("net"), strength)
        bounds = torch.full((2, 1, 1, 1), strength * 20 / 255)
        assert agree(result, self.oracle(frames, make_module("net"), bounds, iterations))
        assert (result - frames).abs().max() <= strength * 20 / 255 + 1e-6

    def test_each_frame_has_the_bound_of_its_own_quality(self, make_metric, make_module, monkeypatch):
        frames = torch.rand(2, 3, 96, 96, generator=torch.Generator().manual_seed(0))
        quality = torch.tensor([4.0, 8.0], dtype=torch.float64)
        monkeypatch.setattr("attacks.sign_steps.niqe", lambda frames, model: quality)
        result = create_attack("amifgsm", iterations=5).perturb(frames, make_metric("net"), 0.5)
        bounds = (0.5 / quality).view(2, 1, 1, 1).float()
        assert agree(result, self.oracle(frames, make_module("net"), bounds, 5))
        torch.testing.assert_close((result - frames).abs().amax(dim=(1, 2, 3)), bounds.flatten(), rtol=1e-4, atol=0)

    def test_the_better_picture_gets_the_wider_bound(self, make_metric):
        from skimage import data

        clean = torch.from_numpy(data.chelsea().copy()).permute(2, 0, 1)[None].float() / 255
        noisy = (clean + 0.1 * torch.randn(clean.shape, generator=torch.Generator().manual_seed(0))).clamp(0, 1)
        both = torch.cat([clean, noisy])
        change = (create_attack("amifgsm", iterations=1).perturb(both, make_metric("net"), 0.5) - both).abs()
        assert change[0].max() > 1.3 * change[1].max()

    def test_a_flat_frame_stays_as_it_is(self, make_metric):
        frames = torch.rand(2, 3, 96, 96, generator=torch.Generator().manual_seed(0))
        frames[1] = 0.25
        result = create_attack("amifgsm", iterations=2).perturb(frames, make_metric("net"), 0.5)
        assert torch.equal(result[1], frames[1]) and not torch.equal(result[0], frames[0])

    def test_the_slope_with_niqe(self, make_metric):
        frames = torch.rand(2, 3, 96, 97, generator=torch.Generator().manual_seed(0))
        metric = make_metric("net")
        prepared = create_attack("amifgsm", iterations=3).prepare(frames, metric)
        change = (metric.score(prepared.at(0.02)) - metric.score(frames)).detach() / 0.02
        torch.testing.assert_close(prepared.initial_slope(), change, rtol=0.05, atol=0)

    def test_small_frames_are_refused_with_the_remedy(self, make_metric):
        with pytest.raises(InvalidFrames, match=r"96x96.*97x95.*variant=reference"):
            create_attack("amifgsm").prepare(torch.rand(1, 3, 95, 97), make_metric("net"))

    def test_a_file_that_is_no_model_is_refused_at_once(self, tmp_path):
        with pytest.raises(TrainedFileError, match=r"nothing\.mat"):
            create_attack("amifgsm", parameters=tmp_path / "nothing.mat")

    def test_the_record_names_the_model_and_no_place(self, tmp_path):
        from attacks.niqe import _packaged

        path = tmp_path / "copy.mat"
        path.write_bytes(_packaged().read_bytes())
        record = create_attack("amifgsm", parameters=path).describe()
        assert record == create_attack("amifgsm").describe()
        assert record["variant"] == "niqe" and len(record["parameters_sha256"]) == 64
        assert str(tmp_path) not in str(record)
        fixed = create_attack("amifgsm", variant="reference").describe()
        assert fixed == {"iterations": 10, "momentum": 1.0, "variant": "reference"}


class TestPGD:
    def start(self, frames, eps, seed=0):
        noise = torch.randn(frames.shape[1:], generator=torch.Generator().manual_seed(seed))
        return torch.clamp(noise * eps, -eps, eps)

    @pytest.mark.parametrize(("options", "step"), [({}, 2 / 7), ({"step": 0.1, "seed": 5, "iterations": 4}, 0.1)])
    @pytest.mark.parametrize("eps", [7 / 255, 0.2])
    def test_is_the_equations(self, options, step, eps, seeded_frames, make_metric, make_module):
        frames = seeded_frames(2, 24, 32)
        result = create_attack("pgd", **options).perturb(frames, make_metric("net"), eps)
        start = self.start(frames, eps, options.get("seed", 0))
        expected = oracle(frames, make_module("net"), step * eps, options.get("iterations", 12), eps, start=start)
        assert agree(result, expected)
        assert (result - frames).abs().max() <= eps + 1e-6

    def test_the_papers_step(self, make_metric):
        """At 7/255 a step has 2/255."""
        frames = torch.full((1, 3, 24, 32), 0.5)
        change = create_attack("pgd", iterations=1).perturb(frames, make_metric("linear"), 7 / 255) - frames
        moved = (change - self.start(frames, 7 / 255))[change.abs() < 6.99 / 255]
        torch.testing.assert_close(moved.abs(), torch.full_like(moved, 2 / 255))

    def test_every_frame_starts_from_the_same_noise(self, seeded_frames, make_metric):
        frames = seeded_frames(1, 24, 32).expand(3, -1, -1, -1)
        result = create_attack("pgd", iterations=2).perturb(frames, make_metric("linear"), 0.02)
        assert torch.equal(result[0], result[1]) and torch.equal(result[0], result[2])
        other = create_attack("pgd", iterations=2, seed=1).perturb(frames, make_metric("linear"), 0.02)
        assert not torch.equal(result, other)

    def test_the_clean_gradient_is_taken_for_the_slope_alone(self, seeded_frames, make_metric):
        frames, metric = seeded_frames(1, 24, 32), make_metric("net")
        prepared = create_attack("pgd", iterations=3).prepare(frames, metric)
        prepared.at(0.02)
        assert prepared.cost.metric_backwards == 3
        first = prepared.initial_slope()
        assert torch.equal(prepared.initial_slope(), first) and prepared.cost.metric_backwards == 4
        shared = create_attack("pgd", iterations=3).prepare(frames, metric, clean=clean_gradient(frames, metric))
        assert torch.equal(shared.initial_slope(), first) and shared.cost.metric_backwards == 0

    def test_the_global_generator_is_not_touched(self, seeded_frames, make_metric):
        frames, metric = seeded_frames(1, 24, 32), make_metric("net")
        before = torch.get_rng_state()
        create_attack("pgd", iterations=1).perturb(frames, metric, 0.02)
        assert torch.equal(torch.get_rng_state(), before)

    def test_a_metric_that_is_flat_only_later_is_no_fault(self, seeded_frames):
        """Once the score is at its ceiling there is nothing left to climb, as in the rest of the family."""

        class Ceiling(torch.nn.Module):
            def forward(self, frames):
                return frames.mean(dim=(1, 2, 3)).clamp(max=0.51)

        frames = torch.full((1, 3, 24, 32), 0.5)
        result = create_attack("pgd").perturb(frames, wrap_module(Ceiling()), 0.1)
        assert result.mean() > 0.51

    def test_a_metric_that_is_flat_at_once_is(self, seeded_frames):
        class Flat(torch.nn.Module):
            def forward(self, frames):
                return frames.mean(dim=(1, 2, 3)).clamp(max=0)

        with pytest.raises(ZeroGradient, match="mine"):
            create_attack("pgd").perturb(seeded_frames(1, 24, 32), wrap_module(Flat(), name="mine"), 0.1)


def test_steps_at_the_ends_of_the_range_are_straight_through(make_metric):
    """p goes on growing beyond the clip, so a value at 0 needs as many steps back as it took outwards."""
    signs = iter([-1.0, -1.0, 1.0])

    class Turning(torch.nn.Module):
        def forward(self, frames):
            return next(signs) * frames.sum(dim=(1, 2, 3))

    result = create_attack("ifgsm", iterations=3).perturb(torch.zeros(1, 3, 4, 4) + 0.01, wrap_module(Turning()), 0.02)
    assert np.allclose(result, 0.0)
