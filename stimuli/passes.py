"""Passes over a whole clip that need no attack: score it, encode it, and measure what was delivered."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from stimuli.clip import Clip
from stimuli.colour import Planes, display_frames
from stimuli.delivery import DeliveryProfile
from stimuli.metering import MeteredMetric
from stimuli.progress import Progress
from stimuli.quality import Quality, QualityMeter

__all__ = ["Delivered", "encode_plain", "measure_delivered", "score_clean"]


@dataclass(frozen=True)
class Delivered:
    """A delivered file: its scores (N,) in the metric's units, and its quality against the source."""

    scores: list[float]
    quality: Quality


def score_clean(clip: Clip, metric: MeteredMetric, progress: Progress) -> list[float]:
    """Scores of the clip's frames before any codec, in the metric's units."""
    clip, scores = clip.in_windows(metric.window), []
    for _, planes in progress.frames(clip.chunks(), clip.frames, f"{clip.path.stem}: clean scores"):
        scores += metric.values(display_frames(planes, clip.colour))
    return scores


def encode_plain(
    clip: Clip,
    path: Path,
    profile: DeliveryProfile,
    progress: Progress,
    change: Callable[[Planes], Planes] | None = None,
) -> None:
    """Encode the clip's own planes, or `change(planes)`."""

    def planes() -> Iterator[Planes]:
        for _, chunk in progress.frames(clip.chunks(), clip.frames, f"{clip.path.stem}: encode"):
            yield chunk if change is None else change(chunk)

    clip.write(path, planes(), profile)


def measure_delivered(clip: Clip, path: Path, metric: MeteredMetric, progress: Progress) -> Delivered:
    """Decode a delivered file and hold it against its source."""
    meter, scores = QualityMeter(clip.colour), []
    clip = clip.in_windows(metric.window)
    pairs = zip(clip.chunks(), clip.delivered(path), strict=True)
    for (_, source), delivered in progress.frames(pairs, clip.frames, f"{clip.path.stem}: measure"):
        frames = display_frames(delivered, clip.colour)
        scores += metric.values(frames)
        meter.add(display_frames(source, clip.colour), frames)
    return Delivered(scores, meter.result())
