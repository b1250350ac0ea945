"""What every target metric is."""

from abc import ABC, abstractmethod
from collections.abc import Mapping

import torch

from attacks.errors import InvalidOption

__all__ = ["TargetMetric"]


class TargetMetric(ABC):
    """A no-reference quality metric that an attack can differentiate.

    name: what manifests and tables call it. lower_better: whether a lower score means a
    better picture. score_range: (low, high), usual scores on clean pictures, low < high.
    weights_sha256: of the weights' file, or None where there is none. files: the sha256 of every file that was
    loaded, by name. window: how many
    consecutive frames of a clip are scored together; 1 for a metric of single pictures.
    """

    def __init__(
        self,
        name: str,
        *,
        lower_better: bool,
        score_range: tuple[float, float],
        weights_sha256: str | None = None,
        files: Mapping[str, str] | None = None,
        window: int = 1,
    ):
        try:
            low, high = (float(end) for end in score_range)
        except (TypeError, ValueError):
            low = high = float("nan")
        if not low < high < float("inf") or low == -float("inf"):
            raise InvalidOption(
                f"score_range of {name!r} must be two numbers, the lower one first, got {score_range!r}."
            )
        if isinstance(window, bool) or not isinstance(window, int) or window < 1:
            raise InvalidOption(f"window of {name!r} must be a whole number of frames, 1 or more, got {window!r}.")
        self.name = name
        self.lower_better = bool(lower_better)
        self.score_range = (low, high)
        self.weights_sha256 = weights_sha256
        self.files = dict(files or {})
        self.window = window

    @property
    @abstractmethod
    def device(self) -> torch.device:
        """Where the metric computes, and where frames must be."""

    @abstractmethod
    def score(self, frames: torch.Tensor) -> torch.Tensor:
        """(N,) float32 scores of (N, 3, H, W) float32 RGB in [0, 1], differentiable in the frames.

        The batch is cut into windows of `window` consecutive frames, from its first frame on;
        the last may be shorter. Each frame gets the score of its window, which depends on no
        frame outside it. Chunks of a clip must therefore begin where a window begins.
        """
