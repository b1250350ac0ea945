"""Korhonen and You's weighting against the equations in NumPy and SciPy."""

import numpy as np
import pytest
import torch
from scipy import ndimage

from attacks import create_attack
from attacks.korhonen import activity
from attacks.metrics import wrap_module
from tests.attacks.adam_oracle import adam_walk, agree, loss_gradient

FOOTPRINT = np.ones((5, 5), bool)
FOOTPRINT[[0, 0, -1, -1], [0, -1, 0, -1]] = False
SIZES = [(24, 32), (23, 31), (3, 5), (5, 3)]


def oracle_activity(picture, signed):
    """picture (3, H, W) in [0, 1] -> map (H, W)."""
    luma = 255 * np.tensordot([0.299, 0.587, 0.114], picture.astype(np.float64), 1)
    across = ndimage.sobel(luma)
    spatial = across if signed else np.sqrt(across**2 + ndimage.sobel(luma, axis=0) ** 2)
    spatial[[0, -1]] = 0
    spatial[:, [0, -1]] = 0
    if spatial.max() <= 1e-9:
        return np.ones_like(spatial)
    return ndimage.grey_dilation(spatial / spatial.max(), footprint=FOOTPRINT)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("signed", [False, True])
def test_activity_is_the_dilated_sobel_gradient(size, signed, seeded_frames):
    frames = seeded_frames(2, *size)
    maps = activity(frames, signed=signed)
    assert maps.shape == (2, 1, *size)
    for found, frame in zip(maps[:, 0].numpy(), frames.numpy(), strict=True):
        assert np.abs(found - oracle_activity(frame, signed)).max() < 1e-6


@pytest.mark.parametrize("size", [(1, 1), (2, 9), (9, 2), (8, 8)])
def test_without_any_activity_the_map_is_one(size):
    assert (activity(torch.full((1, 3, *size), 0.4)) == 1).all()


def test_the_signed_map_knows_the_direction_of_an_edge():
    """A picture that only falls from left to right has no positive derivative."""
    falling = torch.linspace(1, 0, 32).expand(1, 3, 24, 32)
    assert (activity(falling, signed=True) == 1).all()
    ridge = torch.cat([falling.flip(-1), falling], dim=-1)
    signed = activity(ridge, signed=True)
    assert signed[..., 1:-1, 4:28].min() > 0
    assert signed[..., 4:-4, 36:60].max() < 0


class TestWeighted:
    def test_one_step_is_the_map_times_the_sign(self, seeded_frames, make_metric, make_module):
        frames = seeded_frames(1, 24, 32)
        sign = np.sign(-loss_gradient(make_module("net"), (0, 100))(frames[0].double().numpy()))
        expected = np.clip(frames[0].numpy() + 0.05 * oracle_activity(frames[0].numpy(), signed=False) * sign, 0, 1)
        result = create_attack("korhonen", iterations=1).perturb(frames, make_metric("net"), 0.05)
        assert agree(result[0], expected)

    @pytest.mark.parametrize("steps", [2, 5])
    def test_several_steps_weight_adams_direction(self, steps, seeded_frames, make_metric, make_module):
        frames = seeded_frames(2, 24, 32)
        result = create_attack("korhonen", iterations=steps).perturb(frames, make_metric("net"), 0.01)
        gradient = loss_gradient(make_module("net"), (0, 100))
        for found, frame in zip(result, frames.numpy(), strict=True):
            weight = oracle_activity(frame, signed=False)
            expected = adam_walk(frame, gradient, 0.01, steps, after=weight, epsilon=1e-16)
            assert agree(found, expected)

    @pytest.mark.parametrize("score_range", [(0, 1), (0, 1e6)])
    def test_the_range_of_the_metric_does_not_matter(self, score_range, seeded_frames, make_metric, make_module):
        frames, attack = seeded_frames(1, 24, 32), create_attack("korhonen", iterations=3)
        other = wrap_module(make_module("net"), score_range=score_range)
        assert torch.equal(attack.perturb(frames, other, 0.01), attack.perturb(frames, make_metric("net"), 0.01))


class TestReference:
    @pytest.mark.parametrize("steps", [1, 3])
    @pytest.mark.parametrize("score_range", [(0, 1), (10, 60), (0, 10_000)])
    @pytest.mark.parametrize("kind", ["net", "linear"])
    def test_it_is_the_description(self, steps, score_range, kind, seeded_frames, make_module):
        frames = seeded_frames(2, 24, 32)
        metric = wrap_module(make_module(kind), score_range=score_range)
        result = create_attack("korhonen", variant="reference", iterations=steps).perturb(frames, metric, 0.01)
        gradient = loss_gradient(make_module(kind), score_range)
        for found, frame in zip(result, frames.numpy(), strict=True):
            before = oracle_activity(frame, signed=True) / 255
            assert agree(found, adam_walk(frame, gradient, 0.01, steps, before=before))

    def test_it_fades_with_the_range_of_the_metric(self, seeded_frames, make_module):
        frames, attack = seeded_frames(1, 24, 32), create_attack("korhonen", variant="reference", iterations=2)
        changes = [
            float(
                (attack.perturb(frames, wrap_module(make_module("net"), score_range=(0, high)), 0.01) - frames).norm()
            )
            for high in (1, 1e4, 1e6)
        ]
        assert changes[0] > 1.1 * changes[1] > 5 * changes[2]

    def test_lower_better_turns_it_round(self, seeded_frames, make_metric):
        frames, attack = seeded_frames(1, 24, 32), create_attack("korhonen", variant="reference", iterations=1)
        up = attack.perturb(frames, make_metric("net"), 1e-3) - frames
        down = attack.perturb(frames, make_metric("net", lower_better=True), 1e-3) - frames
        inside = (frames > 0.01) & (frames < 0.99)
        assert torch.allclose(up[inside], -down[inside], atol=1e-6)


def test_paper_figure_is_fgsm_where_the_signed_map_is_above_zero(seeded_frames, make_metric):
    frames, metric = seeded_frames(2, 24, 32) * 0.9 + 0.05, make_metric("net")
    frames[..., 16:] = torch.linspace(0.8, 0.3, 16)  # falls only: a map below zero
    result = create_attack("korhonen", variant="paper_figure", iterations=1).perturb(frames, metric, 0.02)
    fgsm = create_attack("fgsm").perturb(frames, metric, 0.02)
    moves = np.stack([oracle_activity(frame, signed=True) > 0 for frame in frames.numpy()])[:, None]
    assert 0.05 < (~moves).mean() < 0.9
    assert torch.equal(result, torch.where(torch.from_numpy(moves), fgsm, frames))
