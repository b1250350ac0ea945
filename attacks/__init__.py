"""Turn frames and a no-reference metric into adversarial frames of a given strength.

    from attacks import create_attack, list_attacks
    from attacks.metrics import create_metric

    prepared = create_attack("ioi").prepare(frames, create_metric("demo"))
    adversarial = prepared.at(0.1)

Frames are (N, 3, H, W) float32 RGB in [0, 1]; the caller owns the device. Importing
this package loads no PyTorch; the names that need it are loaded when first used.
"""

import importlib

from attacks.options import Option, OptionValue, value_text
from attacks.registry import create_attack, list_attacks
from attacks.table import AttackInfo, StrengthRange
from attacks.trained_header import find_trained_file
from attacks.training_settings import TrainingSettings, training_defaults

_LAZY = {
    "Attack": "attacks.base",
    "CleanGradient": "attacks.gradients",
    "Cost": "attacks.base",
    "Prepared": "attacks.base",
    "TrainingProgress": "attacks.attack_training",
    "clean_gradient": "attacks.gradients",
    "gaussian_filter": "attacks.ssim",
    "is_out_of_memory": "attacks.memory",
    "local_moments": "attacks.ssim",
    "measure_costs": "attacks.cost_table",
    "relative_gain": "attacks.gain",
    "structural_similarity": "attacks.ssim",
    "synthetic_scene": "attacks.cost_table",
    "to_uint8": "attacks.frames",
    "train_attack": "attacks.attack_training",
}

__all__ = [
    "Attack",
    "AttackInfo",
    "CleanGradient",
    "Cost",
    "Option",
    "OptionValue",
    "Prepared",
    "StrengthRange",
    "TrainingProgress",
    "TrainingSettings",
    "clean_gradient",
    "create_attack",
    "find_trained_file",
    "gaussian_filter",
    "is_out_of_memory",
    "list_attacks",
    "local_moments",
    "measure_costs",
    "relative_gain",
    "structural_similarity",
    "synthetic_scene",
    "to_uint8",
    "train_attack",
    "training_defaults",
    "value_text",
]


def __getattr__(name):
    if name in _LAZY:
        return getattr(importlib.import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'attacks' has no attribute {name!r}")
