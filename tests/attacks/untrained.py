"""Metrics of the table with random weights, for machines without the real ones; built by the rows' own factories."""

import contextlib
import importlib
import os
import sys
from collections.abc import Iterator
from unittest import mock

import torch

from attacks.metrics import MetricInfo, TargetMetric, create_metric
from attacks.metrics.torchvision_shim import import_torchvision

__all__ = ["untrained_metric"]


# Networks that make every frame large, or cut it into many pieces, do so less here: constants of the module, ...
_SMALLER = {
    "linearity": {"_HEIGHT": 96, "_WIDTH": 128},
    "koncept512": {"_HEIGHT": 139, "_WIDTH": 140, "_POOLED": 3},
    "spaq": {"_SIDE": 64, "_STRIDE": 32},
    "rankiqa": {"_SIDE": 64},
}


def _small_nima(network):
    network.base_model.default_cfg = {**network.base_model.default_cfg, "input_size": (3, 96, 96)}


# ... and what pyiqa's networks keep.
_FEWER = {
    "hyperiqa": lambda network: setattr(network, "num_crop", 1),
    "musiq": lambda network: network.data_preprocess_opts.update(longer_side_lengths=[64, 96]),
    "nima": _small_nima,
    "nima-vgg16-ava": _small_nima,
    "topiq_iaa_res50": lambda network: setattr(network, "test_img_size", 96),
}
# Whose scores hardly depend on the frames before their normalisation layers have seen any.
_SEES_FRAMES_FIRST = ("nima-mobilenet", "nima")


@contextlib.contextmanager
def untrained_metric(info: MetricInfo, folder, **options) -> Iterator[TargetMetric]:
    """The metric of the row; `folder` is an empty one, for files that its factory must find."""
    environment = {"METRIC_WEIGHTS_DIR": str(folder), "TORCH_HOME": str(folder)}
    with contextlib.ExitStack() as patches:
        patches.enter_context(mock.patch.dict(os.environ, environment))
        with torch.random.fork_rng():
            torch.manual_seed(0)
            if "pyiqa" in info.packages:
                _pyiqa(info, folder, patches)
            else:
                _published(info, folder, patches)
            metric = create_metric(info.name, **options)
        if info.name in _FEWER:
            _FEWER[info.name](metric._module.network)
        if info.name in _SEES_FRAMES_FIRST:
            _see_frames(metric)
        yield metric


def _see_frames(metric):
    norms = [layer for layer in metric._module.modules() if isinstance(layer, torch.nn.BatchNorm2d)]
    for layer in norms:
        layer.train()
        layer.momentum = None
    with torch.no_grad():
        metric._module(torch.rand(4, 3, 64, 80, generator=torch.Generator().manual_seed(0)))
    for layer in norms:
        layer.eval()


def _published(info, folder, patches):
    """Its files are there and hold nothing."""
    for file in info.files:
        (folder / file.name).touch()
    own = importlib.import_module(info.factory.partition(":")[0])
    for name, value in _SMALLER.get(info.name, {}).items():
        patches.enter_context(mock.patch.object(own, name, value))
    nothing = {"read_state": lambda *_: {}, "load_state": lambda *_, **__: None}
    for name, module in list(sys.modules.items()):
        for function in nothing.keys() & vars(module).keys() if name.startswith("attacks.metrics.") else ():
            patches.enter_context(mock.patch.object(module, function, nothing[function]))


def _pyiqa(info, folder, patches):
    """Networks load nothing; what their constructors read themselves is in a file of random numbers."""
    import_torchvision()
    from pyiqa.archs import _lazy_import_arch
    from pyiqa.default_model_configs import DEFAULT_CONFIGS

    _lazy_import_arch(DEFAULT_CONFIGS[info.name]["metric_opts"]["type"])
    for name, module in list(sys.modules.items()):
        if name.startswith("pyiqa.archs.") and hasattr(module, "load_pretrained_network"):
            patches.enter_context(mock.patch.object(module, "load_pretrained_network", lambda *_, **__: None))
        if name.startswith("pyiqa.archs.") and name.endswith("_arch") and hasattr(module, "load"):
            patches.enter_context(mock.patch.object(module, "load", _small_clip))
    for name, content in _FILES.get(info.name, dict)().items():
        _save(folder / name, content)


def _save(path, content):
    if isinstance(content, torch.jit.ScriptModule):
        torch.jit.save(content, path)
    else:
        torch.save(content, path)


def _small_clip(backbone, device):
    """CLIP's networks with a few layers: the text's width is an eighth."""
    from pyiqa.archs.clip_model import CLIP

    text = {"context_length": 77, "vocab_size": 49408, "transformer_width": 64}
    text |= {"transformer_heads": 1, "transformer_layers": 2}
    if backbone == "RN50":
        return CLIP(1024, 224, (1, 1, 1, 1), 64, None, **text).eval()
    return CLIP(512, 224, 2, 768, 32, **text).eval()


def _metaiqa():
    from pyiqa.archs.metaiqa_arch import MetaIQA

    return {"Metaiqa_livec.pth": MetaIQA(pretrained=False).state_dict()}


def _arniqa():
    resnet = import_torchvision().models.resnet50(weights=None)
    encoder = torch.nn.Sequential(*list(resnet.children())[:-1])
    state = {f"model.{name}": tensor for name, tensor in encoder.state_dict().items()}
    return {"ARNIQA.pth": state, "regressor_koniq10k.pth": torch.jit.script(torch.nn.Linear(4096, 1))}


def _qualiclip():
    state = {f"clip_model.{name}": tensor for name, tensor in _small_clip("RN50", "cpu").state_dict().items()}
    return {"QualiCLIP.pth": state | {"prompts_features": torch.nn.functional.normalize(torch.randn(14, 1024))}}


# Files that a constructor reads by itself: name and content.
_FILES = {
    "brisque": lambda: {"brisque_svm_weights.pth": (torch.randn(774), 2 * torch.rand(774, 36) - 1)},
    "metaiqa": _metaiqa,
    "clipiqa+": lambda: {"CLIP-IQA%2B_learned_prompts-603f3273.pth": torch.nn.Parameter(torch.randn(2, 16, 64))},
    "arniqa": _arniqa,
    "qualiclip": _qualiclip,
    "qualiclip+": _qualiclip,
}
