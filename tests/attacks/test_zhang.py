"""Zhang et al.'s attack against torch's own Adam on its loss, with the similarity as one dense convolution."""

import importlib.util
import types

import numpy as np
import pytest
import torch
import torch.nn.functional as functional

from attacks import create_attack, structural_similarity
from attacks.errors import InvalidFrames, MetricUnavailable
from attacks.metrics import wrap_module
from tests.attacks.adam_oracle import adam_walk, agree, loss_gradient

needs_pyiqa = pytest.mark.skipif(
    importlib.util.find_spec("pyiqa") is None or importlib.util.find_spec("torchvision") is None,
    reason="pyiqa is not installed: make pyiqa",
)


def dense_similarity(x, y):
    offsets = np.arange(11) - 5
    window = np.exp(-(offsets[:, None] ** 2 + offsets[None] ** 2) / (2 * 1.5**2))
    kernel = torch.from_numpy(window / window.sum()).expand(3, 1, 11, 11)
    mean = lambda z: functional.conv2d(z, kernel, groups=3)  # noqa: E731
    mx, my = mean(x), mean(y)
    vx, vy, cov = mean((x - 0.5) ** 2) - (mx - 0.5) ** 2, mean((y - 0.5) ** 2) - (my - 0.5) ** 2, mean(x * y) - mx * my
    c1, c2 = 0.01**2, 0.03**2
    return ((2 * mx * my + c1) * (2 * cov + c2) / ((mx**2 + my**2 + c1) * (vx + vy + c2))).mean()


def oracle_walk(frame, module, span, weight, rate, steps):
    clean = frame.double()
    x = clean.clone().requires_grad_(True)
    for step in range(steps):
        loss = 1 - module(x).sum() / span
        if step:  # at the clean picture the second term is flat
            loss = loss + weight * (1 - dense_similarity(x, clean))
        (gradient,) = torch.autograd.grad(loss, x)
        if step == 0:
            optimizer = torch.optim.Adam([x], lr=rate, eps=1e-16 * float(gradient.abs().max()))
        x.grad = gradient
        optimizer.step()
        with torch.no_grad():
            x.clamp_(0, 1)
    return x.detach().numpy()


@pytest.mark.parametrize(("steps", "weight"), [(1, 1.0), (2, 1.0), (6, 1.0), (4, 50.0), (4, 0.0)])
@pytest.mark.parametrize("span", [100.0, 1.0])
def test_the_walk_is_adam_on_the_loss(steps, weight, span, seeded_frames, make_module):
    frames = seeded_frames(2, 23, 32)
    metric = wrap_module(make_module("net"), score_range=(0, span))
    result = create_attack("zhang", iterations=steps, fidelity=weight).perturb(frames, metric, 0.01)
    module = make_module("net").double()
    for found, frame in zip(result, frames, strict=True):
        assert agree(found, oracle_walk(frame[None], module, span, weight, 0.01, steps)[0])


def test_fidelity_keeps_the_similarity(seeded_frames, make_metric):
    frames, metric = 0.2 + 0.6 * seeded_frames(1, 24, 32), make_metric("net")
    kept = [
        float(
            structural_similarity(
                frames, create_attack("zhang", fidelity=weight, iterations=10).perturb(frames, metric, 0.02)
            )
        )
        for weight in (0.0, 1.0, 1000.0)
    ]
    assert kept == sorted(kept) and kept[-1] > kept[0] + 0.01


@pytest.mark.parametrize(("name", "side"), [("ssim", 10), ("lpips", 15), ("dists", 15)])
def test_frames_smaller_than_the_window_are_refused(name, side, seeded_frames, make_metric):
    with pytest.raises(InvalidFrames, match=f"at least {side + 1}x{side + 1}"):
        create_attack("zhang", reference_metric=name).prepare(seeded_frames(1, side, 40), make_metric("net"))


