"""Scores of many videos: one after the other, with progress, and from a table where an earlier run left them."""

import contextlib
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from attacks.errors import AttackError
from attacks.metrics import TargetMetric
from stimuli.errors import InvalidRequest, InvalidSource, SetConflict
from stimuli.kept_scores import KeptScores, score_key
from stimuli.scoring import ClipScores, score_video
from stimuli.store import hash_of_file
from stimuli.video import announced_frames

__all__ = ["VideoScores", "score_videos"]


@dataclass(frozen=True)
class VideoScores:
    """scores: by the metric's name. failed: for each of the other metrics the sentence that says why. sha256: None
    where the file could not be read. seconds: of decoding and scoring, 0 where all was found finished.
    """

    path: Path
    sha256: str | None
    scores: dict[str, ClipScores]
    failed: dict[str, str]
    seconds: float


def score_videos(
    videos: Sequence[Path],
    metrics: Sequence[TargetMetric],
    *,
    chunk: int | None = None,
    max_frames: int | None = None,
    out: Path | None = None,
    show_progress: bool = False,
) -> Iterator[VideoScores]:
    """Score each of `videos` by all `metrics`, which are on one device; as `score_video` does.

    out: a CSV of all frames' scores, which is added to after each video; scores that it holds already are not computed
    again. What fails on one video, or of one metric, is in the result, and the rest goes on.

    Raises: InvalidRequest for a video or a metric that is given twice; StimuliError where `out` cannot be used.
    """
    _refuse_twice([path.resolve() for path in videos], "video")
    _refuse_twice([metric.name for metric in metrics], "metric")
    with contextlib.ExitStack() as stack:
        kept = stack.enter_context(KeptScores.open(out)) if out else None
        expected = [announced_frames(path) or 0 for path in videos]
        if max_frames:
            expected = [min(frames, max_frames) for frames in expected]
        bar = stack.enter_context(
            tqdm(total=sum(expected), unit="frame", file=sys.stderr, disable=not show_progress, dynamic_ncols=True)
        )
        for path, frames in zip(videos, expected, strict=True):
            bar.set_description(path.name, refresh=False)
            end = bar.n + frames
            yield _score(path, metrics, kept, bar.update, chunk=chunk, max_frames=max_frames)
            # What the head of a file says need not be so.
            bar.total, bar.n = bar.total - end + max(end, bar.n), max(end, bar.n)
            bar.refresh()


def _score(
    path: Path,
    metrics: Sequence[TargetMetric],
    kept: KeptScores | None,
    watch: Callable[[int], object],
    **options,
) -> VideoScores:
    sha256, found = None, {}
    try:
        sha256 = _sha256(path)
        keys = {metric.name: score_key(sha256, metric, options["max_frames"]) for metric in metrics}
        if kept:
            found = {name: scores for name, key in keys.items() if (scores := kept.get(path, name, key))}
        missing = [metric for metric in metrics if metric.name not in found]
        if not missing:
            return VideoScores(path, sha256, found, {}, 0.0)
        made = score_video(path, missing, watch=watch, **options)
    except (AttackError, InvalidSource, SetConflict) as error:
        return VideoScores(path, sha256, found, {m.name: str(error) for m in metrics if m.name not in found}, 0.0)
    if kept:
        for name, scores in made.scores.items():
            kept.add(path, name, keys[name], scores)
    return VideoScores(path, sha256, found | made.scores, made.failed, made.seconds)


def _sha256(path: Path) -> str:
    try:
        return hash_of_file(path)
    except OSError as error:
        raise InvalidSource(f"{path} cannot be read: {error.strerror or error}.") from error


def _refuse_twice(items: Sequence, what: str) -> None:
    for item in items:
        if items.count(item) > 1:
            raise InvalidRequest(f"The {what} {item} is given twice; give it once.")
