"""What every attack must do; a row in the registry enrols it."""

import math

import numpy as np
import pytest
import torch

from attacks import clean_gradient, create_attack, list_attacks, to_uint8
from attacks.errors import InvalidFrames, InvalidOption, NonFiniteScore, NotDifferentiable, ZeroGradient
from attacks.metrics import wrap_module

NAMES = [info.name for info in list_attacks()]
WEAK = 2 / 255

pytestmark = pytest.mark.parametrize("name", NAMES)


def usual_strength(name):
    return create_attack(name).info.strength.default


@pytest.mark.parametrize("size", [(24, 32), (23, 31), (3, 5), (33, 20)])
def test_shape_type_and_range(name, size, seeded_frames, make_metric):
    frames = seeded_frames(2, *size)
    adversarial = create_attack(name).perturb(frames, make_metric("net"), usual_strength(name))
    assert adversarial.shape == frames.shape
    assert adversarial.dtype == torch.float32
    assert not adversarial.requires_grad
    assert adversarial.min() >= 0 and adversarial.max() <= 1
    assert not torch.equal(adversarial, frames)


def test_frames_are_not_modified(name, seeded_frames, make_metric):
    frames = seeded_frames(2, 24, 32)
    before = frames.clone()
    prepared = create_attack(name).prepare(frames, make_metric("net"))
    first = prepared.at(usual_strength(name))
    prepared.initial_slope()
    first.zero_()
    prepared.at(0).zero_()
    assert torch.equal(frames, before)
    assert not frames.requires_grad and frames.grad is None


def test_strength_zero_is_the_identity_bit_for_bit(name, make_metric):
    frames = torch.rand(2, 3, 24, 32, generator=torch.Generator().manual_seed(5))
    result = create_attack(name).perturb(frames, make_metric("net"), 0)
    assert torch.equal(result.view(torch.int32), frames.view(torch.int32))


def test_a_vanishing_strength_changes_nothing_after_rounding(name, seeded_frames, make_metric):
    frames = seeded_frames(1, 24, 32)
    result = create_attack(name).perturb(frames, make_metric("net"), 1e-6)
    assert torch.equal(to_uint8(result), to_uint8(frames))


@pytest.mark.parametrize("kind", ["linear", "highpass", "net"])
def test_the_score_of_each_frame_rises(name, kind, seeded_frames, make_metric):
    frames, metric = seeded_frames(3, 24, 32), make_metric(kind)
    adversarial = create_attack(name).perturb(frames, metric, WEAK)
    assert (metric.score(adversarial) > metric.score(frames)).all()


def test_a_lower_better_metric_goes_down(name, seeded_frames, make_metric):
    frames, metric = seeded_frames(3, 24, 32), make_metric("net", lower_better=True)
    prepared = create_attack(name).prepare(frames, metric)
    assert (metric.score(prepared.at(WEAK)) < metric.score(frames)).all()
    assert (prepared.initial_slope() > 0).all()


def test_lower_better_is_the_same_as_attacking_the_negated_score(name, seeded_frames, make_module):
    class Negated(torch.nn.Module):
        def __init__(self, module):
            super().__init__()
            self.module = module

        def forward(self, frames):
            return -self.module(frames)

    frames, module, attack = seeded_frames(1, 24, 32), make_module("net"), create_attack(name)
    lower = attack.perturb(frames, wrap_module(module, lower_better=True), WEAK)
    higher = attack.perturb(frames, wrap_module(Negated(module)), WEAK)
    assert torch.equal(lower, higher)


def test_deterministic_and_the_same_at_any_order_of_strengths(name, seeded_frames, make_metric):
    frames, metric = seeded_frames(2, 24, 32), make_metric("net")
    prepared = create_attack(name).prepare(frames, metric)
    strong, weak = prepared.at(0.2), prepared.at(WEAK)
    again = create_attack(name).prepare(frames, metric)
    assert torch.equal(again.at(WEAK), weak)
    assert torch.equal(again.at(0.2), strong)


