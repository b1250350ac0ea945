"""From the features of a clip's frames to its score: what VSFA and MDTVSFA share.

Li, Jiang, Jiang: Quality Assessment of In-the-Wild Videos. ACM Multimedia 2019, section 3.2.

Differs: the published programs, and so the published parameters, count the frame itself among the 12 of the past and
among the 12 to come, where the paper's sets are the 12 before it, and itself with the 12 after it.
"""

import torch
import torch.nn.functional as functional

from attacks.metrics.checkpoints import Rename
from attacks.metrics.recurrence import states_of

__all__ = ["TemporalHead", "pool_over_time", "rename_parts"]

# tau and the weight of the two sides of a frame, as published.
_TAU = 12
_BETA = 0.5


class TemporalHead(torch.nn.Module):
    """(clips, T, 4096) features of the frames, in the order of each clip -> (clips,) scores; T is 1 or more."""

    def __init__(self, features: int = 4096, reduced: int = 128, hidden: int = 32):
        super().__init__()
        self.reduction = torch.nn.Linear(features, reduced)
        self.recurrence = torch.nn.GRU(reduced, hidden, batch_first=True)
        self.quality = torch.nn.Linear(hidden, 1)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return pool_over_time(self.quality(states_of(self.recurrence, self.reduction(features))).squeeze(2))


def pool_over_time(quality: torch.Tensor) -> torch.Tensor:
    """(clips, T) scores of frames -> (clips,) means of what remains of each frame in memory.

    A frame's own score is mixed from the worst of the last 12, which is remembered, and the mean of the next 12
    weighted by the softmin of their scores, since a fall is noticed more than a rise. At the ends of the clip
    there are fewer.
    """
    # Beyond the ends nothing is the worst, and the weight is zero.
    nowhere = float("inf")
    past = functional.pad(quality, (_TAU - 1, 0), value=nowhere).unfold(1, _TAU, 1)
    coming = functional.pad(quality, (0, _TAU - 1)).unfold(1, _TAU, 1)
    weights = torch.softmax(-functional.pad(quality, (0, _TAU - 1), value=nowhere).unfold(1, _TAU, 1), dim=2)
    return (_BETA * (weights * coming).sum(2) + (1 - _BETA) * past.amin(2)).mean(1)


def rename_parts(parts: dict[str, str | None]) -> Rename:
    """For load_state: the part of a network that a tensor belongs to, by its published name; None is not read."""

    def rename(name: str) -> str | None:
        part, _, tensor = name.rpartition(".")
        ours = parts.get(part, part)
        return None if ours is None else f"{ours}.{tensor}"

    return rename
