"""The adapter to pyiqa: weights by hand, missing weights, names, and silence on standard output."""

import hashlib
import importlib.util
import math
import pathlib
import shutil
import sys
import types
import urllib.error

import pytest
import torch

from attacks.errors import InvalidFrames, MetricUnavailable, UnknownName
from attacks.metrics import create_metric, list_metrics
from attacks.metrics.roi_pool import FullFrameRoIPool
from tests.attacks.untrained import untrained_metric

needs_pyiqa = pytest.mark.skipif(
    importlib.util.find_spec("pyiqa") is None or importlib.util.find_spec("torchvision") is None,
    reason="pyiqa is not installed: make pyiqa",
)


def roi_pool_oracle(features, width, height, scale=1 / 32, size=2):
    """The published loop of RoI max pooling for the region (0, 0, width, height), bin by bin."""
    away_from_zero = lambda value: math.floor(value + 0.5)  # noqa: E731
    h, w = features.shape[-2:]
    bin_h = max(away_from_zero(height * scale) + 1, 1) / size
    bin_w = max(away_from_zero(width * scale) + 1, 1) / size
    out = torch.zeros(*features.shape[:2], size, size)
    for i in range(size):
        for j in range(size):
            rows = range(min(math.floor(i * bin_h), h), min(math.ceil((i + 1) * bin_h), h))
            columns = range(min(math.floor(j * bin_w), w), min(math.ceil((j + 1) * bin_w), w))
            values = [features[..., y, x] for y in rows for x in columns]
            out[..., i, j] = torch.stack(values).amax(dim=0)
    return out


@pytest.mark.parametrize("size", [(64, 64), (540, 960), (224, 224), (240, 432), (97, 161), (80, 80), (33, 500)])
def test_roi_pool_of_the_whole_frame(size):
    height, width = size
    shape = (2, 4, math.ceil(height / 32), math.ceil(width / 32))
    features = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    regions = [torch.tensor([[0.0, 0.0, width, height]])] * 2
    pooled = FullFrameRoIPool((2, 2), 1 / 32)(features, regions)
    assert torch.equal(pooled, roi_pool_oracle(features, width, height))


@pytest.fixture
def no_network(monkeypatch, tmp_path):
    """An empty cache, and no way to download."""
    from attacks.metrics.torchvision_shim import import_torchvision

    import_torchvision()
    from pyiqa.utils import download_util

    def refuse(*_, **__):
        raise urllib.error.URLError("Name or service not known")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.delenv("METRIC_WEIGHTS_DIR", raising=False)
    monkeypatch.setattr(download_util, "download_url_to_file", refuse)
    monkeypatch.setattr(torch.hub, "download_url_to_file", refuse)
    return tmp_path


