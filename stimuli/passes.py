"""Passes over a whole clip that need no attack: encode it, and measure what was delivered."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from stimuli.clip import Clip
from stimuli.colour import Planes, display_frames
from stimuli.delivery import DeliveryProfile
from stimuli.metering import MeteredMetric
from stimuli.progress import Progress
from stimuli.quality import Quality, QualityMeter

__all__ = ["Delivered", "encode_plain", "measure_delivered"]


@dataclass(frozen=True)
class Delivered:
    """A delivered file: its scores (N,) in the metric's units, and its quality against the source."""

    scores: list[float]
    quality: Quality


def encode_plain(
    clip: Clip,
    path: Path,
    profile: DeliveryProfile,
    progress: Progress,
    metric: MeteredMetric | None,
    change: Callable[[Planes], Planes] | None = None,
) -> list[float]:
    """Encode the clip's own planes, or `change(planes)`; returns the clean scores (empty without a metric)."""
    scores: list[float] = []

    def planes() -> Iterator[Planes]:
        for _, chunk in progress.frames(clip.chunks(), clip.frames, f"{clip.path.stem}: encode"):
            if metric is not None:
                scores.extend(metric.values(display_frames(chunk, clip.colour)))
            yield chunk if change is None else change(chunk)

    clip.write(path, planes(), profile)
    return scores


def measure_delivered(clip: Clip, path: Path, metric: MeteredMetric, progress: Progress) -> Delivered:
    """Decode a delivered file and hold it against its source."""
    meter, scores = QualityMeter(clip.colour), []
    pairs = zip(clip.chunks(), clip.delivered(path), strict=True)
    for (_, source), delivered in progress.frames(pairs, clip.frames, f"{clip.path.stem}: measure"):
        frames = display_frames(delivered, clip.colour)
        scores += metric.values(frames)
        meter.add(display_frames(source, clip.colour), frames)
    return Delivered(scores, meter.result())
