"""Turn frames and a no-reference metric into adversarial frames of a given strength.

    from attacks import create_attack, list_attacks
    from attacks.metrics import create_metric

    prepared = create_attack("ioi").prepare(frames, create_metric("demo"))
    adversarial = prepared.at(0.1)

Frames are (N, 3, H, W) float32 RGB in [0, 1]; the caller owns the device. Importing
this package loads no PyTorch; the names that need it are loaded when first used.
"""

import importlib

from attacks.registry import AttackInfo, Option, StrengthRange, create_attack, list_attacks

_LAZY = {
    "Attack": "attacks.base",
    "CleanGradient": "attacks.gradients",
    "Cost": "attacks.base",
    "GainResult": "attacks.gain",
    "Prepared": "attacks.base",
    "clean_gradient": "attacks.gradients",
    "relative_gain": "attacks.gain",
    "to_uint8": "attacks.quantize",
}

__all__ = [
    "Attack",
    "AttackInfo",
    "CleanGradient",
    "Cost",
    "GainResult",
    "Option",
    "Prepared",
    "StrengthRange",
    "clean_gradient",
    "create_attack",
    "list_attacks",
    "relative_gain",
    "to_uint8",
]


def __getattr__(name):
    if name in _LAZY:
        return getattr(importlib.import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'attacks' has no attribute {name!r}")
