"""What every target metric is."""

from abc import ABC, abstractmethod

import torch

from attacks.errors import InvalidOption

__all__ = ["TargetMetric"]


class TargetMetric(ABC):
    """A no-reference quality metric that an attack can differentiate.

    name: what manifests and tables call it. lower_better: whether a lower score means a
    better picture. score_range: (low, high), usual scores on clean pictures, low < high.
    weights_sha256: of the weights' file, or None where there is none.
    """

    def __init__(
        self, name: str, *, lower_better: bool, score_range: tuple[float, float], weights_sha256: str | None = None
    ):
        try:
            low, high = (float(end) for end in score_range)
        except (TypeError, ValueError):
            low = high = float("nan")
        if not low < high < float("inf") or low == -float("inf"):
            raise InvalidOption(
                f"score_range of {name!r} must be two numbers, the lower one first, got {score_range!r}."
            )
        self.name = name
        self.lower_better = bool(lower_better)
        self.score_range = (low, high)
        self.weights_sha256 = weights_sha256

    @property
    @abstractmethod
    def device(self) -> torch.device:
        """Where the metric computes, and where frames must be."""

    @abstractmethod
    def score(self, frames: torch.Tensor) -> torch.Tensor:
        """(N,) float32 scores of (N, 3, H, W) float32 RGB in [0, 1], differentiable in the frames.

        A frame's score does not depend on the other frames of the batch.
        """
