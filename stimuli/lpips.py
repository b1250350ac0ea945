"""LPIPS of delivered files against their source, where this machine has its weights."""

from pathlib import Path

import torch

from attacks.metrics import full_reference_distance, missing_for_distance
from stimuli.clip import Clip
from stimuli.colour import display_frames
from stimuli.manifest import LpipsRecord
from stimuli.progress import Progress

__all__ = ["Lpips"]

_DISTANCE = "lpips-alex"


class Lpips:
    """LPIPS with AlexNet (Zhang et al., CVPR 2018), as the IOI paper reports it; its weights are never downloaded.
    `record` says what measures it, or what is missing.

    Raises MetricUnavailable where a weights file is there and cannot be read.
    """

    def __init__(self, device: torch.device) -> None:
        missing = missing_for_distance(_DISTANCE)
        self._distance = None if missing else full_reference_distance(_DISTANCE, device)
        self.record = LpipsRecord({} if missing else self._distance.files, missing)

    def measure(self, clip: Clip, path: Path, progress: Progress) -> float:
        """Mean over the frames of a delivered file of `clip`."""
        total = 0.0
        pairs = zip(clip.chunks(), clip.delivered(path), strict=True)
        for (_, source), delivered in progress.frames(pairs, clip.frames, f"{clip.path.stem}: LPIPS"):
            with torch.no_grad():
                distances = self._distance(display_frames(delivered, clip.colour), display_frames(source, clip.colour))
            total += float(distances.sum())
        return total / clip.frames
