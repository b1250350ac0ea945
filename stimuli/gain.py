"""The gain of a source's stimuli: one formula for a whole set, and its slope at strength 0."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from attacks import relative_gain
from stimuli.metering import MeteredMetric

__all__ = ["GainRule", "common_form"]


@dataclass(frozen=True)
class GainRule:
    """How gains of one set are computed from per-frame scores, in the metric's own units."""

    lower_better: bool
    score_range: tuple[float, float]
    form: str

    def mean(self, clean: Sequence[float], adversarial: Sequence[float]) -> float:
        """Mean over frames of the gain of `adversarial` over `clean` (a ratio)."""
        return relative_gain(
            clean, adversarial, lower_better=self.lower_better, score_range=self.score_range, form=self.form
        ).mean

    def slope(self, clean: Sequence[float], quality_slope: Sequence[float]) -> float:
        """d(mean gain)/d(strength) at 0 from d(quality)/d(strength) of each frame.

        Gains are linear in the adversarial score, so this is the gain of scores moved by the slope.
        """
        towards = -1 if self.lower_better else 1
        return self.mean(clean, np.asarray(clean) + towards * np.asarray(quality_slope))


def common_form(metric: MeteredMetric, references: Sequence[Sequence[float]]) -> str:
    """ "relative" where the scores of every delivered reference allow it, else "scaled" for the whole set."""
    forms = {
        relative_gain(scores, scores, lower_better=metric.lower_better, score_range=metric.score_range).form
        for scores in references
    }
    return "relative" if forms == {"relative"} else "scaled"
