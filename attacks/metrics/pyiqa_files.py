"""Where pyiqa's networks get their weights from while one of them is being built.

pyiqa takes a file from its cache folder or downloads it into there. For the time of one
construction both go through `WeightsSource`, so that a local file can stand for the
download, a failed download becomes one sentence, and the file used is known by its hash.
"""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

from attacks.errors import MetricUnavailable
from attacks.metrics.registry import sha256_of
from attacks.metrics.table import MetricInfo, WeightsFile

__all__ = ["WeightsSource", "without_imagenet"]

_BACKBONES = ("resnet18", "resnet34", "resnet50", "vgg16")


class WeightsSource:
    """Answers pyiqa's requests for files: `weights` for the metric's own file, else its cache, else the network."""

    def __init__(self, info: MetricInfo, weights: Path | None):
        self.sha256: str | None = None
        self._info = info
        self._weights = weights

    @contextlib.contextmanager
    def serving(self) -> Iterator[None]:
        """While inside, pyiqa finds an empty cache and asks this object for each file."""
        from pyiqa.utils import download_util

        self._download = download_util.download_url_to_file
        with (
            tempfile.TemporaryDirectory() as empty,
            mock.patch.object(download_util, "DEFAULT_CACHE_DIR", empty),
            mock.patch.object(download_util, "download_url_to_file", self._fetch),
        ):
            yield

    def _fetch(self, url: str, destination: str, **options) -> None:
        destination = Path(destination)
        file = WeightsFile(destination.name)
        # The file of a metric without a row is the first one that its network asks for.
        is_own = self.sha256 is None if self._info.weights is None else file == self._info.weights
        path = self._weights if is_own and self._weights else file.path
        if not path.exists():
            self._download_to(path, url, options)
        if is_own:
            self.sha256 = sha256_of(path)
        destination.symlink_to(path.resolve())

    def _download_to(self, path: Path, url: str, options: dict) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._download(url, str(path), **options)
        except OSError as error:
            raise MetricUnavailable(
                f"metric {self._info.name!r} needs the weights file {path.name}, which is not in {path.parent} "
                f"and could not be downloaded ({getattr(error, 'reason', error)}); put it there, "
                "or, for a target metric, name a copy with --weights FILE."
            ) from error


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
