"""Matched-strength stimulus sets: source clips and an attack in, media and manifest.json out; scores of videos; jobs
of the robustness benchmark.

    from stimuli import AttackSpec, StimulusRequest, generate_stimulus_set, read_manifest

Reading a manifest loads neither PyTorch nor a codec; reading a delivered file loads a codec; making a set loads both
when it starts.
"""

import importlib

from stimuli.benchmark_request import BenchmarkRequest
from stimuli.manifest import Manifest, read_manifest
from stimuli.request import AttackSpec, StimulusRequest, collect_sources, collect_videos, parse_attacks

_LAZY = {
    "BenchmarkResult": "stimuli.benchmark_run",
    "Cell": "stimuli.benchmark_cells",
    "CellResult": "stimuli.benchmark_cells",
    "DeliveredFile": "stimuli.delivered_file",
    "DeliveredPicture": "stimuli.delivered_file",
    "GenerationResult": "stimuli.generate",
    "MetricCache": "stimuli.benchmark_metrics",
    "delivered_pictures": "stimuli.delivered_file",
    "generate_stimulus_set": "stimuli.generate",
    "inspect_delivered": "stimuli.delivered_file",
    "options_with_file": "stimuli.conditions",
    "run_benchmark": "stimuli.benchmark_run",
    "run_cell": "stimuli.benchmark_jobs",
    "VideoScores": "stimuli.score_run",
    "score_videos": "stimuli.score_run",
    "write_demo_pictures": "stimuli.demo_sources",
    "write_demo_sources": "stimuli.demo_sources",
}

__all__ = [
    "AttackSpec",
    "BenchmarkRequest",
    "BenchmarkResult",
    "Cell",
    "CellResult",
    "DeliveredFile",
    "DeliveredPicture",
    "GenerationResult",
    "Manifest",
    "MetricCache",
    "StimulusRequest",
    "VideoScores",
    "collect_sources",
    "collect_videos",
    "delivered_pictures",
    "generate_stimulus_set",
    "inspect_delivered",
    "options_with_file",
    "parse_attacks",
    "read_manifest",
    "run_benchmark",
    "run_cell",
    "score_videos",
    "write_demo_pictures",
    "write_demo_sources",
]


def __getattr__(name):
    if name in _LAZY:
        return getattr(importlib.import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'stimuli' has no attribute {name!r}")
