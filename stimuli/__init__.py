"""Matched-strength stimulus sets: source clips and an attack in, media and manifest.json out.

    from stimuli import AttackSpec, StimulusRequest, generate_stimulus_set, read_manifest

Reading a manifest loads neither PyTorch nor a codec; making a set loads them when it starts.
"""

import importlib

from stimuli.benchmark_request import BenchmarkRequest
from stimuli.manifest import Manifest, read_manifest
from stimuli.request import AttackSpec, StimulusRequest, collect_sources, collect_videos, parse_attacks

_LAZY = {
    "GenerationResult": "stimuli.generate",
    "generate_stimulus_set": "stimuli.generate",
    "options_with_file": "stimuli.conditions",
    "run_benchmark": "stimuli.benchmark_run",
    "VideoScores": "stimuli.score_run",
    "score_videos": "stimuli.score_run",
    "write_demo_pictures": "stimuli.demo_sources",
    "write_demo_sources": "stimuli.demo_sources",
}

__all__ = [
    "AttackSpec",
    "BenchmarkRequest",
    "GenerationResult",
    "Manifest",
    "StimulusRequest",
    "VideoScores",
    "collect_sources",
    "collect_videos",
    "generate_stimulus_set",
    "options_with_file",
    "parse_attacks",
    "read_manifest",
    "run_benchmark",
    "score_videos",
    "write_demo_pictures",
    "write_demo_sources",
]


def __getattr__(name):
    if name in _LAZY:
        return getattr(importlib.import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'stimuli' has no attribute {name!r}")
