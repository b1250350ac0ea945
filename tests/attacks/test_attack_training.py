"""Training of attacks: the update rules against NumPy, stopping and continuing, what must not go unnoticed."""

import dataclasses

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from attacks import TrainingSettings, train_attack
from attacks.attack_training import TrainingProgress
from attacks.errors import InvalidOption, NonFiniteScore, NotDifferentiable, TrainedFileError, UnknownName, ZeroGradient
from attacks.generators import UNetGenerator
from attacks.learners import LEARNERS
from attacks.metrics import wrap_module
from attacks.training_pictures import read_training_pictures

# One step each of few pictures: all of it is quick.
SMALL = {
    "uap_optimized": {"crop": 16},
    "uap_cumulative": {"crop": 16, "eta": 1e5},
    "uap_generative": {"crop": 16, "generator": "resnet", "width": 2},
    "facpa": {"width": 1},
}
every = pytest.mark.parametrize("name", SMALL)


class Weighted(torch.nn.Module):
    """score = 50 + sum(W (x - 0.457)^2): its gradient depends on where it is taken, so on the clip.

    Where W is negative a perturbation settles, where it is positive it grows up to its bound.
    """

    def __init__(self, size=16, scale=1.0):
        super().__init__()
        weight = torch.randn(3, size, size, generator=torch.Generator().manual_seed(1))
        self.weight = torch.nn.Parameter(scale * weight)

    def forward(self, frames):
        return 50 + ((frames - 0.457).square() * self.weight).sum(dim=(1, 2, 3))


@pytest.fixture
def weighted():
    return wrap_module(Weighted(), name="weighted", score_range=(20, 60))


@pytest.fixture
def net(make_module):
    return wrap_module(make_module("net"), name="net")


def training(folder, crop=16, seed=0):
    """The pictures that are learnt from, (N, 3, S, S) float64."""
    return read_training_pictures(folder, crop=crop, seed=seed).training.double().numpy() / 255


def mean_loss_gradient(pictures, pattern, metric, sign=1):
    """dJ/du for J = 1 - s f(clip(x + u)) / range, as if there were no clip after the gradient was taken."""
    weight = metric._module.weight.detach().double().numpy()
    return np.mean([-sign * 2 * weight * (np.clip(x + pattern, 0, 1) - 0.457) / 40 for x in pictures], axis=0)


@pytest.mark.parametrize("lower_better", [False, True])
def test_optimized_is_adam_on_the_pattern_with_projection(lower_better, picture_folder, tmp_path):
    metric = wrap_module(Weighted(), name="weighted", lower_better=lower_better, score_range=(20, 60))
    rate, eps, steps = 0.2, 0.9, 7
    train_attack(
        "uap_optimized",
        metric,
        picture_folder,
        tmp_path / "u",
        crop=16,
        batch=8,
        epochs=steps,
        learning_rate=rate,
        eps=eps,
    )
    pictures, u = training(picture_folder), np.zeros((3, 16, 16))
    m, v = np.zeros_like(u), np.zeros_like(u)
    for t in range(1, steps + 1):
        clipped = (pictures + u < 0).any()
        g = mean_loss_gradient(pictures, u, metric, -1 if lower_better else 1)
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        u -= rate * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        u = np.clip(u, -eps, eps)
    assert (np.abs(u) == eps).any() and (np.abs(u) < 0.9 * eps).any() and clipped
    np.testing.assert_allclose(load_file(tmp_path / "u")["perturbation"][0].numpy(), u, atol=2e-5)


def test_cumulative_sums_the_gradients_with_projection(weighted, picture_folder, tmp_path):
    eta, eps, steps = 20.0, 0.9, 6
    train_attack(
        "uap_cumulative", weighted, picture_folder, tmp_path / "u", crop=16, batch=8, epochs=steps, eta=eta, eps=eps
    )
    pictures, u = training(picture_folder), np.zeros((3, 16, 16))
    for _ in range(steps):
        clipped = (pictures + u < 0).any()
        u = np.clip(u - eta * mean_loss_gradient(pictures, u, weighted), -eps, eps)
    assert (np.abs(u) == eps).any() and (np.abs(u) < 0.9 * eps).any() and clipped
    np.testing.assert_allclose(load_file(tmp_path / "u")["perturbation"][0].numpy(), u, atol=2e-5)


