"""What every target metric is."""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping

import torch

from attacks.errors import InvalidFrames, InvalidOption
from attacks.frames import check_frames
from attacks.memory import within_memory

__all__ = ["ClipScorer", "TargetMetric"]


class TargetMetric(ABC):
    """A no-reference quality metric that an attack can differentiate.

    name: what manifests and tables call it. lower_better: whether a lower score means a
    better picture. score_range: (low, high), usual scores on clean pictures, low < high.
    weights_sha256: of the weights' file, or None where there is none. files: the sha256 of every file that was
    loaded, by name. window: how many consecutive frames of a clip are scored together; 1 for a metric of single
    pictures.
    fitting: the largest batches that memory held, where a larger one did not fit (see attacks.memory).
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
        self.fitting: dict[tuple, int] = {}

    @property
    @abstractmethod
    def device(self) -> torch.device:
        """Where the metric computes, and where frames must be."""

    @abstractmethod
    def score(self, frames: torch.Tensor) -> torch.Tensor:
        """(N,) float32 scores of (N, 3, H, W) float32 RGB in [0, 1], differentiable in the frames.

        The values of the frames are not looked at; `values`, clip scorers and attacks refuse those outside [0, 1].
        The batch is cut into windows of `window` consecutive frames, from its first frame on;
        the last may be shorter. Each frame gets the score of its window, which depends on no
        frame outside it. Chunks of a clip must therefore begin where a window begins.
        """

    def values(self, frames: torch.Tensor) -> list[float]:
        """The N scores as numbers, without a gradient; in smaller batches where memory runs out.

        Raises InvalidFrames also for values outside [0, 1], and OutOfMemory where a single window does not fit.
        """
        check_frames(frames)
        with torch.no_grad():
            scores = within_memory(self.score, frames, self, "score")
        return [value for part in scores for value in part.tolist()]

    def check_length(self, frames: int, what: str) -> None:
        """Raise InvalidFrames where a clip of so many `frames` fills no window; `what` names it in the message."""
        if frames < self.window:
            raise InvalidFrames(
                f"{what} comes to {frames} frame{'s' * (frames != 1)}, fewer than the window of {self.window} that "
                f"metric {self.name!r} scores together; take a longer one, or --window {max(frames, 1)}."
            )

    def clip_scorer(self) -> "ClipScorer":
        """A new scorer of one whole clip."""
        return ClipScorer(self)


class ClipScorer:
    """Scores one clip of any length: `add` its chunks in order, each once, then ask for the `result`.

    This one's result is the mean of the frames' scores. Clip metrics have their own, with another `_add` and `result`:
    it keeps the features of all frames and pools them over the whole clip.
    """

    def __init__(self, metric: TargetMetric):
        self._metric = metric
        self._scores: list[float] = []

    def add(self, frames: torch.Tensor) -> list[float]:
        """The N scores of these frames, as TargetMetric.values gives them.

        A chunk of (N, 3, H, W) frames begins where a window begins; where memory runs out it is added in parts.
        """
        check_frames(frames)
        with torch.no_grad():
            parts = within_memory(self._add, frames, self._metric, "score")
        return [value for part in parts for value in part]

    def result(self) -> float:
        """The score of all frames added, one or more."""
        return math.fsum(self._scores) / len(self._scores)

    def _add(self, frames: torch.Tensor) -> list[float]:
        """Scores of these frames; where it raises, nothing of them has been added."""
        scores = self._metric.score(frames).tolist()
        self._scores += scores
        return scores
