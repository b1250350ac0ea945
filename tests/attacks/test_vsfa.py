"""VSFA and MDTVSFA: their head against the equations and the published programs, windows, memory, whole clips.

The numbers in PUBLISHED were printed by the programs of lidq92/VSFA (b78751b) and lidq92/MDTVSFA (1460fb2), the scores
that their demonstrations print, for the features of `waves` and two heads: one filled by `waves` too, and the one in
the file that stands beside each program.
"""

import os
import pathlib
import shutil

import numpy as np
import pytest
import torch

from attacks import create_attack
from attacks.errors import InvalidFrames, MetricUnavailable
from attacks.gradients import clean_gradient
from attacks.metrics import clip_metric, create_metric, frame_features
from attacks.metrics.mdtvsfa import MappedHead
from attacks.metrics.registry import sha256_of
from attacks.metrics.temporal_head import TemporalHead, pool_over_time
from attacks.metrics.torchvision_shim import import_torchvision
from tests.conftest import REPOSITORY

_GRU = {"weight_ih_l0": (96, 128), "weight_hh_l0": (96, 32), "bias_ih_l0": (96,), "bias_hh_l0": (96,)}
_LINES = {f"lm.{data}.{kind}": (1,) * ndim for data in "KCLN" for kind, ndim in (("weight", 2), ("bias", 1))}
# Names and shapes in the published files.
HEADS = {
    "vsfa": {
        "ann.fc0.weight": (128, 4096),
        "ann.fc0.bias": (128,),
        "ann.fc.weight": (128, 128),
        "ann.fc.bias": (128,),
        **{f"rnn.{name}": shape for name, shape in _GRU.items()},
        "q.weight": (1, 32),
        "q.bias": (1,),
    },
    "mdtvsfa": {
        "dimemsion_reduction.weight": (128, 4096),
        "dimemsion_reduction.bias": (128,),
        **{f"feature_aggregation.{name}": shape for name, shape in _GRU.items()},
        "regression.weight": (1, 32),
        "regression.bias": (1,),
        "nlm.0.weight": (1, 1),
        "nlm.0.bias": (1,),
        "nlm.2.weight": (1, 1),
        "nlm.2.bias": (1,),
        **_LINES,
    },
}
MEAN = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)
DEVIATION = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)
FRAMES = (1, 2, 11, 12, 13, 30)
PUBLISHED = {
    "vsfa": {
        "waves": (-0.14159688, -0.22007768, -1.33951902, -1.31956220, -1.29795015, -0.62189543),
        "07ce3eab277f3351b989f8d9b39fd22507262a9daf05a309eee4106ab2a0e57b": (
            *(0.55810678, 0.62552220, 0.76238388, 0.76674658, 0.77630895, 0.86528593),
        ),
    },
    "mdtvsfa": {
        "waves": (-0.68690974, -0.69216496, -0.68048799, -0.68002719, -0.67977512, -0.67751455),
        "d5dd4fdf69ad4ee0e7f15caca1b5346d30e4d24a67fbbfd2e3fe434cbf5458c7": (
            *(0.55292445, 0.57163841, 0.61026311, 0.61003417, 0.61131424, 0.62444991),
        ),
    },
}


def waves(shape, phase, scale):
    """Numbers that look like noise and are the same everywhere."""
    place = np.arange(np.prod(shape))
    numbers = scale * np.sin(1.7 * place + 0.31 * np.sqrt(place) * 7 + phase)
    return torch.tensor(numbers, dtype=torch.float32).reshape(shape)


def features_of(frames):
    return waves((frames, 4096), 0.5, 1.0).abs()


def head_of_waves(name):
    scales = {1: lambda shape: 0.3, 2: lambda shape: 4 / max(shape[-1], 16) ** 0.5}
    shapes = sorted(HEADS[name].items())
    return {key: waves(shape, index, scales[len(shape)](shape)) for index, (key, shape) in enumerate(shapes)}


