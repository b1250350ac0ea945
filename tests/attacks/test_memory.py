"""Too little memory: smaller batches with the same results, then one sentence."""

import weakref

import pytest
import torch

from attacks import clean_gradient, create_attack
from attacks.errors import InvalidFrames, OutOfMemory
from attacks.gradients import quality_gradient
from attacks.memory import is_out_of_memory
from attacks.metrics import wrap_module
from attacks.metrics.pyiqa_adapter import PyiqaNetwork
from tests.attacks.conftest import HighPass


class Hungry(torch.nn.Module):
    """Mean energy of differences; asks the allocator for more than any machine has where it gets more frames than
    `most`, and keeps how many it got each time.
    """

    def __init__(self, most, backward=False):
        super().__init__()
        self.energy, self.most, self.backward, self.calls, self.seen = HighPass(), most, backward, [], []

    def forward(self, frames):
        self.calls.append(len(frames))
        activations = frames * 1.0
        self.seen.append(weakref.ref(activations))
        score = self.energy(activations)
        if len(frames) > self.most:
            if not self.backward:
                torch.empty(2**60)
            score.register_hook(lambda gradient: torch.empty(2**60))
        return score


def hungry(most, window=1, **options):
    module = Hungry(most, **options)

    class Windows(torch.nn.Module):
        def forward(self, frames):
            return module(frames).mean()

    return module, wrap_module(module if window == 1 else Windows(), name="hungry", window=window)


@pytest.fixture(scope="module")
def frames():
    return torch.rand(11, 3, 12, 16, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def plain():
    return wrap_module(HighPass(), name="plain")


def test_scores_of_halves_are_the_same_and_the_size_is_kept(frames, plain):
    module, metric = hungry(most=3)
    assert metric.values(frames) == plain.values(frames)
    assert module.calls == [11, 6, 3, 3, 3, 2]
    module.calls.clear()
    assert metric.values(frames) == plain.values(frames)
    assert module.calls == [3, 3, 3, 2]
    module.calls.clear()
    metric.values(frames[..., :8])
    assert module.calls == [11, 6, 3, 3, 3, 2], "another picture size is another question"


@pytest.mark.parametrize("backward", [False, True])
def test_gradients_of_halves_are_the_same(frames, plain, backward):
    expected = quality_gradient(frames, plain)
    module, metric = hungry(most=5, backward=backward)
    for got, value in zip(quality_gradient(frames, metric), expected, strict=True):
        torch.testing.assert_close(got, value, rtol=1e-6, atol=0)
    assert module.calls == [11, 6, 3, 3, 3, 2]
    assert torch.equal(clean_gradient(frames, metric).sign, clean_gradient(frames, plain).sign)
    attacked = create_attack("ifgsm", iterations=2).perturb(frames, metric, 0.02)
    assert torch.equal(attacked, create_attack("ifgsm", iterations=2).perturb(frames, plain, 0.02))


def test_parts_are_whole_windows(frames):
    """Four windows of three frames, the last of two; two windows fit, each a call of its own to the module."""

    class Pair(torch.nn.Module):
        calls = 0

        def forward(self, part):
            Pair.calls += 1
            return HighPass()(part).mean()

    class Limited(type(wrap_module(Pair(), window=3))):
        sizes = []

        def score(self, part):
            self.sizes.append(len(part))
            if len(part) > 6:
                torch.empty(2**60)
            return super().score(part)

    metric = Limited(Pair(), "limited", lower_better=False, score_range=(0, 1), window=3)
    whole = wrap_module(Pair(), window=3)
    assert metric.values(frames) == whole.values(frames)
    assert metric.sizes == [11, 6, 5]
    scorer, other = metric.clip_scorer(), whole.clip_scorer()
    assert scorer.add(frames) == other.add(frames)
    assert scorer.result() == other.result() == pytest.approx(sum(whole.values(frames)) / 11)


@pytest.mark.parametrize(
    ("window", "words"),
    [(1, "for one frame of 16x12; take smaller"), (4, "for 4 frames together of 16x12; take a smaller --window")],
)
def test_a_single_window_that_does_not_fit_is_one_sentence(frames, window, words):
    for compute in (lambda metric: metric.values(frames), lambda metric: quality_gradient(frames, metric)):
        module, metric = hungry(most=0, window=window)
        with pytest.raises(OutOfMemory, match=f"metric 'hungry' needs more memory than cpu has {words}") as caught:
            compute(metric)
        assert "\n" not in str(caught.value)
        assert caught.value.__context__ is None, "the allocator's error would keep the activations alive"
        assert not any(activations() is not None for activations in module.seen)


def test_what_failed_is_freed_before_the_next_try(frames):
    module, metric = hungry(most=6)
    alive = []
    module.register_forward_pre_hook(lambda *_: alive.append(sum(ref() is not None for ref in module.seen)))
    quality_gradient(frames, metric)
    assert alive == [0, 0, 0]


def test_other_failures_pass_at_once(frames):
    class Broken(torch.nn.Module):
        calls = 0

        def forward(self, part):
            Broken.calls += 1
            raise RuntimeError("shape mismatch")

    metric = wrap_module(Broken())
    for compute in (metric.values, lambda part: quality_gradient(part, metric)):
        with pytest.raises(RuntimeError, match="shape mismatch"):
            compute(frames)
    assert Broken.calls == 2


def test_what_counts_as_out_of_memory():
    with pytest.raises(RuntimeError) as real:
        torch.empty(2**60)
    assert is_out_of_memory(real.value)
    for error in (
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        RuntimeError("[enforce fail at alloc_cpu.cpp:125] err == 0. DefaultCPUAllocator: can't allocate memory"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:80] data. DefaultCPUAllocator: not enough memory: you tried"),
        RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
        RuntimeError("MPS backend out of memory (MPS allocated: 8 GB)"),
    ):
        assert is_out_of_memory(error), error
    assert not is_out_of_memory(RuntimeError("The size of tensor a (3) must match"))
    assert not is_out_of_memory(ValueError("out of memory"))


def test_pyiqa_networks_that_run_out_of_memory_are_not_told_from_bad_frames(frames, plain):
    module = Hungry(most=4)
    metric = wrap_module(PyiqaNetwork(module, "musiq"))
    assert metric.values(frames) == plain.values(frames)
    assert module.calls == [11, 6, 3, 3, 3, 2]
    with pytest.raises(InvalidFrames, match="cannot score frames of 1x1"):
        wrap_module(PyiqaNetwork(torch.nn.Conv2d(3, 1, 5), "musiq")).values(frames[..., :1, :1])