@pytest.mark.slow
def test_the_metrics_range_scales_the_cumulative_gradient(picture_folder, tmp_path):
    patterns = []
    for high in (60, 100):
        metric = wrap_module(Weighted(), name="weighted", score_range=(20, high))
        train_attack("uap_cumulative", metric, picture_folder, tmp_path / str(high), crop=16, batch=8, epochs=1)
        patterns.append(load_file(tmp_path / str(high))["perturbation"])
    small = patterns[0].abs() < 10 / 255
    assert small.any()
    torch.testing.assert_close(patterns[0][small], 2 * patterns[1][small])


def adam_step(network, loss, rate):
    """The first step of Adam, by hand: bias correction makes it g / (|g| + 1e-8). Returns the gradients by name."""
    names, parameters = zip(*network.named_parameters(), strict=True)
    gradients = torch.autograd.grad(loss, parameters)
    with torch.no_grad():
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter -= rate * gradient / (gradient.abs() + 1e-8)
    return dict(zip(names, gradients, strict=True))


@pytest.mark.slow
def test_facpa_descends_the_loss_through_the_true_clip():
    """Against one graph of the whole loss: values that the clip holds have no gradient."""
    settings = TrainingSettings(epochs=1, batch=2, eps=0.2, learning_rate=0.01, generator="unet", width=1)
    metric = wrap_module(Weighted(256, scale=0.01), name="weighted", score_range=(0, 40))
    pictures = torch.rand(2, 3, 256, 256, generator=torch.Generator().manual_seed(0)).mul(1.4).sub(0.2).clamp(0, 1)
    from attacks.attack_training import _step

    learner = LEARNERS["facpa"](settings, torch.device("cpu"))
    network = UNetGenerator(1)
    network.load_state_dict(learner.result())
    _step(learner, metric, pictures, torch.Generator().manual_seed(4))

    network.random = torch.Generator().manual_seed(4)
    moved = pictures + 0.2 * network.train()(pictures)
    assert ((moved < 0) | (moved > 1)).float().mean() > 0.05
    weight = metric._module.weight.detach()
    scores = 50 + ((torch.clamp(moved, 0, 1) - 0.457) ** 2 * weight).sum(dim=(1, 2, 3))
    gradients = adam_step(network, (1 - scores / 40).mean(), 0.01)
    expected, got = network.state_dict(), learner.result()
    assert got.keys() == expected.keys()
    # A bias before a normalisation has no gradient: its step is the sign of rounding noise.
    real = {name: gradient.abs() > 1e-6 for name, gradient in gradients.items()}
    assert sum(int(mask.sum()) for mask in real.values()) > 10_000
    for name, mask in real.items():
        torch.testing.assert_close(got[name][mask], expected[name][mask], rtol=0, atol=1e-4, msg=name)


@pytest.mark.slow
def test_generative_learns_the_network_and_stores_its_finished_pattern(picture_folder, net, tmp_path):
    """The pattern is eps G(z) without dropout, and z is not what is stored."""
    header = train_attack(
        "uap_generative", net, picture_folder, tmp_path / "u", crop=256, width=1, epochs=2, batch=8, seed=3
    )
    pattern = load_file(tmp_path / "u")["perturbation"]
    assert pattern.shape == (1, 3, 256, 256)
    assert pattern.abs().max() < 10 / 255 and pattern.min() < 0 < pattern.max()

    learner = LEARNERS["uap_generative"](TrainingSettings(**header.settings), torch.device("cpu"))
    start = learner.result()["perturbation"]
    assert torch.equal(start, learner.result()["perturbation"])
    assert not torch.equal(start, pattern)
    dropped = learner.perturbation(torch.zeros(1), torch.Generator().manual_seed(1))
    assert not torch.allclose(dropped, start)


