"""What every attack must do; a row in the registry enrols it."""

import math

import numpy as np
import pytest
import torch

from attacks import clean_gradient, create_attack, list_attacks, to_uint8
from attacks.errors import InvalidFrames, InvalidOption, NoChange, NonFiniteScore, NotDifferentiable, ZeroGradient
from attacks.metrics import wrap_module

INFOS = {info.name: info for info in list_attacks()}
WHITE_BOX = [info.name for info in INFOS.values() if info.access == "white-box"]
TRAINED = [info.name for info in INFOS.values() if info.access == "trained"]

every = pytest.mark.parametrize("name", INFOS)
white_box = pytest.mark.parametrize("name", WHITE_BOX)


def weak(name):
    """Strong enough to act, weak enough for the gradient to hold."""
    strength = INFOS[name].strength
    return 2 / 255 if strength.unit == "fraction of full scale" else strength.default


def usual(name):
    return INFOS[name].strength.default


@every
@pytest.mark.parametrize("size", [(24, 32), (23, 31), (3, 5), (33, 20)])
def test_shape_type_and_range(name, size, seeded_frames, make_metric, make_attack):
    frames, attack = seeded_frames(2, *size), make_attack(name)
    try:
        adversarial = attack.perturb(frames, make_metric("net"), usual(name))
    except InvalidFrames as error:
        assert min(size) < 16 and "at least" in str(error)
        return
    assert adversarial.shape == frames.shape
    assert adversarial.dtype == torch.float32
    assert not adversarial.requires_grad
    assert adversarial.min() >= 0 and adversarial.max() <= 1
    assert not torch.equal(adversarial, frames)


@every
def test_frames_are_not_modified(name, seeded_frames, make_metric, make_attack):
    frames = seeded_frames(2, 24, 32)
    before = frames.clone()
    prepared = make_attack(name).prepare(frames, make_metric("net"))
    first = prepared.at(usual(name))
    prepared.initial_slope()
    first.zero_()
    prepared.at(0).zero_()
    assert torch.equal(frames, before)
    assert not frames.requires_grad and frames.grad is None


@every
def test_strength_zero_is_the_identity_bit_for_bit(name, make_metric, make_attack):
    frames = torch.rand(2, 3, 24, 32, generator=torch.Generator().manual_seed(5))
    result = make_attack(name).perturb(frames, make_metric("net"), 0)
    assert torch.equal(result.view(torch.int32), frames.view(torch.int32))


@every
def test_a_vanishing_strength_changes_nothing_after_rounding(name, seeded_frames, make_metric, make_attack):
    frames = seeded_frames(1, 24, 32)
    result = make_attack(name).perturb(frames, make_metric("net"), 1e-6)
    assert torch.equal(to_uint8(result), to_uint8(frames))


@white_box
@pytest.mark.parametrize("kind", ["linear", "highpass", "net"])
def test_the_score_of_each_frame_rises(name, kind, seeded_frames, make_metric, make_attack):
    frames, metric = seeded_frames(3, 24, 32), make_metric(kind)
    adversarial = make_attack(name).perturb(frames, metric, weak(name))
    assert (metric.score(adversarial) > metric.score(frames)).all()


@white_box
def test_a_lower_better_metric_goes_down(name, seeded_frames, make_metric, make_attack):
    frames, metric = seeded_frames(3, 24, 32), make_metric("net", lower_better=True)
    prepared = make_attack(name).prepare(frames, metric)
    assert (metric.score(prepared.at(weak(name))) < metric.score(frames)).all()
    assert (prepared.initial_slope() > 0).all()


@every
def test_lower_better_is_the_same_as_attacking_the_negated_score(name, seeded_frames, make_module, make_attack):
    class Negated(torch.nn.Module):
        def __init__(self, module):
            super().__init__()
            self.module = module

        def forward(self, frames):
            return -self.module(frames)

    frames, module, attack = seeded_frames(1, 24, 32), make_module("net"), make_attack(name)
    lower = attack.perturb(frames, wrap_module(module, lower_better=True), weak(name))
    higher = attack.perturb(frames, wrap_module(Negated(module), score_range=(-100, 0)), weak(name))
    assert torch.equal(lower, higher)


@every
def test_deterministic_and_the_same_at_any_order_of_strengths(name, seeded_frames, make_metric, make_attack):
    frames, metric = seeded_frames(2, 24, 32), make_metric("net")
    prepared = make_attack(name).prepare(frames, metric)
    strong, weaker = prepared.at(2 * usual(name)), prepared.at(weak(name))
    again = make_attack(name).prepare(frames, metric)
    assert torch.equal(again.at(weak(name)), weaker)
    assert torch.equal(again.at(2 * usual(name)), strong)


