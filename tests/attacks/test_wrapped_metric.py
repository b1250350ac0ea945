"""wrap_module: what it checks and what it leaves alone."""

import threading
import time

import pytest
import torch

from attacks.errors import InvalidFrames, InvalidOption, NonFiniteScore
from attacks.metrics import wrap_module


def test_n_and_n_by_1_give_n(seeded_frames, make_metric):
    for kind in ("net", "highpass"):
        scores = make_metric(kind).score(seeded_frames(3, 24, 32))
        assert scores.shape == (3,) and scores.dtype == torch.float32


def test_properties(make_module):
    metric = wrap_module(make_module("net"), name="mine", lower_better=True, score_range=(0, 5))
    assert (metric.name, metric.lower_better, metric.score_range) == ("mine", True, (0.0, 5.0))
    assert metric.device == torch.device("cpu") and metric.weights_sha256 is None


@pytest.mark.parametrize("score_range", [(5, 0), (1, 1), None, (0,), ("a", "b"), (0, float("nan")), (0, float("inf"))])
def test_a_bad_range_is_refused(score_range, make_module):
    with pytest.raises(InvalidOption, match="score_range"):
        wrap_module(make_module("net"), score_range=score_range)


def test_only_modules_are_wrapped():
    with pytest.raises(InvalidOption, match=r"torch\.nn\.Module"):
        wrap_module(lambda frames: frames.mean())


def test_frames_elsewhere_are_refused(make_metric):
    with pytest.raises(InvalidFrames, match="meta"):
        make_metric("net").score(torch.zeros(1, 3, 24, 32, device="meta"))


def test_numbers_are_given_for_frames_in_range_only(make_metric):
    """The differentiable score looks at no value; these wait for the device anyway."""
    metric, good = make_metric("net"), torch.rand(2, 3, 24, 32, generator=torch.Generator().manual_seed(0))
    assert metric.values(good) == metric.clip_scorer().add(good)
    for frames, words in ((255 * good, "by 255"), (good - 0.5, r"lie in \[0, 1\]"), (None, "NoneType"), ([], "list")):
        for compute in (metric.values, metric.clip_scorer().add):
            with pytest.raises(InvalidFrames, match=words):
                compute(frames)


def test_the_frame_with_a_nan_is_named():
    class Sometimes(torch.nn.Module):
        def forward(self, frames):
            return frames.mean(dim=(1, 2, 3)).log() - frames[:, 0, 0, 0].log()

    frames = torch.full((3, 3, 8, 8), 0.5)
    frames[1] = 0
    with pytest.raises(NonFiniteScore, match="frame 1"):
        wrap_module(Sometimes()).score(frames)


def test_flags_come_back_when_the_module_fails(make_module):
    module = make_module("net").train()
    module.forward = lambda frames: 1 / 0
    with pytest.raises(ZeroDivisionError):
        wrap_module(module).score(torch.zeros(1, 3, 8, 8))
    assert module.training and all(parameter.requires_grad for parameter in module.parameters())


def test_half_and_double_modules_score_in_float32(seeded_frames):
    class Double(torch.nn.Module):
        def forward(self, frames):
            return frames.double().mean(dim=(1, 2, 3))

    assert wrap_module(Double()).score(seeded_frames(2, 8, 8)).dtype == torch.float32


def test_threads_do_not_see_each_others_flags():
    class Watched(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = torch.nn.Parameter(torch.ones(()))
            self.seen = []

        def forward(self, frames):
            time.sleep(0.005)
            self.seen.append((self.training, self.scale.requires_grad))
            return frames.mean(dim=(1, 2, 3)) * self.scale

    module = Watched().train()
    metric = wrap_module(module)
    threads = [threading.Thread(target=metric.score, args=(torch.zeros(1, 3, 8, 8),)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert module.seen == [(False, False)] * 8
    assert module.training and module.scale.requires_grad
