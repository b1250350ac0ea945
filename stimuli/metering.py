"""A target metric that counts its passes."""

import torch

from attacks.metrics import TargetMetric

__all__ = ["MeteredMetric"]


class MeteredMetric(TargetMetric):
    """The same metric; `forwards` and `backwards` count frames scored, and frames scored for a gradient."""

    def __init__(self, metric: TargetMetric) -> None:
        super().__init__(
            metric.name,
            lower_better=metric.lower_better,
            score_range=metric.score_range,
            weights_sha256=metric.weights_sha256,
            files=metric.files,
            window=metric.window,
        )
        self._metric = metric
        self.forwards = 0
        self.backwards = 0

    @property
    def device(self) -> torch.device:
        return self._metric.device

    def score(self, frames: torch.Tensor) -> torch.Tensor:
        scores = self._metric.score(frames)
        self.forwards += len(frames)
        self.backwards += len(frames) * frames.requires_grad
        return scores
