"""RankIQA, FPR, WSP-IQA and Meta-IQA: the authors' files fit, and scores are those of the authors' own programs."""

import importlib
import itertools
import math
import pickle
import types
import warnings
import zlib

import pytest
import torch

from attacks.errors import InvalidFrames, MetricUnavailable
from attacks.metrics.checkpoints import load_state, read_state
from attacks.metrics.published_table import PUBLISHED_METRICS

ROWS = {info.name: info for info in PUBLISHED_METRICS}
CPU = torch.device("cpu")
PERIOD = 1009


def module(name):
    return importlib.import_module(ROWS[name].factory.partition(":")[0])


def affine(name, *shape):
    return {f"{name}.weight": shape, f"{name}.bias": shape[:1]}


def rankiqa_file(suffix=""):
    """Caffe's names; some of the published files end those of the last layers in _m."""
    sizes = {}
    filters = {1: (3, 64, 64), 2: (64, 128, 128), 3: (128, 256, 256, 256), 4: (256, 512, 512, 512)}
    filters[5] = (512, 512, 512, 512)
    for block, counts in filters.items():
        for number in range(1, len(counts)):
            sizes |= affine(f"conv{block}_{number}", counts[number], counts[number - 1], 3, 3)
    for layer, shape in {"fc6": (4096, 25088), "fc7": (4096, 4096), "fc8": (1, 4096)}.items():
        sizes |= affine(layer + suffix, *shape)
    return sizes


def fpr_file():
    """The no-reference branch (s...), and what only training uses."""
    sizes = {"gn.weight": (256,), "gn.bias": (256,)}
    double = {"fl1": (3, 64), "fl2": (64, 128), "fl3": (128, 256)}
    double |= {"sfl1": (3, 128), "sfl21": (128, 256), "sfl22": (256, 256), "sfl23": (256, 256), "sfl3": (256, 512)}
    for layer, (inputs, outputs) in double.items():
        sizes |= affine(f"{layer}.conv1.conv.0", outputs, inputs, 3, 3)
        sizes |= affine(f"{layer}.conv2.conv.0", outputs, outputs, 3, 3)
    for branch in ("", "s"):
        sizes |= affine(f"{branch}cl1.conv.conv.0", 128, 512, 3, 3) | affine(f"{branch}cl2", 64, 128, 3, 3)
        sizes |= affine(f"{branch}rl1", 32, 256) | affine(f"{branch}rl2", 1, 32) | affine(f"{branch}wl2", 1, 32)
        for name, inputs in {"ih": 256, "hh": 32}.items():
            sizes |= {f"{branch}wl1.weight_{name}_l0": (96, inputs), f"{branch}wl1.bias_{name}_l0": (96,)}
    channels = (256, 512, 512, 512, 256)
    for block in range(3):
        for part in "FGH":
            for number in range(1, 5):
                layer = f"InvRescaleNet.operations.{block}.{part}.conv{number}"
                sizes |= affine(layer, channels[number], channels[number - 1], 1, 1)
    return sizes


def torchvision_file(name):
    from attacks.metrics.backbones import torchvision_network

    with torch.device("meta"):
        return {key: tuple(tensor.shape) for key, tensor in torchvision_network(name).state_dict().items()}


def batch_norm(name, channels):
    sizes = {f"{name}.{part}": (channels,) for part in ("weight", "bias", "running_mean", "running_var")}
    return sizes | {f"{name}.num_batches_tracked": ()}


def wsp_file():
    places = {"conv1": 0, "bn1": 1, "layer1": 4, "layer2": 5, "layer3": 6}
    sizes = {}
    for key, shape in torchvision_file("resnet101").items():
        part, _, rest = key.partition(".")
        if part != "fc":
            sizes["resnet101.0." + rest if part == "layer4" else f"resnet101_freeze.{places[part]}.{rest}"] = shape
    return sizes | affine("wsp.conv", 2048, 2048, 1, 1) | batch_norm("wsp.bn", 2048) | affine("fc", 5, 2048)