class Tiny(torch.nn.Module):
    """In place of ResNet-50: 4096 features from a convolution, of which nothing is drawn at random."""

    def __init__(self):
        super().__init__()
        self.maps = torch.nn.Conv2d(3, 8, 5, stride=3)
        self.spread = torch.nn.Linear(8, 4096)
        with torch.no_grad():
            self.maps.weight.copy_(waves((8, 3, 5, 5), 1, 0.5))
            self.maps.bias.copy_(waves((8,), 2, 0.1))
            self.spread.weight.copy_(waves((4096, 8), 3, 0.2))
            self.spread.bias.copy_(waves((4096,), 4, 0.1))

    def forward(self, frames):
        return torch.sigmoid(self.spread(torch.tanh(self.maps(frames)).square().mean((2, 3))))


def tiny():
    with torch.random.fork_rng():
        return Tiny()


@pytest.fixture(scope="module")
def files_folder(tmp_path_factory):
    """A folder of weights files: the small network's as ResNet-50's, and both heads filled by `waves`."""
    folder = tmp_path_factory.mktemp("weights")
    torch.save(tiny().state_dict() | {"fc.bias": torch.zeros(1000)}, folder / "resnet50-19c8e357.pth")
    for name in HEADS:
        torch.save(head_of_waves(name), folder / f"{name.upper()}.pt")
    return folder


@pytest.fixture
def weights_folder(files_folder, monkeypatch):
    monkeypatch.setattr(clip_metric, "resnet50_features", tiny)
    monkeypatch.setenv("METRIC_WEIGHTS_DIR", str(files_folder))
    return files_folder


def published_heads():
    """The published files that are on this machine, by the metric's name."""
    shared = pathlib.Path(os.environ.get("LAB_SHARED", REPOSITORY.parent / "shared")) / "weights"
    own = os.environ.get("METRIC_WEIGHTS_DIR")
    folders = [pathlib.Path(own), shared] if own else [shared]
    paths = [(name, folder / f"{name.upper()}.pt") for name in HEADS for folder in folders]
    return {name: path for name, path in paths if path.is_file() and sha256_of(path) in PUBLISHED[name]}


HERE = published_heads()


@pytest.mark.parametrize("name", HEADS)
def test_heads_from_files_score_as_the_published_programs(name, weights_folder):
    files = {"waves": None} | ({sha256_of(HERE[name]): HERE[name]} if name in HERE else {})
    for which, file in files.items():
        metric = create_metric(name, weights=file)
        scores = [metric.score_of_clip(features_of(frames)) for frames in FRAMES]
        assert scores == pytest.approx(PUBLISHED[name][which], abs=1e-6)


def slow_head(state, features):
    """The mean pooled score of one clip, frame by frame in float64, from the equations of the GRU and the paper."""
    reduced = features.double() @ state["reduction.weight"].double().T + state["reduction.bias"]
    weight = {name: tensor.double().numpy() for name, tensor in state.items() if not name.startswith("reduction")}
    sigmoid = lambda x: 1 / (1 + np.exp(-x))  # noqa: E731
    hidden, quality = np.zeros(32), []
    for inputs in reduced.numpy():
        given = np.split(weight["recurrence.weight_ih_l0"] @ inputs + weight["recurrence.bias_ih_l0"], 3)
        held = np.split(weight["recurrence.weight_hh_l0"] @ hidden + weight["recurrence.bias_hh_l0"], 3)
        reset, update = sigmoid(given[0] + held[0]), sigmoid(given[1] + held[1])
        hidden = (1 - update) * np.tanh(given[2] + reset * held[2]) + update * hidden
        quality.append((weight["quality.weight"] @ hidden + weight["quality.bias"]).item())
    pooled = []
    for t in range(len(quality)):
        worst = min(quality[max(t - 11, 0) : t + 1])
        coming = quality[t : t + 12]
        shares = [np.exp(-q) for q in coming]
        pooled.append(0.5 * sum(q * s for q, s in zip(coming, shares, strict=True)) / sum(shares) + 0.5 * worst)
    return float(np.mean(pooled)), quality


