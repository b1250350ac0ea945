"""Networks of torchvision and timm without their ImageNet weights: what published metrics are built on."""

import torch

from attacks.metrics.torchvision_shim import import_torchvision

__all__ = ["timm_network", "torchvision_network"]


def torchvision_network(name: str) -> torch.nn.Module:
    """torchvision's network `name`, untrained; the caller's random numbers are left as they are."""
    torchvision = import_torchvision()
    with torch.random.fork_rng():
        return getattr(torchvision.models, name)(weights=None)


def timm_network(name: str) -> torch.nn.Module:
    """timm's network `name`, untrained; the caller's random numbers are left as they are."""
    import_torchvision()
    import timm

    with torch.random.fork_rng():
        return timm.create_model(name, pretrained=False)