def test_another_distance_is_weighted_and_minimised(monkeypatch, seeded_frames, make_module):
    """The mean squared error in the place of a network: its derivative is 2 (x - clean) / size."""
    frames, module = seeded_frames(1, 23, 32), make_module("net")
    monkeypatch.setattr(
        "attacks.zhang.full_reference_distance", lambda *_: lambda x, y: (x - y).square().mean(dim=(1, 2, 3))
    )
    attack = create_attack("zhang", reference_metric="dists", fidelity=30.0, iterations=4)
    result = attack.perturb(frames, wrap_module(module), 0.01)
    clean, slope = frames[0].double().numpy(), loss_gradient(module, (0.0, 100.0))
    first = np.abs(slope(clean)).max()
    expected = adam_walk(clean, lambda x: slope(x) + 30 * 2 * (x - clean) / x.size, 0.01, 4, epsilon=1e-16 * first)
    assert agree(result[0], expected)


@pytest.mark.slow
@needs_pyiqa
class TestDeepDistances:
    @pytest.fixture(autouse=True)
    def _own_cache(self, monkeypatch, tmp_path):
        """An empty cache, and no way to download."""
        import urllib.error

        from attacks.metrics.torchvision_shim import import_torchvision

        import_torchvision()
        from pyiqa.utils import download_util

        def refuse(*_, **__):
            raise urllib.error.URLError("Name or service not known")

        monkeypatch.setenv("TORCH_HOME", str(tmp_path))
        monkeypatch.setattr(download_util, "download_url_to_file", refuse)
        monkeypatch.setattr(torch.hub, "download_url_to_file", refuse)

    @pytest.fixture
    def weights(self, monkeypatch, tmp_path):
        """A small seeded network in the place of VGG-16, and files of the names that are looked for."""
        import torchvision.models
        from torchvision.models.vgg import cfgs, make_layers

        def untrained(*_, **__):
            with torch.random.fork_rng():
                torch.manual_seed(0)
                return types.SimpleNamespace(features=make_layers(cfgs["D"]))

        monkeypatch.setattr(torchvision.models, "vgg16", untrained)
        folder = tmp_path / "hub" / "pyiqa"
        folder.mkdir(parents=True)
        channels = [64, 128, 256, 512, 512]
        torch.save(
            {"alpha": torch.full((1, 1475, 1, 1), 0.1), "beta": torch.full((1, 1475, 1, 1), 0.1)},
            folder / "DISTS_weights-f5e65c96.pth",
        )
        torch.save(
            {f"lin{i}.model.1.weight": torch.full((1, c, 1, 1), 0.1) for i, c in enumerate(channels)},
            folder / "LPIPS_v0.1_vgg-a78928a0.pth",
        )

    @pytest.mark.parametrize("name", ["lpips", "dists"])
    def test_missing_weights_are_named(self, name, seeded_frames, make_metric):
        frames, metric = seeded_frames(1, 24, 32), make_metric("net")
        with pytest.raises(MetricUnavailable, match=r"vgg16-397923af\.pth.*put it there"):
            create_attack("zhang", reference_metric=name).prepare(frames, metric)
        # One step is FGSM and asks for no distance.
        create_attack("zhang", reference_metric=name, iterations=1).perturb(frames, metric, 0.01)

    @pytest.mark.parametrize("name", ["lpips", "dists"])
    def test_the_distance_is_minimised(self, name, weights, seeded_frames, make_metric):
        from attacks.metrics.full_reference import full_reference_distance

        frames, metric = 0.2 + 0.6 * seeded_frames(2, 24, 32), make_metric("net")
        distance = full_reference_distance(name, torch.device("cpu"))
        assert distance(frames, frames) == pytest.approx([0, 0], abs=1e-5)
        reached = []
        for weight in (0.0, 1000.0):
            attack = create_attack("zhang", reference_metric=name, fidelity=weight, iterations=4)
            reached.append(distance(attack.perturb(frames, metric, 0.02), frames))
        assert (reached[1] < 0.9 * reached[0]).all()

    @pytest.mark.parametrize("name", ["lpips", "dists"])
    def test_it_works_in_inference_mode(self, name, weights, seeded_frames, make_metric):
        attack, metric = create_attack("zhang", reference_metric=name, iterations=2), make_metric("net")
        expected = attack.perturb(seeded_frames(1, 24, 32), metric, 0.02)
        with torch.inference_mode():
            assert torch.equal(attack.perturb(seeded_frames(1, 24, 32), metric, 0.02), expected)