def test_the_head_is_that_of_the_equations():
    torch.manual_seed(5)
    head, mapped = TemporalHead(features=40, reduced=12), MappedHead()
    with torch.no_grad():
        head.quality.weight.mul_(8)
        for frames in FRAMES:
            features = torch.randn(frames, 40)
            expected, quality = slow_head(head.state_dict(), features)
            assert head(features[None]).tolist() == pytest.approx([expected], abs=2e-6)
            assert frames < 11 or max(quality) - min(quality) > 0.5
        clips = torch.randn(3, 13, 40)
        assert head(clips).tolist() == pytest.approx(
            [slow_head(head.state_dict(), clip)[0] for clip in clips], abs=2e-6
        )
        features = features_of(13)
        relative = 1 / (1 + np.exp(-slow_head(mapped.state_dict(), features)[0]))
        first, second = (mapped.mapping[index] for index in (0, 2))
        inner = 1 / (1 + np.exp(-(first.weight.item() * relative + first.bias.item())))
        expected = second.weight.item() * inner + second.bias.item()
        assert mapped(features[None]).tolist() == pytest.approx([expected], abs=2e-6)


def test_pooling_has_the_right_slopes_and_stays_between_the_scores():
    generator = torch.Generator().manual_seed(0)
    for frames in (1, 2, 14):
        quality = torch.randn(2, frames, generator=generator, dtype=torch.float64).requires_grad_()
        assert torch.autograd.gradcheck(pool_over_time, (quality,), fast_mode=True)
    # One bad frame weighs more than one good one; the numbers are those of the weights e^1 and e^-1 among eleven 1.
    level = torch.full((3, 40), 5.0)
    level[0, 20], level[1, 20] = 4, 6
    low, high, flat = pool_over_time(level).tolist()
    share = lambda weight: weight / (11 + weight)  # noqa: E731
    assert low == pytest.approx(5 - 12 / 40 * (1 + share(np.e)) / 2, abs=1e-6)
    assert high == pytest.approx(5 + 12 / 40 * share(1 / np.e) / 2, abs=1e-6)
    assert flat == 5 and torch.isfinite(pool_over_time(1e4 * level)).all()


@pytest.mark.parametrize("name", HEADS)
def test_a_window_depends_on_no_other_frame(name, weights_folder, seeded_frames):
    frames = seeded_frames(15, 36, 40)
    for size in (12, 5):
        metric = create_metric(name, window=None if size == 12 else size)
        together = clean_gradient(frames, metric)
        for part, scores, gradient in zip(
            frames.split(size), together.scores.split(size), together.gradient.split(size), strict=True
        ):
            alone = clean_gradient(part, metric)
            assert torch.equal(alone.scores, scores) and torch.equal(alone.gradient, gradient)
            assert (scores == scores[0]).all() and (gradient.flatten(1).abs().amax(1) > 0).all()
    expected = [metric.score(frame[None]).item() for frame in frames]
    assert create_metric(name, window=1).score(frames).tolist() == pytest.approx(expected, abs=1e-6)
    assert len(set(expected)) == len(expected)


def test_the_score_of_a_whole_clip_is_the_heads_over_all_frames(weights_folder, seeded_frames):
    frames = seeded_frames(26, 36, 40)
    with torch.no_grad():
        features = torch.cat([tiny()(normalised) for normalised in ((frames - MEAN) / DEVIATION).split(1)])
    for window, chunk in ((12, 12), (12, 24), (5, 10), (1, 7)):
        metric = create_metric("vsfa", window=window)
        scorer = metric.clip_scorer()
        values = [value for part in frames.split(chunk) for value in scorer.add(part)]
        assert values == pytest.approx(metric.values(frames), abs=1e-6)
        expected = slow_head(metric._module["head"].state_dict(), features)[0]
        assert scorer.result() == pytest.approx(expected, abs=5e-6)
        assert abs(expected - np.mean(values)) > 1e-4


