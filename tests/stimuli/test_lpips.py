"""LPIPS of delivered files against pyiqa's own, with seeded weights in the published files' form; never a download."""

import importlib.util
import re
import urllib.error

import pytest
import torch

from attacks.errors import MetricUnavailable
from attacks.metrics.table import WEIGHTS_FOLDER
from stimuli import StimulusRequest, generate_stimulus_set, parse_attacks, read_manifest
from stimuli.colour import display_frames
from stimuli.lpips import Lpips
from stimuli.store import hash_of_file
from stimuli.video import read_planes
from tests.stimuli.conftest import BT709, the_metric, write_clip

HEADS, ALEXNET = "LPIPS_v0.1_alex-df73285e.pth", "alexnet-owt-7be5be79.pth"
CPU = torch.device("cpu")


@pytest.fixture
def folder(monkeypatch, tmp_path):
    """One's own folder of weights, empty; a cache that is empty too, and no way to download."""

    def refuse(*_, **__):
        raise urllib.error.URLError("Name or service not known")

    monkeypatch.setattr(torch.hub, "download_url_to_file", refuse)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv(WEIGHTS_FOLDER, str(tmp_path / "weights"))
    (tmp_path / "weights").mkdir()
    return tmp_path / "weights"


def write_weights(folder, seed=0):
    """AlexNet as torchvision publishes it, and LPIPS's heads as pyiqa does; the unused classifier takes no room."""
    generator = torch.Generator().manual_seed(seed)
    convolutions = {0: (64, 3, 11), 3: (192, 64, 5), 6: (384, 192, 3), 8: (256, 384, 3), 10: (256, 256, 3)}
    state = {}
    for index, (outputs, inputs, size) in convolutions.items():
        weight = torch.randn((outputs, inputs, size, size), generator=generator)
        state[f"features.{index}.weight"] = weight * (2 / (inputs * size**2)) ** 0.5
        state[f"features.{index}.bias"] = 0.1 * torch.randn(outputs, generator=generator)
    for index, shape in {1: (4096, 9216), 4: (4096, 4096), 6: (1000, 4096)}.items():
        state[f"classifier.{index}.weight"] = torch.zeros(1).expand(shape)
        state[f"classifier.{index}.bias"] = torch.zeros(1).expand(shape[0])
    torch.save(state, folder / ALEXNET)
    heads = {
        f"lin{i}.model.1.weight": (1, state[f"features.{k}.bias"].numel(), 1, 1) for i, k in enumerate(convolutions)
    }
    torch.save({name: torch.rand(shape, generator=generator) for name, shape in heads.items()}, folder / HEADS)


def frames_of(path):
    return torch.cat([display_frames(planes, BT709) for planes in read_planes(path, chunk=16)])


def test_without_weights_it_says_what_is_missing(folder):
    record = Lpips(CPU).record
    packages = [name for name in ("pyiqa", "torchvision") if importlib.util.find_spec(name) is None]
    assert record.missing == (*packages, HEADS, ALEXNET)
    assert record.files == {}


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("pyiqa") is None, reason="pyiqa is not installed: make pyiqa")
class TestWithWeights:
    def test_a_set_with_lpips_is_pyiqas_and_keeps_everything_else(self, folder, tmp_path):
        source = write_clip(tmp_path / "one.mp4", frames=3)
        request = StimulusRequest(
            sources=(source,), metric="sharpness", attacks=parse_attacks("fgsm"), gain=0.1, out=tmp_path / "set"
        )

        def lpips(made):
            result = generate_stimulus_set(request, metric=the_metric())
            assert result.made == made
            assert result.manifest == read_manifest(request.out)
            return result.manifest, [stimulus.quality.lpips for stimulus in result.manifest.stimuli]

        without, absent = lpips(made=3)
        assert absent == [None, None] and HEADS in without.lpips.missing

        write_weights(folder)
        manifest, values = lpips(made=0)
        assert manifest.stimuli[1].file == without.stimuli[1].file
        assert manifest.lpips.missing == ()
        assert manifest.lpips.files == {name: hash_of_file(folder / name) for name in (HEADS, ALEXNET)}

        oracle = _pyiqas_own(folder)
        clean = frames_of(source)
        for stimulus, value in zip(manifest.stimuli, values, strict=True):
            expected = [
                float(oracle(d[None], c[None]))
                for d, c in zip(frames_of(request.out / stimulus.file), clean, strict=True)
            ]
            assert value == pytest.approx(sum(expected) / 3, rel=1e-4)
        assert 0 < values[0] < values[1]

        write_weights(folder, seed=1)
        _, others = lpips(made=0)
        assert others != pytest.approx(values, rel=1e-3)
        write_weights(folder)
        assert lpips(made=0)[1] == values

    def test_a_file_that_is_cut_off_is_an_error(self, folder):
        write_weights(folder)
        whole = (folder / ALEXNET).read_bytes()
        (folder / ALEXNET).write_bytes(whole[: len(whole) // 2])
        with pytest.raises(MetricUnavailable, match=re.escape(ALEXNET)):
            Lpips(CPU)


def _pyiqas_own(folder):
    """pyiqa's network, filled by hand: nothing of the adapter is used."""
    from unittest import mock

    from attacks.metrics.torchvision_shim import import_torchvision

    torchvision = import_torchvision()
    from pyiqa.archs.lpips_arch import LPIPS

    network = torchvision.models.alexnet(weights=None)
    network.load_state_dict(torch.load(folder / ALEXNET))
    with mock.patch.object(torchvision.models, "alexnet", lambda **_: network):
        oracle = LPIPS(net="alex", pretrained=False)
    _, unexpected = oracle.load_state_dict(torch.load(folder / HEADS), strict=False)
    assert not unexpected
    return torch.no_grad()(oracle.eval())