def meta_iqa_file():
    sizes = {f"resnet_layer.{key}": shape for key, shape in torchvision_file("resnet18").items()}
    for number, (inputs, outputs) in enumerate([(1000, 1024), (1024, 512)], start=1):
        sizes |= affine(f"net.fc{number}", outputs, inputs) | batch_norm(f"net.bn{number}", outputs)
        sizes[f"net.relu{number}.weight"] = (1,)
    return sizes | affine("net.fc3", 1, 512)


FILES = {"rankiqa": rankiqa_file, "fpr": fpr_file, "wsp": wsp_file, "meta-iqa": meta_iqa_file}
NEEDS_TORCHVISION = ("wsp", "meta-iqa")


def parameters(sizes):
    """Tensors of these names and shapes by formula: weights of He's variance, everything else near 0 or 1."""
    return {name: _tensor(name, shape) for name, shape in sizes.items()}


def _tensor(name, shape):
    if not shape:
        return torch.tensor(0)
    offset = zlib.crc32(name.encode()) / 2**32
    noise = [math.modf(43758.5453 * math.sin(12.9898 * (step + 1) + offset))[0] for step in range(PERIOD)]
    values = torch.tensor(noise, dtype=torch.float64).float().repeat(math.ceil(math.prod(shape) / PERIOD))
    values = values[: math.prod(shape)].view(shape)
    if len(shape) > 1:
        return values * math.sqrt(6 / math.prod(shape[1:]))
    if name.endswith("running_var"):
        return 1 + 0.5 * values
    # 1 for the factors of batch normalisation, and so that no weight of FPR's squares is cut off at 0.
    return 0.1 * values + (1 if ("bn" in name and name.endswith("weight")) or name.endswith("wl2.bias") else 0)


def picture(height, width):
    """(1, 3, height, width), whole 8-bit levels."""
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    return torch.stack([(7 * x + 13 * y + x * y // 16 + 50 * channel) % 256 for channel in range(3)])[None] / 255


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name in NEEDS_TORCHVISION else ()) for name in FILES]
)
def test_the_authors_tensors_fit_the_network(name):
    """Also that each is needed: without any of them, or with another shape, the file is refused by that name."""
    rename = getattr(module(name), "_layer", str)
    with torch.device("meta"):
        network = module(name).network()
        state = {key: torch.empty(shape) for key, shape in FILES[name]().items()}
    load_state(network, state, "file", what=name, rename=rename)
    used = next(key for key in reversed(state) if rename(key) in network.state_dict())
    for changed in ({used: torch.empty(7, device="meta")}, {"other.weight": state[used]}):
        with pytest.raises(MetricUnavailable, match=next(iter(changed))):
            load_state(network, state | changed, "file", what=name, rename=rename)
    with pytest.raises(MetricUnavailable, match="missing"):
        load_state(network, {key: state[key] for key in state if key != used}, "file", what=name, rename=rename)


def test_rankiqa_reads_both_spellings_of_the_last_layers():
    with torch.device("meta"):
        network = module("rankiqa").network()
        state = {key: torch.empty(shape) for key, shape in rankiqa_file("_m").items()}
    load_state(network, state, "file", what="RankIQA", rename=module("rankiqa")._layer)


def test_rankiqa_refuses_the_files_whose_scale_is_the_other_way_round(tmp_path):
    path = tmp_path / "FT_tid2013.caffemodel.pt"
    torch.save({"conv1_1.weight": torch.zeros(1)}, path)
    with pytest.raises(MetricUnavailable, match=r"higher is better.*give FT_live\.caffemodel\.pt"):
        module("rankiqa").build(ROWS["rankiqa"], CPU, path)