@needs_pyiqa
@pytest.mark.slow
class TestWithoutNetwork:
    @pytest.mark.parametrize(
        ("name", "file"),
        [
            ("paq2piq", "P2P_RoIPoolModel-fit.10.bs.120-ca69882e.pth"),
            ("niqe", "niqe_modelparameters.mat"),
            ("pyiqa:musiq-ava", "musiq_ava_ckpt-e8d3f067.pth"),
        ],
    )
    def test_missing_weights_are_one_sentence(self, no_network, name, file, capsys):
        with pytest.raises(MetricUnavailable) as raised:
            create_metric(name)
        message = str(raised.value)
        assert file in message and str(no_network / "hub" / "pyiqa") in message and "--weights" in message
        assert "\n" not in message
        assert capsys.readouterr().out == ""

    def test_a_file_in_the_cache_is_used(self, no_network, shared_dir):
        cache = no_network / "hub" / "pyiqa"
        cache.mkdir(parents=True)
        original = shared_dir / "weights" / "niqe_modelparameters.mat"
        (cache / original.name).write_bytes(original.read_bytes())
        metric = create_metric("niqe")
        assert metric.weights_sha256 == hashlib.sha256(original.read_bytes()).hexdigest()

    def test_the_given_file_is_the_one_that_is_used(self, no_network, shared_dir, capsys):
        """Against pyiqa's own way of naming a file."""
        from pyiqa.models.inference_model import InferenceModel

        path = shared_dir / "weights" / "niqe_modelparameters.mat"
        frames = torch.rand(1, 3, 200, 200, generator=torch.Generator().manual_seed(0))
        metric = create_metric("pyiqa:niqe", weights=path)
        assert metric.lower_better and metric.name == "niqe"
        assert capsys.readouterr().out == ""
        expected = InferenceModel("niqe", device="cpu", pretrained_model_path=str(path))(frames)
        torch.testing.assert_close(metric.score(frames), expected.flatten().float())

    def test_paq2piq_from_a_file_alone(self, no_network, tmp_path):
        """Neither ImageNet's weights nor compiled torchvision operators are needed."""
        from pyiqa.archs.paq2piq_arch import PAQ2PIQ

        from attacks.metrics.pyiqa_files import without_imagenet

        with without_imagenet(), torch.random.fork_rng():
            torch.manual_seed(0)
            network = PAQ2PIQ(pretrained=False)
        path = tmp_path / "weights.pth"
        torch.save(network.state_dict(), path)
        before = torch.get_rng_state()
        metric = create_metric("paq2piq", weights=path)
        assert torch.equal(torch.get_rng_state(), before)
        frames = torch.rand(2, 3, 97, 161, generator=torch.Generator().manual_seed(0), requires_grad=True)
        scores = metric.score(frames)
        features = network.eval().body(frames)
        expected = network.head(roi_pool_oracle(features, width=161, height=97)).flatten()
        torch.testing.assert_close(scores, expected)
        (gradient,) = torch.autograd.grad(scores.sum(), frames)
        assert gradient.abs().sum() > 0

    def test_a_file_of_something_else(self, no_network, shared_dir, capsys):
        with pytest.raises(MetricUnavailable, match="does not hold the weights of pyiqa's metric 'paq2piq'"):
            create_metric("paq2piq", weights=shared_dir / "weights" / "brisque_live_svm.pt")
        assert "Downloading" not in "".join(capsys.readouterr())

    def test_a_file_for_a_metric_without_weights(self, no_network, shared_dir):
        with pytest.raises(MetricUnavailable, match="--weights"):
            create_metric("pyiqa:piqe", weights=shared_dir / "weights" / "brisque_live_svm.pt")

    def test_another_file_is_refused_with_the_tensors_that_differ(self, no_network, tmp_path):
        """MetaIQA's loader takes any file and keeps its random numbers."""
        path = tmp_path / "resnet.pth"
        torch.save({"layer.weight": torch.zeros(3), "layer.bias": torch.zeros(3)}, path)
        with pytest.raises(
            MetricUnavailable, match=r"'metaiqa' \(120 of 120 tensors missing \(.*; 2 tensors unknown \(layer.weight"
        ) as raised:
            create_metric("metaiqa", weights=path)
        assert str(path) in str(raised.value) and "\n" not in str(raised.value)
        with pytest.raises(MetricUnavailable, match="it has no entry 'params'"):
            create_metric("cnniqa", weights=path)

    def test_nothing_in_a_file_is_executed(self, no_network, tmp_path):
        class Payload:
            def __reduce__(self):
                return (pathlib.Path.touch, (tmp_path / "executed",))

        torch.save({"params": Payload()}, tmp_path / "cnniqa.pth")
        with pytest.raises(MetricUnavailable, match="does not hold the weights"):
            create_metric("cnniqa", weights=tmp_path / "cnniqa.pth")
        assert not (tmp_path / "executed").exists()

    def test_a_folder_of_ones_own_comes_first_and_is_not_written(self, no_network, shared_dir, monkeypatch, tmp_path):
        folder = tmp_path / "own"
        folder.mkdir()
        shutil.copy(shared_dir / "weights" / "brisque_live_svm.pt", folder)
        monkeypatch.setenv("METRIC_WEIGHTS_DIR", str(folder))
        parameters = shared_dir / "weights" / "niqe_modelparameters.mat"
        monkeypatch.setattr(torch.hub, "download_url_to_file", lambda url, path, **_: shutil.copy(parameters, path))
        brisque, niqe = create_metric("brisque"), create_metric("niqe")
        for metric, name, path in (
            (brisque, "brisque_live_svm.pt", folder / "brisque_live_svm.pt"),
            (niqe, "niqe_modelparameters.mat", no_network / "hub" / "pyiqa" / "niqe_modelparameters.mat"),
        ):
            sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
            assert metric.weights_sha256 == sha256 and metric.files == {name: sha256}
        assert [path.name for path in folder.iterdir()] == ["brisque_live_svm.pt"]

    def test_pyiqa_is_left_as_it_was(self, no_network, monkeypatch):
        """Also the architectures that are imported while a network is being built, and keep a copy of a name."""
        from pyiqa.utils import download_util

        from attacks.metrics.pyiqa_files import WeightsSource

        late, usual = types.ModuleType("pyiqa.late"), download_util.DEFAULT_CACHE_DIR
        functions = torch.load, torch.nn.Module.load_state_dict, download_util.download_url_to_file
        (row,) = [info for info in list_metrics() if info.name == "liqe"]
        with WeightsSource(row, None).serving():
            late.DEFAULT_CACHE_DIR = download_util.DEFAULT_CACHE_DIR
            assert usual != late.DEFAULT_CACHE_DIR
            monkeypatch.setitem(sys.modules, late.__name__, late)
        assert late.DEFAULT_CACHE_DIR == download_util.DEFAULT_CACHE_DIR == usual
        assert functions == (torch.load, torch.nn.Module.load_state_dict, download_util.download_url_to_file)

    def test_every_file_is_known_by_its_hash(self, tmp_path):
        """ARNIQA's encoder is among torchvision's downloads, its regressor among pyiqa's."""
        (row,) = [info for info in list_metrics() if info.name == "arniqa"]
        with untrained_metric(row, tmp_path) as metric:
            hashes = {name: hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() for name in metric.files}
            assert metric.files == hashes and len(hashes) == 2
            assert metric.weights_sha256 == hashes["regressor_koniq10k.pth"]

    def test_clip_has_to_be_the_published_one(self, no_network, monkeypatch):
        monkeypatch.setenv("METRIC_WEIGHTS_DIR", str(no_network))
        (no_network / "RN50.pt").write_bytes(b"half of it")
        with pytest.raises(MetricUnavailable, match=r"RN50\.pt is not OpenAI's file: .* instead of afeb0e10"):
            create_metric("clipiqa")

    def test_too_small_frames(self, no_network, shared_dir):
        metric = create_metric("niqe", weights=shared_dir / "weights" / "niqe_modelparameters.mat")
        with pytest.raises(InvalidFrames, match="40x32"):
            metric.score(torch.rand(1, 3, 32, 40))


@needs_pyiqa
@pytest.mark.slow
class TestNames:
    def test_misspelt(self):
        with pytest.raises(UnknownName, match="musiq-ava"):
            create_metric("pyiqa:musiq-av")

    def test_full_reference(self):
        with pytest.raises(UnknownName, match="reference"):
            create_metric("pyiqa:lpips")

    def test_language_models_are_refused_in_one_sentence(self):
        if importlib.util.find_spec("transformers"):
            pytest.skip("transformers is installed here")
        with pytest.raises(MetricUnavailable, match="needs the package transformers"):
            create_metric("pyiqa:qalign")