@every
@pytest.mark.parametrize("kind", ["linear", "net"])
def test_a_batch_of_four_is_four_batches_of_one(name, kind, seeded_frames, make_metric, make_attack):
    frames, metric, attack = seeded_frames(4, 24, 32), make_metric(kind), make_attack(name)
    together = attack.prepare(frames, metric)
    alone = [attack.prepare(frame[None], metric) for frame in frames]
    difference = (together.at(usual(name)) - torch.cat([one.at(usual(name)) for one in alone])).abs()
    # The sign of a gradient within rounding of zero may depend on the batch.
    assert (difference > 1e-5).float().mean() < 1e-3
    if together.initial_slope() is None:
        return
    torch.testing.assert_close(
        together.initial_slope(), torch.cat([one.initial_slope() for one in alone]), rtol=1e-3, atol=1e-3
    )


@every
@pytest.mark.parametrize("value", [0.0, 0.5, 1.0, 0.123])
def test_constant_frames_stay_valid(name, value, make_metric, make_attack):
    frames = torch.full((2, 3, 24, 32), value)
    try:
        adversarial = make_attack(name).perturb(frames, make_metric("net"), usual(name))
    except NoChange as error:
        assert name in str(error)
        return
    assert torch.isfinite(adversarial).all()
    assert adversarial.min() >= 0 and adversarial.max() <= 1


@every
def test_parameters_and_modes_are_left_as_they_were(name, seeded_frames, make_module, make_attack):
    frames, attack = seeded_frames(2, 24, 32), make_attack(name)
    module = make_module("net").train()
    module.first.weight.requires_grad_(False)
    module.second.eval()
    statistics = module.norm.running_mean.clone()
    loose = attack.perturb(frames, wrap_module(module), usual(name))
    assert module.training and module.norm.training and not module.second.training
    assert not module.first.weight.requires_grad and module.second.weight.requires_grad
    assert all(parameter.grad is None for parameter in module.parameters())
    assert torch.equal(module.norm.running_mean, statistics)
    frozen = attack.perturb(frames, wrap_module(module.eval().requires_grad_(False)), usual(name))
    assert torch.equal(loose, frozen)


@every
@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_works_where_the_caller_records_no_gradients(name, mode, seeded_frames, make_metric, make_attack):
    metric = make_metric("net")
    expected = make_attack(name).perturb(seeded_frames(1, 24, 32), metric, usual(name))
    with mode():
        frames = seeded_frames(1, 24, 32)
        result = make_attack(name).perturb(frames, metric, usual(name))
        assert torch.equal(result, expected)


@white_box
@pytest.mark.parametrize("kind", ["linear", "net"])
@pytest.mark.parametrize("lower_better", [False, True])
def test_the_initial_slope_is_the_derivative_at_zero(name, kind, lower_better, seeded_frames, make_metric, make_attack):
    frames, metric = seeded_frames(2, 24, 32), make_metric(kind, lower_better=lower_better)
    frames[..., :6, :] = 0  # values at the bounds cannot move outwards
    frames[..., 6:12, :] = 1
    frames[..., 12:, ::3] = 0
    prepared = make_attack(name).prepare(frames, metric)
    slope = prepared.initial_slope()
    small = 2e-4 if INFOS[name].strength.unit == "fraction of full scale" else 2e-3
    change = (metric.score(prepared.at(small)) - metric.score(frames)).detach() / small
    expected = -change if lower_better else change
    torch.testing.assert_close(slope, expected, rtol=0.02, atol=0.02 * float(expected.abs().max()))


@white_box
def test_a_shared_clean_gradient_gives_the_same_frames_for_less(name, seeded_frames, make_metric, make_attack):
    attack = make_attack(name)
    if not attack.uses_clean_gradient:
        pytest.skip("this attack has no use for a clean gradient")
    frames, metric = seeded_frames(2, 24, 32), make_metric("net")
    clean = clean_gradient(frames, metric)
    signs = type(clean)(scores=clean.scores, sign=clean.sign)
    prepared = attack.prepare(frames, metric)
    prepared.initial_slope()  # which may be what takes the gradient
    for shared in (clean, signs):
        cheaper = attack.prepare(frames, metric, clean=shared)
        assert torch.equal(cheaper.at(usual(name)), attack.prepare(frames, metric).at(usual(name)))
        assert cheaper.cost.metric_backwards < prepared.cost.metric_backwards + attack.iterations
    if attack.iterations == 1:  # with more, an attack may take the float gradient for itself
        assert attack.prepare(frames, metric, clean=signs).initial_slope() is None
    with pytest.raises(InvalidFrames, match="clean gradient"):
        attack.prepare(frames[:1], metric, clean=clean)