@pytest.mark.parametrize("kind", ["linear", "net"])
def test_a_batch_of_four_is_four_batches_of_one(name, kind, seeded_frames, make_metric):
    frames, metric, attack = seeded_frames(4, 24, 32), make_metric(kind), create_attack(name)
    together = attack.prepare(frames, metric)
    alone = [attack.prepare(frame[None], metric) for frame in frames]
    difference = (together.at(0.05) - torch.cat([one.at(0.05) for one in alone])).abs()
    # The sign of a gradient within rounding of zero may depend on the batch.
    assert (difference > 1e-5).float().mean() < 1e-3
    torch.testing.assert_close(
        together.initial_slope(), torch.cat([one.initial_slope() for one in alone]), rtol=1e-3, atol=1e-3
    )


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0, 0.123])
def test_constant_frames_stay_valid(name, value, make_metric):
    frames = torch.full((2, 3, 24, 32), value)
    adversarial = create_attack(name).perturb(frames, make_metric("net"), 0.1)
    assert torch.isfinite(adversarial).all()
    assert adversarial.min() >= 0 and adversarial.max() <= 1


def test_parameters_and_modes_are_left_as_they_were(name, seeded_frames, make_module):
    frames, attack = seeded_frames(2, 24, 32), create_attack(name)
    module = make_module("net").train()
    module.first.weight.requires_grad_(False)
    module.second.eval()
    statistics = module.norm.running_mean.clone()
    loose = attack.perturb(frames, wrap_module(module), 0.05)
    assert module.training and module.norm.training and not module.second.training
    assert not module.first.weight.requires_grad and module.second.weight.requires_grad
    assert all(parameter.grad is None for parameter in module.parameters())
    assert torch.equal(module.norm.running_mean, statistics)
    frozen = attack.perturb(frames, wrap_module(module.eval().requires_grad_(False)), 0.05)
    assert torch.equal(loose, frozen)


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_works_where_the_caller_records_no_gradients(name, mode, seeded_frames, make_metric):
    metric = make_metric("net")
    expected = create_attack(name).perturb(seeded_frames(1, 24, 32), metric, 0.05)
    with mode():
        frames = seeded_frames(1, 24, 32)
        result = create_attack(name).perturb(frames, metric, 0.05)
        assert torch.equal(result, expected)


@pytest.mark.parametrize("kind", ["linear", "net"])
@pytest.mark.parametrize("lower_better", [False, True])
def test_the_initial_slope_is_the_derivative_at_zero(name, kind, lower_better, seeded_frames, make_metric):
    frames, metric = seeded_frames(2, 24, 32), make_metric(kind, lower_better=lower_better)
    frames[..., :6, :] = 0  # values at the bounds cannot move outwards
    frames[..., 6:12, :] = 1
    frames[..., 12:, ::3] = 0
    prepared = create_attack(name).prepare(frames, metric)
    slope, small = prepared.initial_slope(), 2e-4
    change = (metric.score(prepared.at(small)) - metric.score(frames)).detach() / small
    expected = -change if lower_better else change
    torch.testing.assert_close(slope, expected, rtol=0.02, atol=0.02 * float(expected.abs().max()))


def test_a_shared_clean_gradient_gives_the_same_frames_for_less(name, seeded_frames, make_metric):
    attack = create_attack(name)
    if not attack.uses_clean_gradient:
        pytest.skip("this attack has no use for a clean gradient")
    frames, metric = seeded_frames(2, 24, 32), make_metric("net")
    clean = clean_gradient(frames, metric)
    signs = type(clean)(scores=clean.scores, sign=clean.sign)
    prepared = attack.prepare(frames, metric)
    for shared in (clean, signs):
        cheaper = attack.prepare(frames, metric, clean=shared)
        assert torch.equal(cheaper.at(0.05), attack.prepare(frames, metric).at(0.05))
        assert cheaper.cost.metric_backwards < prepared.cost.metric_backwards + attack.info.iterations
    assert attack.prepare(frames, metric, clean=signs).initial_slope() is None
    with pytest.raises(InvalidFrames, match="clean gradient"):
        attack.prepare(frames[:1], metric, clean=clean)


