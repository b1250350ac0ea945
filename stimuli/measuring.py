"""All that is reported of the file that is delivered."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stimuli.attacked_clip import AttackedClip
from stimuli.attempts import Attempt
from stimuli.colour import display_frames, luma
from stimuli.passes import Delivered
from stimuli.progress import Progress
from stimuli.quality import QualityMeter, projection

__all__ = ["Measured", "measure_attempt"]


@dataclass(frozen=True)
class Measured:
    """frame_scores: of the 8-bit 4:2:0 frames before the codec. delivered: scores and quality of the decoded file.
    retention, retention_luma: share of the intended perturbation in it (RGB, luma); None where nothing was meant.
    """

    frame_scores: list[float]
    delivered: Delivered
    retention: float | None
    retention_luma: float | None


def measure_attempt(attacked: AttackedClip, attempt: Attempt, reference: Path, progress: Progress) -> Measured:
    """Read source, delivered reference, attack and file side by side."""
    clip, colour, metric = attacked.clip, attacked.clip.colour, attacked.metric
    meter, frame_scores, scores, sums = QualityMeter(colour), [], [], np.zeros(4)
    streams = zip(
        clip.chunks(),
        clip.delivered(reference),
        attempt.spool.chunks(clip.chunk, clip.device),
        clip.delivered(attempt.path),
        strict=True,
    )
    for (first, source), clean, changed, delivered in progress.frames(
        streams, clip.frames, f"{clip.path.stem}: measure"
    ):
        frames = display_frames(delivered, colour)
        meter.add(display_frames(source, colour), frames)
        frame_scores += metric.values(display_frames(changed, colour))
        if attempt.scores is None:
            scores += metric.values(frames)
        for index in attempt.probed:
            if first <= index < first + len(source):
                here = slice(index - first, index - first + 1)
                change = frames[here] - display_frames(clean[here], colour)
                meant = attempt.intended.read(index, clip.device)
                sums += [*projection(change, meant), *projection(luma(change, colour), luma(meant, colour))]
    return Measured(
        frame_scores,
        Delivered(attempt.scores or scores, meter.result()),
        retention=float(sums[0] / sums[1]) if sums[1] else None,
        retention_luma=float(sums[2] / sums[3]) if sums[3] else None,
    )
