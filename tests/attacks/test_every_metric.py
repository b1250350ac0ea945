"""What every metric of the table must do that can be built on this machine; a row enrols it.

Metrics whose parameters are in the shared folder are built from there, others if their
weights are in the cache (`manage.py list_metrics` shows which). Nothing is downloaded.
"""

import importlib.util

import pytest
import torch

from attacks import clean_gradient, create_attack
from attacks.errors import InvalidFrames
from attacks.metrics import TargetMetric, create_metric, list_metrics, metric_status

IN_SHARED = {"niqe": "niqe_modelparameters.mat", "brisque": "brisque_live_svm.pt"}

ROWS = [
    pytest.param(info, id=info.name, marks=pytest.mark.slow if "pyiqa" in info.packages else ())
    for info in list_metrics()
    if info.name in IN_SHARED or metric_status(info).usable
]


@pytest.fixture(scope="module", params=ROWS)
def metric(request) -> TargetMetric:
    info = request.param
    if any(importlib.util.find_spec(package) is None for package in info.packages):
        pytest.skip(f"{info.name} needs {', '.join(info.packages)}: make pyiqa")
    if info.name in IN_SHARED:
        folder = request.getfixturevalue("shared_dir") / "weights"
        return create_metric(info.name, weights=folder / IN_SHARED[info.name])
    return create_metric(info.name)


def scene(count, height, width, seed=0):
    """Smooth pictures with texture and noise, whole 8-bit levels."""
    generator = torch.Generator().manual_seed(seed)
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    frames = 0.5 + 0.3 * torch.sin(x / 9 + torch.arange(count * 3).view(count, 3, 1, 1)) * torch.cos(y / 7)
    return (255 * (frames + 0.03 * torch.randn(frames.shape, generator=generator))).round().clamp(0, 255) / 255


SIZES = [(208, 216), (209, 223)]


@pytest.mark.parametrize("size", SIZES)
def test_scores_are_one_finite_number_per_frame(metric, size):
    scores = metric.score(scene(2, *size))
    assert scores.shape == (2,) and scores.dtype == torch.float32
    assert torch.isfinite(scores).all()


@pytest.mark.parametrize("size", SIZES)
def test_gradient_is_finite_and_not_zero(metric, size):
    gradient = clean_gradient(scene(2, *size), metric).gradient
    assert torch.isfinite(gradient).all()
    assert (gradient.flatten(1).abs().amax(dim=1) > 0).all()


def test_a_batch_of_four_is_four_batches_of_one(metric):
    frames = scene(4, 208, 216)
    alone = torch.cat([metric.score(frame[None]) for frame in frames])
    # The support vector machine of BRISQUE amplifies rounding to some 3e-4.
    torch.testing.assert_close(metric.score(frames), alone, rtol=1e-3, atol=1e-3)


def test_deterministic(metric):
    frames = scene(2, 208, 216)
    assert torch.equal(metric.score(frames), metric.score(frames))


def test_parameters_get_no_gradient(metric):
    clean_gradient(scene(1, 208, 216), metric)
    parameters = list(metric._module.parameters())
    assert not any(parameter.requires_grad for parameter in parameters)
    assert all(parameter.grad is None for parameter in parameters)
    assert not metric._module.training


def test_frames_are_not_modified(metric):
    frames = scene(1, 208, 216)
    before = frames.clone()
    with torch.no_grad():
        metric.score(frames)
    clean_gradient(frames, metric)
    assert torch.equal(frames, before)


def test_a_weak_attack_fools_it(metric):
    frames = scene(2, 208, 216)
    adversarial = create_attack("fgsm").perturb(frames, metric, 0.25 / 255)
    change = metric.score(adversarial) - metric.score(frames)
    assert ((change < 0) if metric.lower_better else (change > 0)).all()


def test_weights_are_known_by_their_hash(metric):
    assert len(metric.weights_sha256) == 64


def test_small_frames_are_scored_or_refused(metric):
    frames = torch.rand(1, 3, 8, 9, generator=torch.Generator().manual_seed(0))
    try:
        assert torch.isfinite(metric.score(frames)).all()
    except InvalidFrames as refusal:
        assert "9x8" in str(refusal)