@pytest.mark.slow
@every
def test_each_epoch_sees_every_training_picture_once_and_never_one_held_out(name, picture_folder, tmp_path):
    seen = []

    class Recorder(torch.nn.Module):
        def forward(self, frames):
            seen.append(frames.detach())
            return 50 + frames.mean(dim=(1, 2, 3))

    settings = SMALL[name] | {"eps": 1 / 255, "epochs": 3, "batch": 3, "seed": 2}
    train_attack(name, wrap_module(Recorder(), name="recorder"), picture_folder, tmp_path / "u", **settings)
    pictures = read_training_pictures(picture_folder, crop=settings.get("crop", 256), seed=2)
    known = torch.cat([pictures.training, pictures.held_out]).float() / 255

    def which(frames):
        return [int((known - frame).abs().mean(dim=(1, 2, 3)).argmin()) for frame in frames]

    # First the held-out pictures, clean; then for each epoch batches of 3 and 1, and the held-out ones again.
    calls = [which(frames) for frames in seen]
    assert [len(call) for call in calls] == [1] + [3, 1, 1] * 3
    assert calls[0] == [4] and all(calls[3 + 3 * epoch] == [4] for epoch in range(3))
    orders = [calls[1 + 3 * epoch] + calls[2 + 3 * epoch] for epoch in range(3)]
    assert all(sorted(order) == [0, 1, 2, 3] for order in orders)
    assert len(set(map(tuple, orders))) > 1


class Stop(Exception):
    pass


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "stopped_after"),
    [("uap_optimized", 1), ("uap_optimized", 5), ("uap_cumulative", 3), ("uap_generative", 3), ("facpa", 3)],
)
def test_a_training_that_was_stopped_continues_to_the_same_bytes(name, stopped_after, net, picture_folder, tmp_path):
    settings = SMALL[name] | {"epochs": 3, "batch": 1, "limit": 3, "checkpoint_seconds": 0}
    train_attack(name, net, picture_folder, tmp_path / "whole", **settings)
    steps = []

    def stop(progress):
        if progress.stage == "steps" and progress.done == stopped_after:
            raise Stop

    with pytest.raises(Stop):
        train_attack(name, net, picture_folder, tmp_path / "parts", progress=stop, **settings)
    assert not (tmp_path / "parts").exists()
    train_attack(name, net, picture_folder, tmp_path / "parts", progress=steps.append, **settings)
    assert [step.done for step in steps if step.stage == "steps"] == list(range(stopped_after + 1, 7))
    assert (tmp_path / "parts").read_bytes() == (tmp_path / "whole").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["parts", "whole"]


@pytest.mark.slow
@every
def test_the_seed_decides_all_that_is_random(name, net, picture_folder, tmp_path):
    before = torch.get_rng_state()
    for out, seed in (("one", 1), ("same", 1), ("other", 2)):
        train_attack(name, net, picture_folder, tmp_path / out, epochs=1, batch=1, limit=3, seed=seed, **SMALL[name])
    assert torch.equal(torch.get_rng_state(), before)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "same").read_bytes()
    one, other = load_file(tmp_path / "one"), load_file(tmp_path / "other")
    assert not any(torch.equal(one[key], other[key]) for key in one)


def test_a_finished_training_is_not_repeated_and_another_is_not_overwritten(net, picture_folder, tmp_path):
    out, calls = tmp_path / "u", []
    settings = SMALL["uap_optimized"] | {"epochs": 1}
    first = train_attack("uap_optimized", net, picture_folder, out, **settings)
    content = out.read_bytes()
    assert train_attack("uap_optimized", net, picture_folder, out, progress=calls.append, **settings) == first
    assert {call.stage for call in calls} == {"pictures"}
    for changed in ({"epochs": 2}, {"eps": 0.05}, {"seed": 1}):
        with pytest.raises(TrainedFileError, match=r"another training .* --replace"):
            train_attack("uap_optimized", net, picture_folder, out, **(settings | changed))
    with pytest.raises(TrainedFileError, match="another training"):
        train_attack("uap_optimized", net, picture_folder, out, limit=4, **settings)
    assert out.read_bytes() == content
    again = train_attack("uap_optimized", net, picture_folder, out, replace=True, **(settings | {"epochs": 2}))
    assert len(again.history["gain"]) == 2 and out.read_bytes() != content


