"""Import torchvision where a CUDA-built torchvision meets a CPU-built torch.

PyPI's torchvision for Linux is built for CUDA. Next to a CPU torch its compiled library
does not load, and its Python part then stops at "operator torchvision::nms does not
exist". Declaring that operator first lets the rest of it work: models, transforms and
everything else that is plain PyTorch (pytorch/vision issues 9077 and 9085).
"""

import functools
import importlib
import sys

import torch

__all__ = ["has_compiled_operators", "import_torchvision"]


@functools.cache
def _declare_operators() -> torch.library.Library:
    # A declaration lives as long as its Library object, hence the cache.
    library = torch.library.Library("torchvision", "FRAGMENT")
    for name in ("nms", "qnms"):
        library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    return library


def import_torchvision():
    """The torchvision module; does nothing special where it imports as it is."""
    try:
        return importlib.import_module("torchvision")
    except RuntimeError as error:
        if "operator torchvision::" not in str(error):
            raise
    for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
        del sys.modules[name]
    _declare_operators()
    return importlib.import_module("torchvision")


def has_compiled_operators() -> bool:
    """Whether torchvision's compiled operators (RoI pooling, for one) can be used."""
    import_torchvision()
    return importlib.import_module("torchvision.extension")._has_ops()
