"""Relative gain: how much an attack raised a metric, the number that strengths are matched on."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from attacks.errors import InvalidScores

__all__ = ["GainResult", "relative_gain"]

_FORMS = ("relative", "scaled")

# A clean score nearer to zero than this share of the metric's range makes the plain ratio explode.
_LEAST_SHARE = 0.05


@dataclass(frozen=True)
class GainResult:
    """Gain of each frame (N,) float64, their mean, and the formula used: "relative" or "scaled"."""

    per_frame: np.ndarray
    mean: float
    form: str


def relative_gain(
    clean_scores: ArrayLike,
    adversarial_scores: ArrayLike,
    *,
    lower_better: bool,
    score_range: tuple[float, float],
    form: str | None = None,
) -> GainResult:
    """Gain of `adversarial_scores` over `clean_scores`, both (N,), in the metric's own units.

    With q the score, or q = high - score where lower is better, and `score_range` = (low, high):

    - form "relative": (q_adv - q_clean) / q_clean;
    - form "scaled": (a - c) / (c + 1), a and c being q scaled so that the range becomes [0, 1]
      (Antsiferova et al., AAAI 2024).

    "relative" is used when every clean q lies above 5 % of the range, "scaled" otherwise;
    `form` overrides the choice, so that all gains of one set are of one kind.
    Raises InvalidScores for scores of different lengths, NaN, an empty range or an unknown form.
    """
    clean = _as_scores(clean_scores, "clean")
    adversarial = _as_scores(adversarial_scores, "adversarial")
    if clean.shape != adversarial.shape:
        raise InvalidScores(
            f"there are {clean.size} clean and {adversarial.size} adversarial scores; they must be pairs."
        )
    low, high = (float(end) for end in score_range)
    if not (np.isfinite([low, high]).all() and low < high):
        raise InvalidScores(f"score_range must be two numbers, the lower one first, got {score_range!r}.")
    if form not in (None, *_FORMS):
        raise InvalidScores(f"form must be one of {', '.join(_FORMS)}, got {form!r}.")
    if lower_better:
        clean, adversarial, low, high = high - clean, high - adversarial, 0.0, high - low
    if form is None:
        form = "relative" if (clean > _LEAST_SHARE * (high - low)).all() else "scaled"
    if form == "relative":
        if (clean == 0).any():
            raise InvalidScores('a clean score is 0, so the relative gain is undefined; use form="scaled".')
        per_frame = (adversarial - clean) / clean
    else:
        scaled = (clean - low) / (high - low)
        if (scaled <= -1).any():
            raise InvalidScores(
                "a clean score lies more than one range below score_range; give the metric's true range."
            )
        per_frame = (adversarial - clean) / (high - low) / (scaled + 1)
    return GainResult(per_frame=per_frame, mean=float(per_frame.mean()), form=form)


def _as_scores(values: ArrayLike, which: str) -> np.ndarray:
    scores = np.asarray(values, dtype=np.float64)
    if scores.ndim != 1 or scores.size == 0:
        raise InvalidScores(f"the {which} scores must be one number per frame, got the shape {scores.shape}.")
    if not np.isfinite(scores).all():
        raise InvalidScores(f"the {which} score of frame {int(np.argmin(np.isfinite(scores)))} is NaN or infinite.")
    return scores