def test_a_stopped_training_with_other_settings_is_not_continued(net, picture_folder, tmp_path):
    def stop(progress):
        if progress.stage == "steps":
            raise Stop

    out, settings = tmp_path / "u", SMALL["uap_optimized"] | {"epochs": 2, "batch": 2, "checkpoint_seconds": 0}
    with pytest.raises(Stop):
        train_attack("uap_optimized", net, picture_folder, out, progress=stop, **settings)
    with pytest.raises(TrainedFileError, match=r"u\.checkpoint .* --replace"):
        train_attack("uap_optimized", net, picture_folder, out, **(settings | {"seed": 9}))
    (tmp_path / "u.checkpoint").write_bytes(b"half")
    with pytest.raises(TrainedFileError, match="broken"):
        train_attack("uap_optimized", net, picture_folder, out, **settings)
    train_attack("uap_optimized", net, picture_folder, out, replace=True, **settings)
    assert [path.name for path in tmp_path.iterdir()] == ["u"]


def test_what_was_learnt_beats_noise_on_pictures_not_seen(net, picture_folder, tmp_path):
    from attacks import create_attack, relative_gain

    eps = 4 / 255
    for name, extra in (("uap_optimized", {"learning_rate": 0.005}), ("uap_cumulative", {"eta": 3e5})):
        train_attack(name, net, picture_folder, tmp_path / name, epochs=6, batch=2, crop=16, eps=eps, **extra)
        frames = torch.rand(6, 3, 48, 64, generator=torch.Generator().manual_seed(9)) * 0.5 + 0.25
        attack = create_attack(name, file=tmp_path / name)
        noise = torch.randn(1, 3, 48, 64, generator=torch.Generator().manual_seed(8)).sign() * eps

        def gain(adversarial):
            ends = {"lower_better": False, "score_range": net.score_range}
            return relative_gain(net.score(frames).tolist(), net.score(adversarial).tolist(), **ends).mean  # noqa: B023

        learnt, random = gain(attack.perturb(frames, net, 1.0)), gain((frames + noise).clamp(0, 1))
        assert learnt > 0.001 and learnt > 20 * abs(random), (name, learnt, random)


def test_the_gain_on_held_out_pictures_is_recorded_for_every_epoch(net, picture_folder, tmp_path):
    header = train_attack("uap_optimized", net, picture_folder, tmp_path / "u", crop=16, epochs=3, batch=2)
    held_out = read_training_pictures(picture_folder, crop=16, seed=0).held_out.float() / 255
    pattern = load_file(tmp_path / "u")["perturbation"]
    with torch.no_grad():
        clean, changed = net.score(held_out), net.score((held_out + pattern).clamp(0, 1))
    assert len(header.history["gain"]) == 3
    assert header.history["gain"][-1] == pytest.approx(float(((changed - clean) / clean).mean()), rel=1e-4)


def test_the_header_says_where_the_file_comes_from(net, picture_folder, tmp_path):
    header = train_attack(
        "uap_optimized", net, picture_folder, tmp_path / "u", limit=4, epochs=1, **SMALL["uap_optimized"]
    )
    assert (header.attack, header.metric, header.weights_sha256) == ("uap_optimized", "net", None)
    assert header.score_range == net.score_range and header.lower_better is False
    assert header.data["pictures"] == 4 and header.data["held_out"] == 1 and len(header.data["sha256"]) == 64
    assert header.settings == {
        "epochs": 1, "batch": 4, "eps": 0.1, "crop": 16, "learning_rate": 0.001, "seed": 0
    }  # fmt: skip
    assert str(picture_folder) not in (tmp_path / "u").read_bytes().decode("latin1")


