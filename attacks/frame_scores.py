"""The scores of one frame's pictures: all that a black-box attack sees of a metric."""

import itertools
from collections.abc import Iterable

import torch

from attacks.metrics.base import TargetMetric

__all__ = ["FrameScores"]

# Least way, as a share of the score range: a clean score at its better end would leave no way to go.
_LEAST_WAY = 0.1


class FrameScores:
    """Asks `metric` about pictures (3, H, W), `batch` at a time, and counts what it asked.

    Scores come as shares of the way from the clean score of `frame`, 0, to the better end of the
    metric's score range, 1; the way is at least a tenth of that range. Higher is better always.
    """

    def __init__(self, frame: torch.Tensor, metric: TargetMetric, batch: int):
        self._metric, self._batch = metric, batch
        self.asked = 0
        (self._clean,) = self._quality([frame])
        low, high = metric.score_range
        best = -low if metric.lower_better else high
        self._way = max(best - self._clean, _LEAST_WAY * (high - low))

    def until_above(self, pictures: Iterable[torch.Tensor], boundary: float) -> list[float]:
        """Shares of `pictures` in their order, up to the batch that has one above `boundary`."""
        source, shares = iter(pictures), []
        while ready := list(itertools.islice(source, self._batch)):
            shares += [(quality - self._clean) / self._way for quality in self._quality(ready)]
            if max(shares) > boundary:
                break
        return shares

    def _quality(self, pictures: list[torch.Tensor]) -> list[float]:
        scores = self._metric.values(torch.stack(pictures))
        self.asked += len(pictures)
        return [-score for score in scores] if self._metric.lower_better else scores
