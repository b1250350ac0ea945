"""What every metric of the table must do; a row enrols it.

With its real weights where they are: in the folder that METRIC_WEIGHTS_DIR names (the shared one unless it is set) or
in the cache; else with random ones. Nothing is downloaded.
"""

import importlib.util
import os
import pathlib
from dataclasses import dataclass

import pytest
import torch

from attacks.errors import InvalidFrames
from attacks.metrics import MetricInfo, TargetMetric, create_metric, list_metrics, metric_status
from tests.attacks.untrained import untrained_metric
from tests.conftest import REPOSITORY

# pyiqa's ARNIQA is kept as TorchScript.
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")

SHARED = pathlib.Path(os.environ.get("LAB_SHARED", REPOSITORY.parent / "shared")) / "weights"

# Not built with random weights, only with the real ones; the reasons.
ONLY_REAL = {
    "niqe": "its file is a model fitted to pictures; attacks on a random one prove nothing",
    "ilniqe": "the same, and 20 seconds a frame, which it resizes to 524x524",
    "tres": "152 million parameters, and every frame twice",
    "maniqa": "136 million parameters, and four seconds for a frame of a single crop",
}
# Frames that every network takes, and with odd sides: the first size that it does not refuse counts.
EVEN, ODD = [(64, 80), (224, 224), (240, 248)], [(97, 131), (225, 231), (241, 251)]
# Frames of a clip that are scored together here.
WINDOW = 2


def weights_folder() -> dict[str, str]:
    return {} if "METRIC_WEIGHTS_DIR" in os.environ else {"METRIC_WEIGHTS_DIR": str(SHARED)}


def is_usable(info: MetricInfo) -> bool:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in weights_folder().items():
            patch.setenv(name, value)
        return metric_status(info).usable


def can_be_built(info: MetricInfo) -> bool:
    if any(importlib.util.find_spec(package) is None for package in info.packages):
        return False
    return info.name not in ONLY_REAL or is_usable(info)


ROWS = [
    pytest.param(info, id=info.name, marks=() if info.name == "demo" else pytest.mark.slow)
    for info in list_metrics()
    if can_be_built(info)
]


@dataclass
class Passes:
    """A metric and what it gave; the costly passes are made once for all tests. alone: scores of window by window."""

    info: MetricInfo
    metric: TargetMetric
    frames: torch.Tensor
    before: torch.Tensor
    scores: torch.Tensor
    gradient: torch.Tensor
    alone: torch.Tensor


@pytest.fixture(scope="module", params=ROWS)
def passes(request, tmp_path_factory):
    info = request.param
    options = {"window": WINDOW} if info.scope == "clip" else {}
    if is_usable(info):
        with pytest.MonkeyPatch.context() as patch:
            for name, value in weights_folder().items():
                patch.setenv(name, value)
            yield made(info, create_metric(info.name, **options))
    else:
        with untrained_metric(info, tmp_path_factory.mktemp(info.name), **options) as metric:
            yield made(info, metric)


def made(info, metric):
    """Four windows in one pass with a gradient, and one by one."""
    frames, scores, gradient = scores_and_gradient(metric, 4 * metric.window, EVEN)
    with torch.no_grad():
        alone = torch.cat([metric.score(part) for part in frames.split(metric.window)])
    return Passes(info, metric, frames, scene(len(frames), *frames.shape[2:]), scores, gradient, alone)


def scores_and_gradient(metric, count, sizes):
    """Of frames of the first size that is not refused."""
    for size in sizes:
        frames = scene(count, *size).requires_grad_()
        try:
            scores = metric.score(frames)
        except InvalidFrames:
            continue
        (gradient,) = torch.autograd.grad(scores.sum(), frames)
        return frames.detach(), scores.detach(), gradient
    raise AssertionError(f"{metric.name} refuses every size of {sizes}")


def scene(count, height, width, seed=0):
    """Smooth pictures with texture and noise, whole 8-bit levels."""
    generator = torch.Generator().manual_seed(seed)
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    frames = 0.5 + 0.3 * torch.sin(x / 9 + torch.arange(count * 3).view(count, 3, 1, 1)) * torch.cos(y / 7)
    return (255 * (frames + 0.03 * torch.randn(frames.shape, generator=generator))).round().clamp(0, 255) / 255


def test_only_those_with_a_reason_are_left_out():
    rows = {info.name: info for info in list_metrics()}
    left_out = rows.keys() - {row.id for row in ROWS}
    without_package = {
        name for name in left_out if any(importlib.util.find_spec(package) is None for package in rows[name].packages)
    }
    real = {name for name in ONLY_REAL if is_usable(rows[name])}
    assert left_out - without_package == ONLY_REAL.keys() - without_package - real


def test_scores_are_one_finite_number_per_frame_on_its_device(passes):
    assert passes.scores.shape == (len(passes.frames),) and passes.scores.dtype == torch.float32
    assert passes.scores.device == passes.frames.device == passes.metric.device
    assert torch.isfinite(passes.scores).all()
    assert passes.metric.name == passes.info.name and passes.metric.lower_better == passes.info.lower_better


def test_gradient_is_finite_and_not_zero_in_any_frame(passes):
    assert passes.gradient.shape == passes.frames.shape and passes.gradient.dtype == torch.float32
    assert torch.isfinite(passes.gradient).all()
    assert (passes.gradient.flatten(1).abs().amax(dim=1) > 0).all()


def test_a_batch_of_four_is_four_batches_of_one(passes):
    # The support vector machine of BRISQUE amplifies rounding to some 3e-4.
    torch.testing.assert_close(passes.scores, passes.alone, rtol=1e-3, atol=1e-3 * float(passes.scores.abs().max()))


def test_deterministic(passes):
    window = passes.metric.window
    with torch.no_grad():
        assert torch.equal(passes.metric.score(passes.frames[:window]), passes.alone[:window])


def test_odd_sizes(passes):
    _, scores, gradient = scores_and_gradient(passes.metric, passes.metric.window, ODD)
    assert torch.isfinite(scores).all() and torch.isfinite(gradient).all() and gradient.abs().sum() > 0


def test_parameters_get_no_gradient(passes):
    parameters = list(passes.metric._module.parameters())
    assert not any(parameter.requires_grad for parameter in parameters)
    assert all(parameter.grad is None for parameter in parameters)
    assert not passes.metric._module.training


def test_frames_are_not_modified(passes):
    assert torch.equal(passes.frames, passes.before)


def test_a_weak_attack_fools_it(passes):
    part = slice(passes.metric.window)
    step = 0.25 / 255 * passes.gradient[part].sign()
    adversarial = passes.frames[part] + (-step if passes.info.lower_better else step)
    with torch.no_grad():
        change = passes.metric.score(adversarial.clamp(0, 1)) - passes.scores[part]
    assert ((change < 0) if passes.info.lower_better else (change > 0)).all()


def test_files_are_known_by_their_hashes(passes):
    files = passes.metric.files
    assert all(len(sha256) == 64 for sha256 in files.values())
    # Random weights of pyiqa's networks do not come from files.
    if "pyiqa" not in passes.info.packages or is_usable(passes.info):
        assert passes.metric.weights_sha256 in files.values() and len(files) == len(passes.info.files)


def test_small_frames_are_scored_or_refused(passes):
    frames = torch.rand(1, 3, 8, 9, generator=torch.Generator().manual_seed(0))
    try:
        with torch.no_grad():
            assert torch.isfinite(passes.metric.score(frames)).all()
    except InvalidFrames as refusal:
        assert "9x8" in str(refusal)
