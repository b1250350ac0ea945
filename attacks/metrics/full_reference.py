"""Full-reference distances of pyiqa: what an attack may hold a picture with, and what measures a delivered file."""

import importlib.util
from functools import cached_property

import torch

from attacks.metrics.registry import sha256_of
from attacks.metrics.table import MetricInfo, WeightsFile

__all__ = ["Distance", "full_reference_distance", "missing_for_distance"]

_ALEXNET = WeightsFile("alexnet-owt-7be5be79.pth", folder="checkpoints")
_VGG = WeightsFile("vgg16-397923af.pth", folder="checkpoints")
_LPIPS = "Zhang et al., CVPR 2018"


def _row(name: str, title: str, citation: str, file: str, backbone: WeightsFile) -> MetricInfo:
    return MetricInfo(
        name=name,
        title=title,
        citation=citation,
        lower_better=True,
        score_range=(0.0, 1.0),
        licence="PolyForm Noncommercial (pyiqa); weights as their authors say",
        factory="attacks.metrics.full_reference:full_reference_distance",
        packages=("pyiqa", "torchvision"),
        weights=WeightsFile(file),
        backbones=(backbone,),
    )


# The names inside the rows are pyiqa's.
_DISTANCES = {
    "lpips": _row("lpips-vgg", "LPIPS (VGG-16)", _LPIPS, "LPIPS_v0.1_vgg-a78928a0.pth", _VGG),
    "lpips-alex": _row("lpips", "LPIPS (AlexNet)", _LPIPS, "LPIPS_v0.1_alex-df73285e.pth", _ALEXNET),
    "dists": _row("dists", "DISTS", "Ding et al., TPAMI 2020", "DISTS_weights-f5e65c96.pth", _VGG),
}


class Distance:
    """Two batches (N, 3, H, W) in [0, 1] -> (N,), 0 for equal pictures; differentiable."""

    def __init__(self, info: MetricInfo, network: torch.nn.Module):
        self._info, self._network = info, network

    def __call__(self, frames: torch.Tensor, reference: torch.Tensor) -> torch.Tensor:
        return self._network(frames, reference).flatten()

    @cached_property
    def files(self) -> dict[str, str]:
        """sha256 of each file that was loaded, by name."""
        return {file.path.name: sha256_of(file.path) for file in self._info.files}


def missing_for_distance(name: str) -> tuple[str, ...]:
    """The packages and weights files that the distance `name` needs and this machine lacks, by name; empty where it
    can be built without a download."""
    info = _DISTANCES[name]
    packages = [package for package in info.packages if importlib.util.find_spec(package) is None]
    return (*packages, *(file.name for file in info.files if not file.path.is_file()))


def full_reference_distance(name: str, device: torch.device) -> Distance:
    """The distance `name`: "lpips" (VGG-16), "lpips-alex" (frames of at least 31 pixels a side) or "dists" (16).

    Raises MetricUnavailable, naming the package or the weights file that is missing.
    """
    from attacks.metrics.pyiqa_adapter import build_network

    info = _DISTANCES[name]
    network, _ = build_network(info, info.name, device)
    return Distance(info, network.eval().requires_grad_(False))