@pytest.mark.slow
@pytest.mark.parametrize("name", ["fgsm", "ifgsm", "ioi"])
def test_an_attack_raises_the_score_of_windows_and_of_frames(name, weights_folder, seeded_frames, monkeypatch):
    monkeypatch.setattr(frame_features, "_PIXELS_AT_ONCE", 1)
    frames = 0.5 + 0.2 * (seeded_frames(15, 36, 40) - 0.5)
    attack = create_attack(name, **({"iterations": 3} if name == "ifgsm" else {}))
    strength = {"ifgsm": 0.002, "fgsm": 0.004, "ioi": 0.02}[name]
    for metric in (create_metric("mdtvsfa"), create_metric("vsfa", window=1)):
        adversarial = attack.perturb(frames, metric, strength)
        assert (metric.score(adversarial) > metric.score(frames)).all()


@pytest.mark.slow
def test_a_gradient_of_many_frames_is_found_in_the_memory_of_few(monkeypatch, seeded_frames):
    calls = []

    class Counting(Tiny):
        def forward(self, frames):
            calls.append(len(frames))
            return super().forward(frames)

    network, frames = Counting().requires_grad_(False), seeded_frames(6, 45, 60)
    direction = features_of(6)

    def run(pixels):
        monkeypatch.setattr(frame_features, "_PIXELS_AT_ONCE", pixels)
        calls.clear()
        held, leaf = [], frames.clone().requires_grad_()
        with torch.autograd.graph.saved_tensors_hooks(lambda kept: held.append(kept.nbytes) or kept, lambda kept: kept):
            features = frame_features.features_of_clip(network, leaf)
            value = (features * direction).sum()
        (gradient,) = torch.autograd.grad(value, leaf)
        return features.detach(), gradient, sum(held), list(calls)

    whole, slope, held, asked = run(6 * 45 * 60)
    assert asked == [6]
    for pixels, expected in ((2 * 45 * 60, [2, 2, 2]), (1, [1] * 6)):
        features, gradient, less, asked = run(pixels)
        assert asked == 2 * expected and less < held / 2
        torch.testing.assert_close(features, whole, rtol=0, atol=1e-6)
        torch.testing.assert_close(gradient, slope, rtol=1e-6, atol=1e-6 * float(slope.abs().max()))
        calls.clear()
        with torch.no_grad():
            frame_features.features_of_clip(network, frames)
        assert calls == expected


def test_files_are_found_known_by_hash_or_named(weights_folder, tmp_path, monkeypatch):
    monkeypatch.setenv("METRIC_WEIGHTS_DIR", str(shutil.copytree(weights_folder, tmp_path / "own")))
    head, imagenet = (tmp_path / "own" / name for name in ("VSFA.pt", "resnet50-19c8e357.pth"))
    before = torch.get_rng_state()
    metric = create_metric("vsfa")
    assert torch.equal(torch.get_rng_state(), before)
    assert metric.files == {path.name: sha256_of(path) for path in (head, imagenet)}
    assert metric.weights_sha256 == sha256_of(head)
    assert not any(parameter.requires_grad for parameter in metric._module.parameters())
    with pytest.raises(
        MetricUnavailable,
        match=r"not a checkpoint of metric 'vsfa': 8 of 8 tensors missing.*reduction\.weight.*unknown",
    ):
        create_metric("vsfa", weights=weights_folder / "MDTVSFA.pt")
    with pytest.raises(MetricUnavailable, match=r"not a checkpoint of torchvision's ResNet-50: .*missing"):
        torch.save({"maps.weight": torch.zeros(8, 3, 5, 5)}, imagenet)
        create_metric("vsfa")
    imagenet.unlink()
    with pytest.raises(MetricUnavailable, match=r"resnet50-0676ba61\.pth"):
        create_metric("vsfa")


