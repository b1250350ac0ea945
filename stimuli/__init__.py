"""Matched-strength stimulus sets: source clips and an attack in, media and manifest.json out.

    from stimuli import AttackSpec, StimulusRequest, generate_stimulus_set, read_manifest

Reading a manifest loads neither PyTorch nor a codec; making a set loads them when it starts.
"""

import importlib

from stimuli.manifest import Manifest, read_manifest
from stimuli.request import AttackSpec, StimulusRequest, collect_sources, parse_attacks

_LAZY = {
    "GenerationResult": "stimuli.generate",
    "generate_stimulus_set": "stimuli.generate",
    "options_with_file": "stimuli.conditions",
    "write_demo_pictures": "stimuli.demo_sources",
    "write_demo_sources": "stimuli.demo_sources",
}

__all__ = [
    "AttackSpec",
    "GenerationResult",
    "Manifest",
    "StimulusRequest",
    "collect_sources",
    "generate_stimulus_set",
    "options_with_file",
    "parse_attacks",
    "read_manifest",
    "write_demo_pictures",
    "write_demo_sources",
]


def __getattr__(name):
    if name in _LAZY:
        return getattr(importlib.import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'stimuli' has no attribute {name!r}")
