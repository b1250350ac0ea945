"""Does a metric's score follow the strength of distortions, on pictures that it has not seen?"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from scipy.stats import spearmanr
from torch import Tensor

from training.distortions import Distortion
from training.pictures import Picture

__all__ = ["SEVERITIES", "DistortionCheck", "SeverityCheck", "check_severity"]

SEVERITIES = (0.0, 1.0, 1.8, 2.6, 3.4, 4.2, 5.0)


@dataclass(frozen=True)
class DistortionCheck:
    """Spearman between severity and minus score for one distortion."""

    name: str
    within_pictures: float
    """Mean over the pictures: is more of it always worse?"""
    worst_picture: float
    over_pictures: float
    """All pictures pooled: does one score mean one severity?"""


@dataclass(frozen=True)
class SeverityCheck:
    """Per distortion, and over all distortions and pictures at once; scores (pictures, distortions, severities)."""

    distortions: tuple[DistortionCheck, ...]
    over_everything: float
    scores: np.ndarray


def check_severity(
    score: Callable[[Tensor], Tensor], pictures: list[Picture], distortions: dict[str, Distortion], *, seed: int
) -> SeverityCheck:
    """Score every picture under every distortion at SEVERITIES. `score`: (N, 3, H, W) in [0, 1] -> (N,)."""
    scores = np.empty((len(pictures), len(distortions), len(SEVERITIES)))
    for i, picture in enumerate(pictures):
        for j, distortion in enumerate(distortions.values()):
            rng = np.random.default_rng((seed, i, j))
            versions = [picture.pixels if s == 0 else distortion(picture.pixels, s, rng) for s in SEVERITIES]
            frames = torch.from_numpy(np.stack(versions)).permute(0, 3, 1, 2).contiguous().float() / 255
            with torch.no_grad():
                scores[i, j] = score(frames).numpy()
    return _summarise(scores, list(distortions))


def _summarise(scores: np.ndarray, names: list[str]) -> SeverityCheck:
    severity = np.broadcast_to(SEVERITIES, scores.shape)
    checks = []
    for j, name in enumerate(names):
        each = [_agreement(row[j], np.asarray(SEVERITIES)) for row in scores]
        pooled = _agreement(scores[:, j], severity[:, j])
        checks.append(DistortionCheck(name, float(np.mean(each)), min(each), pooled))
    return SeverityCheck(tuple(checks), _agreement(scores, severity), scores)


def _agreement(scores: np.ndarray, severity: np.ndarray) -> float:
    return float(spearmanr(-scores.ravel(), severity.ravel()).statistic)