def test_cost_counts_the_passes(name, seeded_frames, make_module):
    module, calls = make_module("net"), []
    module.register_forward_hook(lambda *_: calls.append(1))
    attack = create_attack(name)
    prepared = attack.prepare(seeded_frames(2, 24, 32), wrap_module(module))
    prepared.at(0.01)
    prepared.at(0.02)
    assert prepared.cost.metric_forwards == len(calls)
    if attack.info.access == "white-box":
        assert prepared.cost.metric_backwards == 1 + 2 * (attack.info.iterations - 1)


class Broken(torch.nn.Module):
    def __init__(self, score):
        super().__init__()
        self.score = score

    def forward(self, frames):
        return self.score(frames)


@pytest.mark.parametrize(
    ("score", "error"),
    [
        (lambda x: x.mean(dim=(1, 2, 3)) * 0, ZeroGradient),
        (lambda x: x.round().mean(dim=(1, 2, 3)), ZeroGradient),
        (lambda x: x.detach().mean(dim=(1, 2, 3)), NotDifferentiable),
        (lambda x: torch.ones(len(x), requires_grad=True) * 1, NotDifferentiable),
        (lambda x: x.mean(dim=(1, 2, 3)) * math.nan, NonFiniteScore),
        (lambda x: 1 + (x - x).sqrt().mean(dim=(1, 2, 3)), NotDifferentiable),
        (lambda x: x.mean(), InvalidOption),
        (lambda x: x.mean(dim=(2, 3)), InvalidOption),
        (lambda x: x.sum(dim=(1, 2, 3)).long(), NotDifferentiable),
        (lambda x: None, InvalidOption),
    ],
)
def test_an_unusable_metric_is_named(name, score, error, seeded_frames):
    with pytest.raises(error, match="mine"):
        create_attack(name).perturb(seeded_frames(2, 24, 32), wrap_module(Broken(score), name="mine"), 0.05)


@pytest.mark.parametrize(
    "frames",
    [
        np.zeros((1, 3, 8, 8), np.float32),
        torch.zeros(3, 8, 8),
        torch.zeros(1, 8, 8, 3),
        torch.zeros(0, 3, 8, 8),
        torch.zeros(1, 3, 8, 8, dtype=torch.uint8),
        torch.zeros(1, 3, 8, 8, dtype=torch.float64),
        torch.full((1, 3, 8, 8), 1.01),
        torch.full((1, 3, 8, 8), -0.01),
        torch.full((1, 3, 8, 8), math.nan),
    ],
)
def test_wrong_frames_are_refused(name, frames, make_metric):
    with pytest.raises(InvalidFrames, match=r"must|divide"):
        create_attack(name).prepare(frames, make_metric("net"))


@pytest.mark.parametrize("strength", [-0.1, 1.5, math.nan, math.inf, "strong", None, True])
def test_wrong_strengths_are_refused(name, strength, seeded_frames, make_metric):
    with pytest.raises(InvalidOption, match="strength"):
        create_attack(name).perturb(seeded_frames(1, 24, 32), make_metric("net"), strength)


def test_a_bare_module_is_refused(name, seeded_frames, make_module):
    with pytest.raises(InvalidOption, match="wrap_module"):
        create_attack(name).prepare(seeded_frames(1, 24, 32), make_module("net"))


def test_the_row_is_complete(name):
    info = create_attack(name).info
    assert info.title and info.citation
    assert info.access in {"white-box", "black-box", "trained"}
    assert 0 < info.strength.low <= info.strength.default <= info.strength.high <= 1
    for option in info.options:
        assert option.low <= option.default <= option.high and option.description