def test_frames_that_cannot_be_scored_are_refused(weights_folder):
    metric = create_metric("vsfa", window=2)
    for shape, words in (((1, 1, 40, 40), "expand"), ((1, 4, 40, 40), "alpha"), ((1, 3, 32, 32), "32x32")):
        for scored in (metric, create_metric("vsfa", window=1)):
            with pytest.raises(InvalidFrames, match=words):
                scored.score(torch.zeros(shape))
            with pytest.raises(InvalidFrames, match=words):
                scored.clip_scorer().add(torch.zeros(shape))


@pytest.fixture(scope="module")
def resnet_folder(tmp_path_factory):
    """A ResNet-50 file of random weights whose maps are of the usual size, and heads that they do not saturate."""
    torchvision = import_torchvision()
    folder = tmp_path_factory.mktemp("resnet")
    for name in HEADS:
        torch.save({key: 0.3 * tensor for key, tensor in head_of_waves(name).items()}, folder / f"{name.upper()}.pt")
    generator = torch.Generator().manual_seed(0)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = torchvision.models.resnet50(weights=None)
    for name, part in network.named_modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            part.momentum = 1.0
            # Half a hundred layers of plain noise are chaos, where no step along a gradient leads anywhere.
            torch.nn.init.constant_(part.weight, 0.2 if name.endswith("bn3") else 1.0)
    with torch.no_grad():
        network(torch.randn(4, 3, 96, 96, generator=generator))
    torch.save(network.state_dict(), folder / "resnet50-0676ba61.pth")
    return folder


@pytest.fixture
def resnet_weights(resnet_folder, monkeypatch):
    monkeypatch.setenv("METRIC_WEIGHTS_DIR", str(resnet_folder))
    return resnet_folder / "resnet50-0676ba61.pth"


@pytest.mark.slow
def test_features_are_mean_and_deviation_of_the_last_maps(resnet_weights, seeded_frames):
    frames, metric = seeded_frames(3, 72, 100), create_metric("vsfa")
    network = import_torchvision().models.resnet50(weights=None).eval()
    network.load_state_dict(torch.load(resnet_weights, weights_only=True))
    with torch.no_grad():
        maps = torch.nn.Sequential(*list(network.children())[:-2])((frames - MEAN) / DEVIATION).double().numpy()
    assert maps.shape == (3, 2048, 3, 4)
    expected = np.concatenate([maps.mean((2, 3)), maps.std((2, 3), ddof=1)], axis=1)
    assert metric.features(frames).numpy() == pytest.approx(expected, abs=1e-4)
    assert set(metric.files) == {"VSFA.pt", "resnet50-0676ba61.pth"}


@pytest.mark.slow
def test_the_gradient_reaches_every_frame_and_recomputing_does_not_change_it(
    resnet_weights, seeded_frames, monkeypatch
):
    frames, metric = seeded_frames(6, 40, 48), create_metric("vsfa", window=4)
    plain = clean_gradient(frames, metric)
    assert (plain.gradient.flatten(1).abs().amax(1) > 0).all()
    monkeypatch.setattr(frame_features, "_PIXELS_AT_ONCE", 3 * 40 * 48)
    again = clean_gradient(frames, metric)
    torch.testing.assert_close(again.scores, plain.scores, rtol=0, atol=1e-5)
    torch.testing.assert_close(again.gradient, plain.gradient, rtol=0, atol=1e-3 * float(plain.gradient.abs().max()))
    alone = clean_gradient(frames[4:], metric)
    assert torch.equal(alone.scores, again.scores[4:]) and torch.equal(alone.gradient, again.gradient[4:])
    with torch.no_grad():
        assert torch.equal(metric.score(frames), again.scores)
