"""Scores of videos by any number of metrics, each file decoded once."""

import math
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import torch

from attacks import is_out_of_memory
from attacks.errors import AttackError, OutOfMemory
from attacks.metrics import TargetMetric
from stimuli.clip import fitting_chunk, in_whole_windows
from stimuli.colour import Planes, delivered_colour, display_frames, to_delivery
from stimuli.prefetch import ahead
from stimuli.video import Picture, read_unprobed

__all__ = ["ClipScores", "ScoredVideo", "frame_chunks", "score_video"]

# Chunks that are decoded before they are asked for.
_AHEAD = 2


@dataclass(frozen=True)
class ClipScores:
    """Of one video by one metric, in the metric's units: `clip` of the whole, `frames` of each frame (a metric of clips
    gives each frame the score of its window).
    """

    clip: float
    frames: tuple[float, ...]

    def summary(self) -> dict[str, float]:
        """Mean, standard deviation (divisor N), least and greatest of the frames."""
        return {
            "mean": math.fsum(self.frames) / len(self.frames),
            "sd": statistics.pstdev(self.frames),
            "min": min(self.frames),
            "max": max(self.frames),
        }


@dataclass(frozen=True)
class ScoredVideo:
    """scores: by the metric's name. failed: why there are none, for every other metric. seconds: of decoding and
    scoring.
    """

    scores: dict[str, ClipScores]
    failed: dict[str, str]
    seconds: float


def score_video(
    path: Path,
    metrics: Sequence[TargetMetric],
    *,
    chunk: int | None = None,
    max_frames: int | None = None,
    watch: Callable[[int], object] = lambda frames: None,
) -> ScoredVideo:
    """Score a file by `metrics`, which have different names and are on one device; see `frame_chunks` for the frames.

    A metric that fails on this video keeps no other from its scores. `watch` is told of frames that are done.

    Raises: InvalidSource; OutOfMemory where not even the frames of a chunk fit.
    """
    start = time.perf_counter()
    scorers = {metric: metric.clip_scorer() for metric in metrics}
    scores: dict[str, list[float]] = {metric.name: [] for metric in metrics}
    failed: dict[str, str] = {}
    window = math.lcm(*(metric.window for metric in metrics))
    device = metrics[0].device
    count = 0
    try:
        with closing(frame_chunks(path, device=device, chunk=chunk, window=window, max_frames=max_frames)) as chunks:
            for frames in chunks:
                count += len(frames)
                for metric in [metric for metric in metrics if metric.name not in failed]:
                    try:
                        scores[metric.name] += scorers[metric].add(frames)
                    except AttackError as error:
                        failed[metric.name] = str(error)
                if len(failed) == len(metrics):
                    break
                watch(len(frames))
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        raise OutOfMemory(
            f"The frames of {path} do not fit into the memory of {device}; take a smaller --chunk."
        ) from None
    results = {}
    for metric in metrics:
        if metric.name in failed:
            continue
        try:
            metric.check_length(count, str(path))
            results[metric.name] = ClipScores(scorers[metric].result(), tuple(scores[metric.name]))
        except AttackError as error:
            failed[metric.name] = str(error)
    return ScoredVideo(results, failed, time.perf_counter() - start)


def frame_chunks(
    path: Path, *, device: torch.device, chunk: int | None = None, window: int = 1, max_frames: int | None = None
) -> Iterator[torch.Tensor]:
    """The frames of a file on `device`, (N, 3, H, W) float32 RGB, whole 8-bit levels / 255, decoded ahead in a thread.

    They are what a screen shows of the delivered form of the file: of an 8-bit 4:2:0 limited-range file (all delivered
    ones are) its own planes, and to the bit what the measurements of a stimulus set see; files of other formats are
    brought to that form first, without a codec, and an odd last column or row is left out. N is `chunk` (None: by the
    picture's size) raised to a whole number of windows of `window` frames; the last chunk may be shorter.

    Raises: InvalidSource where the file is no video, or damaged or truncated, when that is met.
    """

    def size(width: int, height: int) -> int:
        return in_whole_windows(chunk or fitting_chunk(width, height), window)

    made = _made(read_unprobed(path, chunk=size, limit=max_frames), device)
    with closing(ahead(made, _AHEAD)) as ready:
        for frames, event in ready:
            if event is not None:
                here = torch.cuda.current_stream(device)
                here.wait_event(event)
                frames.record_stream(here)
            yield frames


def _made(
    chunks: Iterator[tuple[Picture, Planes]], device: torch.device
) -> Iterator[tuple[torch.Tensor, torch.cuda.Event | None]]:
    """Frames on the device; on CUDA in a stream of their own, beside the metric's, with what to wait for."""
    stream = torch.cuda.Stream(device) if device.type == "cuda" else None
    with closing(chunks):
        for picture, planes in chunks:
            with torch.cuda.stream(stream):
                if stream is not None:
                    pinned = (getattr(planes, name).pin_memory() for name in "yuv")
                    planes = Planes(*(plane.to(device, non_blocking=True) for plane in pinned))
                delivered = to_delivery(planes.to(device), picture.pixel_format, picture.colour)
                frames = display_frames(delivered, delivered_colour(picture.colour))
            yield frames, None if stream is None else stream.record_event()
