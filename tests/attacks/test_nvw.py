"""NVW's map against NumPy's standard deviation, and its steps against the equations."""

import numpy as np
import pytest
import torch

from attacks import create_attack
from attacks.errors import InvalidOption, NoChange
from attacks.nvw import variance_weight
from tests.attacks.adam_oracle import adam_walk, agree, loss_gradient

SIZES = [(24, 32), (23, 31), (1, 5), (5, 1)]


def deviation(picture, axis):
    padded = np.pad(picture, [(int(a == axis),) * 2 for a in range(picture.ndim)], mode="edge")
    return np.std([np.take(padded, range(k, k + picture.shape[axis]), axis) for k in range(3)], axis=0)


def oracle_weight(picture, normalised=False):
    """picture (3, H, W) on whole levels."""
    sigma = np.sqrt(np.minimum(deviation(picture, 1), deviation(picture, 2)))
    whole = sigma.mean() if normalised else sigma.max()
    return sigma / whole if whole else sigma


def whole_levels(frame):
    return np.round(255 * frame.double().numpy())


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("normalised", [False, True])
def test_weight_is_the_smaller_deviation(size, normalised, seeded_frames):
    frames = seeded_frames(2, *size)
    weights = variance_weight(frames, normalised=normalised)
    for found, frame in zip(weights, frames, strict=True):
        assert np.abs(found.numpy() - oracle_weight(whole_levels(frame), normalised)).max() < 1e-5


def test_flat_areas_have_exactly_no_weight():
    frames = torch.full((2, 3, 12, 20), 0.3)
    frames[0, :, 6:, 10:] = 0.7
    weight = variance_weight(frames)
    assert (weight[0, :, :5] == 0).all() and (weight[1] == 0).all()
    assert weight[0].max() == 1


@pytest.mark.parametrize("normalised", [False, True])
@pytest.mark.parametrize("steps", [1, 4])
def test_the_steps_are_weighted(normalised, steps, seeded_frames, make_metric, make_module):
    frames = seeded_frames(2, 24, 32)
    attack = create_attack("nvw", iterations=steps, normalised=normalised)
    result = attack.perturb(frames, make_metric("net"), 0.02)
    gradient = loss_gradient(make_module("net"), (0, 100))
    for found, frame in zip(result, frames, strict=True):
        weight = oracle_weight(whole_levels(frame), normalised)
        assert agree(found, adam_walk(frame.numpy(), gradient, 0.02, steps, after=weight, epsilon=1e-16))


def test_normalised_keeps_the_mean_strength(make_metric, seeded_frames):
    frames = 0.2 + 0.6 * seeded_frames(1, 24, 32)
    change = create_attack("nvw", normalised=True).perturb(frames, make_metric("linear"), 0.02) - frames
    assert change.abs().mean() == pytest.approx(0.02, rel=1e-3)


def test_paper_figure_is_fgsm_where_row_and_colours_both_vary(make_metric):
    """Coarse levels and grey parts, so that many windows are constant."""
    rng = np.random.default_rng(0)
    picture = rng.choice([60, 61, 200], (2, 3, 24, 32))
    picture[:, 1, :, 16:] = picture[:, 0, :, 16:]
    frames = torch.from_numpy(picture).float() / 255
    result = create_attack("nvw", variant="paper_figure").perturb(frames, make_metric("net"), 0.02)
    fgsm = create_attack("fgsm").perturb(frames, make_metric("net"), 0.02)
    moves = np.stack([np.minimum(deviation(p, 2), deviation(p, 0)) > 1e-9 for p in picture.astype(float)])
    # Its words: nothing where the row is constant, nor where R = G (for R), R = G = B (for G), G = B (for B).
    r, g, b = picture.transpose(1, 0, 2, 3)
    assert np.array_equal(moves & (deviation(picture, 3) <= 1e-9), np.zeros_like(moves))
    assert (
        not moves[:, 0][r == g].any() and not moves[:, 1][(r == g) & (g == b)].any() and not moves[:, 2][g == b].any()
    )
    assert 0.1 < moves.mean() < 0.9
    assert torch.equal(result, torch.where(torch.from_numpy(moves), fgsm, frames))


@pytest.mark.parametrize("variant", ["weighted", "paper_figure"])
def test_a_flat_frame_stays_and_is_named(variant, make_metric):
    with pytest.raises(NoChange, match="nvw"):
        create_attack("nvw", variant=variant).perturb(torch.full((1, 3, 24, 32), 0.4), make_metric("net"), 0.02)


def test_the_figures_weight_has_nothing_to_normalise():
    with pytest.raises(InvalidOption, match="leave it out"):
        create_attack("nvw", variant="paper_figure", normalised=True)