@every
def test_cost_counts_the_passes(name, seeded_frames, make_module, make_attack):
    module, seen = make_module("net"), []
    module.register_forward_pre_hook(lambda _, inputs: seen.append(len(inputs[0])))
    attack = make_attack(name)
    prepared = attack.prepare(seeded_frames(2, 24, 32), wrap_module(module))
    prepared.at(weak(name))
    prepared.at(usual(name))
    assert prepared.cost.metric_forwards == sum(seen) / 2
    if attack.info.access == "white-box":
        # From a random start the clean gradient is none of the steps.
        at_clean = int(name != "pgd")
        assert prepared.cost.metric_backwards == at_clean + 2 * (attack.iterations - at_clean)
    else:
        assert prepared.cost.metric_backwards == 0
    if attack.info.access == "trained":
        assert prepared.cost.metric_forwards == 0


class Broken(torch.nn.Module):
    def __init__(self, score):
        super().__init__()
        self.score = score

    def forward(self, frames):
        return self.score(frames)


UNUSABLE = [
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
]
WRONG_FRAMES = [
    np.zeros((1, 3, 8, 8), np.float32),
    torch.zeros(3, 8, 8),
    torch.zeros(1, 8, 8, 3),
    torch.zeros(0, 3, 8, 8),
    torch.zeros(1, 3, 8, 8, dtype=torch.uint8),
    torch.zeros(1, 3, 8, 8, dtype=torch.float64),
    torch.full((1, 3, 8, 8), 1.01),
    torch.full((1, 3, 8, 8), -0.01),
    torch.full((1, 3, 8, 8), math.nan),
]


# In loops, not as parameters: at this number of attacks the runner's own work for each case would be the most of it.
@every
def test_an_unusable_metric_is_named(name, seeded_frames, make_attack):
    access, attack = INFOS[name].access, make_attack(name)
    for score, error in UNUSABLE:
        if access == "trained" or (access == "black-box" and error in {ZeroGradient, NotDifferentiable}):
            continue  # such an attack asks the metric for nothing, or for scores only
        with pytest.raises(error, match="mine"):
            attack.perturb(seeded_frames(2, 24, 32), wrap_module(Broken(score), name="mine"), usual(name))


@every
def test_wrong_frames_are_refused(name, make_metric, make_attack):
    attack = make_attack(name)
    for frames in WRONG_FRAMES:
        with pytest.raises(InvalidFrames, match=r"must|divide"):
            attack.prepare(frames, make_metric("net"))


@every
def test_wrong_strengths_are_refused(name, seeded_frames, make_metric, make_attack):
    attack = make_attack(name)
    for strength in (-0.1, 1e6, math.nan, math.inf, "strong", None, True):
        with pytest.raises(InvalidOption, match="strength"):
            attack.perturb(seeded_frames(1, 24, 32), make_metric("net"), strength)


@every
def test_a_bare_module_is_refused(name, seeded_frames, make_module, make_attack):
    with pytest.raises(InvalidOption, match="wrap_module"):
        make_attack(name).prepare(seeded_frames(1, 24, 32), make_module("net"))


@every
def test_the_row_is_complete(name, make_attack):
    info = make_attack(name).info
    assert info.title and info.citation
    assert info.access in {"white-box", "black-box", "trained"}
    assert 0 < info.strength.low <= info.strength.default <= info.strength.high <= info.strength.limit
    for option in info.options:
        assert option.check(name, option.default) == option.default and option.description and option.accepts
    if info.access == "white-box":
        assert "iterations" in {option.name for option in info.options}


@pytest.mark.parametrize("name", [name for name in WHITE_BOX if INFOS[name].same_at_one_iteration])
@pytest.mark.parametrize("lower_better", [False, True])
def test_at_one_iteration_it_is_the_picture_that_the_table_says(name, lower_better, seeded_frames, make_metric):
    frames, metric = seeded_frames(2, 24, 32), make_metric("net", lower_better=lower_better)
    twin = create_attack(INFOS[name].same_at_one_iteration).perturb(frames, metric, weak(name))
    assert torch.equal(create_attack(name, iterations=1).perturb(frames, metric, weak(name)), twin)


def test_the_papers_comparison_has_no_picture_twice(seeded_frames, make_metric, make_attack):
    frames, metric = seeded_frames(1, 24, 32), make_metric("net")
    pictures = {
        info.name: make_attack(info.name, **info.paper).perturb(frames, metric, usual(info.name))
        for info in INFOS.values()
        if info.paper is not None
    }
    assert len(pictures) >= 6
    # Perturbations that differ in size alone would be the same stimulus once their strength is matched.
    steps = {
        name: torch.nn.functional.normalize((picture - frames).flatten(), dim=0) for name, picture in pictures.items()
    }
    for one in steps:
        for other in steps:
            assert one == other or steps[one] @ steps[other] < 0.999