def test_a_clip_metric_is_asked_about_one_picture_at_a_time(picture_folder, tmp_path):
    sizes = []

    class Clip(torch.nn.Module):
        def forward(self, frames):
            sizes.append(len(frames))
            return 50 + frames.mean()

    metric = wrap_module(Clip(), name="clip", window=4)
    train_attack("uap_optimized", metric, picture_folder, tmp_path / "u", epochs=1, batch=4, crop=16)
    assert set(sizes) == {1}


class Broken(torch.nn.Module):
    def __init__(self, score):
        super().__init__()
        self.score = score

    def forward(self, frames):
        return self.score(frames)


@pytest.mark.parametrize(
    ("score", "error"),
    [
        (lambda x: x.round().mean(dim=(1, 2, 3)), ZeroGradient),
        (lambda x: x.detach().mean(dim=(1, 2, 3)), NotDifferentiable),
        (lambda x: x.mean(dim=(1, 2, 3)) * float("nan"), NonFiniteScore),
        (lambda x: 1 + (x - x).sqrt().mean(dim=(1, 2, 3)), NotDifferentiable),
    ],
)
def test_a_metric_that_cannot_be_learnt_from_is_named(score, error, picture_folder, tmp_path):
    metric = wrap_module(Broken(score), name="mine")
    with pytest.raises(error, match="mine"):
        train_attack("uap_optimized", metric, picture_folder, tmp_path / "u", crop=16, epochs=1)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("attack", "settings", "error", "says"),
    [
        ("uap_optimised", {}, UnknownName, "uap_optimized"),
        ("fgsm", {}, UnknownName, "needs no training"),
        ("uap_optimized", {"generator": "unet"}, InvalidOption, "takes no generator"),
        ("uap_cumulative", {"learning_rate": 0.1}, InvalidOption, "takes no learning_rate"),
        ("facpa", {"generator": "resnet"}, InvalidOption, "takes no generator=resnet"),
        ("uap_generative", {"generator": "gan"}, InvalidOption, "unet"),
        ("uap_generative", {"crop": 128}, InvalidOption, "multiple of 256"),
        ("facpa", {"crop": 300}, InvalidOption, "multiple of 256"),
        ("uap_optimized", {"epochs": 0}, InvalidOption, "epochs"),
        ("uap_optimized", {"batch": 2.5}, InvalidOption, "batch"),
        ("uap_optimized", {"eps": 0}, InvalidOption, "eps"),
        ("uap_optimized", {"learning_rate": float("nan")}, InvalidOption, "learning_rate"),
        ("uap_optimized", {"colour": 1}, InvalidOption, "takes no colour"),
    ],
)
def test_settings_that_do_not_fit_are_refused(attack, settings, error, says, net, picture_folder, tmp_path):
    with pytest.raises(error, match=says):
        train_attack(attack, net, picture_folder, tmp_path / "u", **settings)


def test_a_place_that_cannot_be_written_is_one_sentence(net, picture_folder, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(TrainedFileError, match="cannot be written"):
        train_attack("uap_optimized", net, picture_folder, tmp_path / "file" / "u", crop=16, epochs=1)


def test_progress_counts_pictures_then_steps(net, picture_folder, tmp_path):
    seen = []
    train_attack("uap_optimized", net, picture_folder, tmp_path / "u", crop=16, epochs=2, batch=2, progress=seen.append)
    assert [(p.stage, p.done, p.total) for p in seen] == [
        *(("pictures", n, 5) for n in range(1, 6)), *(("steps", n, 4) for n in range(1, 5))
    ]  # fmt: skip
    assert seen[5] == TrainingProgress("steps", 1, 4, None) and dataclasses.astuple(seen[6])[3] is not None