def test_another_networks_checkpoint_is_refused_naming_what_differs(tmp_path):
    path = tmp_path / "model_best_kadid_0.pkl"
    torch.save({"state_dict": {"features.0.weight": torch.zeros(64, 3, 3, 3)}}, path)
    with pytest.raises(
        MetricUnavailable, match=r"not a checkpoint of metric 'fpr': .*sfl1\.0\.weight.*features\.0\.weight"
    ):
        module("fpr").build(ROWS["fpr"], CPU, path)


@pytest.mark.parametrize(("name", "side"), [("rankiqa", 224), ("fpr", 64)])
def test_frames_smaller_than_a_square_are_refused(name, side):
    with torch.device("meta"):
        network = module(name).network()
        with pytest.raises(InvalidFrames, match=f"{side}x{side - 1}"):
            network(torch.empty(2, 3, side - 1, side))


def test_rankiqa_covers_the_frame_with_the_fewest_squares():
    for length in range(224, 1000):
        starts = module("rankiqa")._starts(length)
        assert starts[0] == 0 and starts[-1] == length - 224 and len(starts) == math.ceil(length / 224)
        assert all(0 < after - before <= 224 for before, after in itertools.pairwise(starts))


class _PickledAsBefore(pickle.Pickler):
    """Parameters as PyTorch before 1.0 pickled them: a call of their class."""

    def reducer_override(self, thing):
        if isinstance(thing, torch.nn.Parameter):
            return torch.nn.Parameter, (thing.data, thing.requires_grad)
        return NotImplemented


def test_whole_networks_pickled_by_pytorch_0_4_are_read(tmp_path):
    """As the authors of Meta-IQA published theirs."""
    network = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
    old = types.SimpleNamespace(
        Pickler=_PickledAsBefore,
        dump=lambda thing, file, protocol: _PickledAsBefore(file, protocol).dump(thing),
        __name__="pickle",
    )
    torch.save(network, tmp_path / "old.pt", pickle_module=old, _use_new_zipfile_serialization=False)
    with warnings.catch_warnings(action="error"):
        state = read_state(tmp_path / "old.pt")
    assert state.keys() == network.state_dict().keys()
    assert all(torch.equal(state[name], tensor) for name, tensor in network.state_dict().items())


# (height, width) of the picture, and the score that the authors' program prints for it and for the same tensors.
GOLDEN = {
    # github.com/YunanZhu/Pytorch-TestRankIQA, ef1da40; for the four squares of 224 that cover the picture.
    "rankiqa": ((230, 300), 0.8367787599563599),
    # github.com/Baoliang93/FPR, fd8b41c; without shuffling.
    "fpr": ((140, 200), 0.3406388461589813),
    # github.com/yichengsu/ICIP2020-WSP-IQA, 7567973.
    "wsp": ((97, 131), -1268.690185546875),
    # github.com/zhuhancheng/MetaIQA, 30eeeb1; with scikit-image's resize(anti_aliasing=False).
    "meta-iqa": ((250, 310), 0.29424697160720825),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in FILES if name != "rankiqa"])
def test_scores_are_those_of_the_authors_programs(name, tmp_path):
    size, expected = GOLDEN[name]
    path = tmp_path / ROWS[name].weights.name
    state = parameters(FILES[name]())
    torch.save(state if name == "meta-iqa" else {"epoch": 1, "state_dict": state}, path)
    metric = module(name).build(ROWS[name], CPU, path)
    assert metric.score(picture(*size)).item() == pytest.approx(expected, rel=1e-4)
    assert len(metric.weights_sha256) == 64 and metric.lower_better == (name == "fpr")


@pytest.mark.slow
def test_scores_of_rankiqa_are_those_of_the_published_program():
    """Without a file, which would take half a gigabyte."""
    network = module("rankiqa").network()
    load_state(network, parameters(rankiqa_file()), "file", what="RankIQA", rename=module("rankiqa")._layer)
    size, expected = GOLDEN["rankiqa"]
    with torch.no_grad():
        assert network(picture(*size)).item() == pytest.approx(expected, rel=1e-4)
