"""Closed loops on tiny clips, with everything a set would give them."""

from stimuli.clip import Clip
from stimuli.closed_loop import ClosedLoop
from stimuli.delivery import get_profile
from stimuli.gain import GainRule
from stimuli.metering import MeteredMetric
from stimuli.passes import encode_plain, measure_delivered, score_clean
from stimuli.progress import Progress
from stimuli.video import probe

__all__ = ["loop_on"]


def loop_on(
    path, metric, work, *, target=0.1, tolerance=0.02, chunk=None, match="clip", rounding="dither", max_frames=None
):
    """(loop, metered metric, scores of the delivered reference) for one source file."""
    metered, progress, profile = MeteredMetric(metric), Progress(1, show=False), get_profile("h264")
    clip = Clip.open(path, probe(path), max_frames=max_frames, chunk=chunk, device=metered.device)
    work.mkdir(parents=True, exist_ok=True)
    reference = work / "reference.mp4"
    encode_plain(clip, reference, profile, progress)
    delivered = measure_delivered(clip, reference, metered, progress).scores
    loop = ClosedLoop(
        clip,
        metered,
        rule=GainRule(metric.lower_better, metric.score_range, "relative"),
        target=target,
        tolerance=tolerance,
        profile=profile,
        rounding=rounding,
        seed=0,
        clean_scores=score_clean(clip, metered, progress),
        reference=reference,
        reference_scores=delivered,
        work=work,
        progress=progress,
        match=match,
    )
    return loop, metered, delivered
