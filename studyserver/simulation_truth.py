"""What model participants see: the true quality of each condition, from the figures that came with the set."""

import math
import random
from dataclasses import dataclass
from fractions import Fraction

from studyserver.models import Condition, Stimulus, Study

__all__ = ["Sight", "sights", "true_scores"]

SPREAD = 1.0  # standard deviation in logits of the conditions' true scores, from measured quality
TASTE = 0.25  # standard deviation in logits of what quality figures do not explain
OBVIOUS = 7.0  # logits below zero at which a verification stimulus looks


def true_scores(study: Study, seed: int) -> dict[str, float]:
    """Return each condition's true Bradley-Terry score in logits, sum zero.

    Worse measured quality (SSIM, else PSNR, of the delivered file against its source) means a lower score; a
    seeded random part stands for what those figures miss.
    """
    quality: dict[str, list[float]] = {}
    stimuli = Stimulus.objects.filter(source__study=study).exclude(condition__kind=Condition.Kind.VERIFICATION)
    for stimulus in stimuli.select_related("condition").order_by("id"):
        quality.setdefault(stimulus.condition.label, []).append(_visible_quality(stimulus.quality))
    means = {label: sum(values) / len(values) for label, values in sorted(quality.items())}
    centre = sum(means.values()) / len(means)
    deviation = math.sqrt(sum((value - centre) ** 2 for value in means.values()) / len(means)) or 1.0
    rng = random.Random(f"truth {seed}")
    scores = {label: SPREAD * (value - centre) / deviation + rng.gauss(0, TASTE) for label, value in means.items()}
    shift = sum(scores.values()) / len(scores)
    return {label: score - shift for label, score in scores.items()}


@dataclass(frozen=True)
class Sight:
    """What a person sees of a pair: by how many logits the first looks better than the second; size and length."""

    difference: float
    width: int
    height: int
    frames: int
    fps: float

    def left_lead(self, mirrored: bool) -> float:
        """Return by how many logits the left side of a showing looks better than its right."""
        return -self.difference if mirrored else self.difference


def sights(study: Study, truth: dict[str, float]) -> dict[int, Sight]:
    """Return what there is to see, by key of the pair."""
    pairs = study.pairs.select_related("first__condition", "second__condition")
    return {
        pair.pk: Sight(
            difference=_score(pair.first.condition, truth) - _score(pair.second.condition, truth),
            width=pair.first.width,
            height=pair.first.height,
            frames=pair.first.frames,
            fps=float(Fraction(pair.first.fps)),
        )
        for pair in pairs
    }


def _score(condition: Condition, truth: dict[str, float]) -> float:
    return -OBVIOUS if condition.kind == Condition.Kind.VERIFICATION else truth[condition.label]


def _visible_quality(quality: dict) -> float:
    """Return a figure of quality on a scale where equal steps look alike: SSIM in decibels, else PSNR."""
    ssim, psnr = quality.get("ssim"), quality.get("psnr")
    if ssim is not None:
        return -10 * math.log10(max(1 - ssim, 1e-6))
    return min(psnr, 60.0) if psnr is not None else 0.0
