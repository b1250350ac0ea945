"""Full-reference distances of pyiqa that an attack may hold a picture with."""

from collections.abc import Callable

import torch

from attacks.metrics.table import MetricInfo, WeightsFile

__all__ = ["Distance", "full_reference_distance"]

Distance = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]

_VGG = WeightsFile("vgg16-397923af.pth", folder="checkpoints")


def _row(name: str, title: str, citation: str, file: str) -> MetricInfo:
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
        backbones=(_VGG,),
    )


_DISTANCES = {
    "lpips": _row("lpips-vgg", "LPIPS (VGG-16)", "Zhang et al., CVPR 2018", "LPIPS_v0.1_vgg-a78928a0.pth"),
    "dists": _row("dists", "DISTS", "Ding et al., TPAMI 2020", "DISTS_weights-f5e65c96.pth"),
}


def full_reference_distance(name: str, device: torch.device) -> Distance:
    """The distance `name`, "lpips" or "dists": two batches (N, 3, H, W) in [0, 1] -> (N,), 0 for equal pictures.

    Differentiable. Raises MetricUnavailable, naming the package or the weights file that is missing.
    """
    from attacks.metrics.pyiqa_adapter import build_network

    info = _DISTANCES[name]
    network, _ = build_network(info, info.name, device)
    network.eval().requires_grad_(False)
    return lambda frames, reference: network(frames, reference).flatten()
