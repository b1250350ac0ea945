"""Where pyiqa's networks get their weights from while one of them is being built.

pyiqa, CLIP and torchvision take a file from their cache folders or download it into there. For the time of one
construction all go through `WeightsSource`, so that a local file can stand for the download, a failed download
becomes one sentence, every file used is known by its hash, and nothing in a file is executed.
"""

import contextlib
import sys
import tempfile
import types
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import torch

from attacks.errors import MetricUnavailable
from attacks.metrics.checkpoints import differences, load_unexecuted
from attacks.metrics.registry import sha256_of
from attacks.metrics.table import MetricInfo, WeightsFile

__all__ = ["WeightsSource", "without_imagenet"]

_BACKBONES = ("resnet18", "resnet34", "resnet50", "vgg16")


class WeightsSource:
    """Answers requests for files: `weights` for the metric's own file, else where WeightsFile looks, else the network.

    files: sha256 of every file served so far, by name. sha256: of the metric's own. last: the file served last.
    """

    def __init__(self, info: MetricInfo, weights: Path | None):
        self.sha256: str | None = None
        self.files: dict[str, str] = {}
        self.last: Path | None = None
        self._info = info
        self._weights = weights

    @contextlib.contextmanager
    def serving(self) -> Iterator[None]:
        """While inside, pyiqa, CLIP and torchvision find empty caches and ask this object for each file."""
        from pyiqa.archs import clip_model
        from pyiqa.utils import download_util

        self._download = torch.hub.download_url_to_file
        with tempfile.TemporaryDirectory() as empty, contextlib.ExitStack() as patches:

            def replace(where, name, value):
                patches.enter_context(mock.patch.object(where, name, value))

            # First in, last out: after everything else is back in its place.
            patches.callback(_correct_cache, str(Path(empty) / "pyiqa"), download_util.DEFAULT_CACHE_DIR)
            replace(torch.hub, "_hub_dir", empty)
            replace(torch.hub, "download_url_to_file", self._fetch)
            replace(download_util, "download_url_to_file", self._fetch)
            replace(clip_model, "_download", self._fetch_clip)
            # Some architectures keep a copy of the name: LIQE stores there what it computes from the weights.
            for module in _modules_with_a_cache():
                replace(module, "DEFAULT_CACHE_DIR", str(Path(empty) / "pyiqa"))
            Path(empty, "pyiqa").mkdir()
            replace(torch, "load", load_unexecuted)
            replace(torch.nn.Module, "load_state_dict", _load_state_dict(torch.nn.Module.load_state_dict))
            yield

    def _fetch(self, url: str, destination: str, hash_prefix: str | None = None, progress: bool = True) -> None:
        destination = Path(destination)
        name, folder = destination.name, destination.parent.name
        file = next((file for file in self._info.files if file.name == name), WeightsFile(name, folder))
        # The file of a metric without a row is the first of pyiqa's own that its network asks for.
        own = file == self._info.weights or (self._info.weights is self.sha256 is None and folder == "pyiqa")
        given = self._weights if own else None
        path = given or file.path
        if not path.is_file():
            by_hand = ", or, for a target metric, name a copy with --weights FILE" if own else ""
            self._download_to(file, url, by_hand, hash_prefix=hash_prefix, progress=progress)
        sha256 = sha256_of(path)
        if folder == "clip" and not given and not sha256.startswith(hash_prefix):
            raise MetricUnavailable(
                f"{path} is not OpenAI's file: its sha256 begins with {sha256[:8]} instead of {hash_prefix[:8]}; "
                "delete it or get it again."
            )
        if own:
            self.sha256 = sha256
        self.files[path.name] = sha256
        self.last = path
        destination.symlink_to(path.resolve())

    def _fetch_clip(self, url: str, root: str) -> str:
        """CLIP's addresses hold the hash of the file in the last part but one."""
        destination = Path(root) / Path(url).name
        destination.parent.mkdir(parents=True, exist_ok=True)
        if not destination.exists():
            self._fetch(url, str(destination), hash_prefix=url.split("/")[-2])
        return str(destination)

    def _download_to(self, file: WeightsFile, url: str, by_hand: str, **options) -> None:
        file.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._download(url, str(file.path), **options)
        except OSError as error:
            raise MetricUnavailable(
                f"metric {self._info.name!r} needs the weights file {file.name}, which is not here and could not be "
                f"downloaded ({getattr(error, 'reason', error)}); put it there: {file.place}{by_hand}."
            ) from error


def _modules_with_a_cache() -> list[types.ModuleType]:
    modules = list(sys.modules.items())
    return [module for name, module in modules if name.startswith("pyiqa.") and "DEFAULT_CACHE_DIR" in vars(module)]


def _correct_cache(empty: str, usual: str) -> None:
    """Architectures that were imported meanwhile keep the `usual` folder and not the `empty` one, which is gone."""
    for module in _modules_with_a_cache():
        if vars(module)["DEFAULT_CACHE_DIR"] == empty:
            module.DEFAULT_CACHE_DIR = usual


def _load_state_dict(load):
    def checked(network, state_dict, strict=True, **options):
        if type(network).__module__.startswith(("pyiqa.", "torch.nn.")):
            expected = network.state_dict()
            # LPIPS's file holds a part of its network. MetaIQA would take any file, and keep its random numbers.
            part = not strict and 2 * sum(name in expected for name in state_dict) >= len(state_dict)
            if not part and (reason := differences(expected, state_dict)):
                raise RuntimeError(reason)
        return load(network, state_dict, strict=strict, **options)

    return checked


@contextlib.contextmanager
def without_imagenet() -> Iterator[None]:
    """While inside, back-bones are built without their ImageNet weights.

    For metrics whose own file holds every weight: downloading ImageNet's first would be in vain.
    """
    import timm
    import torchvision.models

    with contextlib.ExitStack() as stack:
        for name in _BACKBONES:
            stack.enter_context(mock.patch.object(torchvision.models, name, _untrained(name)))
        create = timm.create_model
        stack.enter_context(
            mock.patch.object(timm, "create_model", lambda *a, **k: create(*a, **{**k, "pretrained": False}))
        )
        yield


def _untrained(name: str):
    import torchvision.models

    build = getattr(torchvision.models, name)
    return lambda *args, **options: build(weights=None)
