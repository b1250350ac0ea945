"""Metrics of clips: several consecutive frames have one score, and the gradient goes through all of them."""

import pytest
import torch

from attacks import create_attack
from attacks.errors import InvalidFrames, InvalidOption, MetricUnavailable, NonFiniteScore
from attacks.gradients import clean_gradient
from attacks.metrics import create_metric, list_metrics, wrap_module


class Motion(torch.nn.Module):
    """50 + 100 x the mean squared difference of neighbouring frames of one clip; one frame alone has 50."""

    def forward(self, frames):
        step = frames[1:] - frames[:-1]
        return 50 + 100 * step.square().mean() if len(step) else 50 + 0 * frames.sum()


class Recurrent(torch.nn.Module):
    """Frame features through a GRU: (W, 3, H, W) -> (1,), as VSFA does it."""

    def __init__(self):
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.features = torch.nn.Conv2d(3, 6, 3, stride=2)
        self.head = torch.nn.GRU(6, 5, batch_first=True)
        self.score = torch.nn.Linear(5, 1)
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.copy_(torch.randn(parameter.shape, generator=generator))

    def forward(self, frames):
        features = torch.tanh(self.features(frames)).mean((2, 3))
        states, _ = self.head(features[None])
        return 50 + 10 * self.score(states).mean(dim=(1, 2))


def test_each_frame_has_the_score_of_its_window(seeded_frames):
    frames = seeded_frames(7, 8, 10)
    scores = wrap_module(Motion(), window=3).score(frames)
    assert scores.shape == (7,)
    for window in (slice(0, 3), slice(3, 6), slice(6, 7)):
        step = frames[window].double().numpy()
        expected = 50 + (100 * ((step[1:] - step[:-1]) ** 2).mean() if len(step) > 1 else 0)
        assert scores[window].tolist() == pytest.approx([expected] * len(step), rel=1e-6)


def test_chunks_of_whole_windows_give_the_same_to_the_last_digit(seeded_frames):
    frames, metric = seeded_frames(10, 12, 16), wrap_module(Recurrent(), window=4)
    together = clean_gradient(frames, metric)
    for chunk in (4, 8):
        parts = [clean_gradient(part, metric) for part in frames.split(chunk)]
        assert torch.equal(torch.cat([part.scores for part in parts]), together.scores)
        assert torch.equal(torch.cat([part.gradient for part in parts]), together.gradient)


def test_every_frame_of_a_window_has_a_gradient_and_no_other(seeded_frames):
    frames, metric = seeded_frames(8, 12, 16).requires_grad_(), wrap_module(Recurrent(), window=4)
    (gradient,) = torch.autograd.grad(metric.score(frames)[1], frames)
    assert (gradient.abs().flatten(1).amax(1) > 0).tolist() == [True] * 4 + [False] * 4


@pytest.mark.parametrize("module", [Motion, Recurrent])
@pytest.mark.parametrize("name", ["fgsm", "ifgsm", "ioi"])
def test_an_attack_raises_the_score_of_the_clip(module, name, seeded_frames):
    frames = 0.5 + 0.2 * (seeded_frames(8, 16, 20) - 0.5)
    metric = wrap_module(module(), window=4)
    attack = create_attack(name, **({"iterations": 3} if name == "ifgsm" else {}))
    strength = {"ifgsm": 0.002, "fgsm": 0.004, "ioi": 0.02}[name]
    prepared = attack.prepare(frames, metric)
    assert (metric.score(prepared.at(strength)) > metric.score(frames)).all()
    # Over the frames of a window the slopes average to that of its score.
    small = 1e-3
    change = (metric.score(prepared.at(small)) - metric.score(frames)).detach() / small
    assert float(prepared.initial_slope().mean()) == pytest.approx(float(change.mean()), rel=0.05)


def test_through_the_temporal_head_an_attack_is_stronger_than_frame_by_frame(seeded_frames):
    class Alone(Recurrent):
        def forward(self, frames):
            return torch.cat([super(Alone, self).forward(frame[None]) for frame in frames])

    frames = seeded_frames(8, 16, 20)
    clips, single = wrap_module(Recurrent(), window=4), wrap_module(Alone())

    def gain(attacked_through):
        adversarial = create_attack("fgsm").perturb(frames, attacked_through, 4 / 255)
        return float((clips.score(adversarial) - clips.score(frames)).mean())

    assert gain(clips) > 1.05 * gain(single)


@pytest.mark.parametrize(
    ("module", "error", "words"),
    [
        (lambda frames: frames.mean((1, 2, 3)), InvalidOption, r"one score per window of 4 frames"),
        (lambda frames: frames.mean() * float("nan"), NonFiniteScore, "for a window"),
    ],
)
def test_a_module_that_does_not_score_windows_is_refused(module, error, words, seeded_frames):
    class Wrong(torch.nn.Module):
        def forward(self, frames):
            return module(frames)

    with pytest.raises(error, match=words):
        wrap_module(Wrong(), window=4).score(seeded_frames(4, 8, 8))


@pytest.mark.parametrize("window", [0, -1, 2.0, True, "4", None])
def test_a_window_is_a_number_of_frames(window):
    with pytest.raises(InvalidOption, match="window"):
        wrap_module(Motion(), window=window)


def test_a_clip_fills_a_window_or_is_refused():
    metric = wrap_module(Motion(), "motion", window=4)
    metric.check_length(4, "a.mp4")
    for frames, words in ((3, r"a\.mp4 comes to 3 frames, .* window of 4 .*'motion'.* --window 3\."), (1, "1 frame, ")):
        with pytest.raises(InvalidFrames, match=words):
            metric.check_length(frames, "a.mp4")


def test_only_metrics_of_clips_take_another_window():
    assert create_metric("demo", window=1).window == 1
    with pytest.raises(InvalidOption, match="'demo' scores single frames, not windows of 4; leave --window out"):
        create_metric("demo", window=4)
    clips = [info for info in list_metrics() if info.scope == "clip"]
    assert {info.name: info.window for info in clips} == {"vsfa": 12, "mdtvsfa": 12}
    for window in (0, -1, 2.0, True, "4"):
        with pytest.raises(InvalidOption, match="window"):
            create_metric("vsfa", window=window)
    with pytest.raises(MetricUnavailable):
        create_metric("vsfa", window=4, weights="nowhere.pt")


def test_frames_of_another_layout_are_refused_with_a_remedy():
    for window in (1, 4):
        metric = wrap_module(Motion(), window=window)
        for frames, words in (
            (torch.zeros(4, 1, 8, 8), r"expand\(-1, 3, -1, -1\)"),
            (torch.zeros(4, 4, 8, 8), "alpha channel on a background"),
            (torch.zeros(3, 8, 8), r"frames\[None\]"),
            (torch.zeros(4, 3, 8, 8, dtype=torch.uint8), "/ 255"),
            (torch.zeros(4, 3, 8, 8, dtype=torch.float64), "float32"),
        ):
            with pytest.raises(InvalidFrames, match=words):
                metric.score(frames)
