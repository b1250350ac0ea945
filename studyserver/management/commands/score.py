"""`manage.py score`: what metrics say about videos."""

from pathlib import Path

from django.core.management.base import CommandError

from attacks.metrics import create_metric, list_metrics
from stimuli import VideoScores, collect_videos, score_videos
from studyserver.management.base import LabCommand, at_least

__all__ = ["Command"]

_NOTHING = "–"


class Command(LabCommand):
    help = (
        "Score videos by one metric or several, each file decoded once. The score of a video is the mean of those of "
        "its frames; metrics of clips pool over all frames in their own way. With --out, what was finished is kept and "
        "not scored again. Exit status 1 where something could not be scored; all else is scored nevertheless."
    )

    def add_arguments(self, parser):
        parser.add_argument("videos", nargs="+", type=Path, metavar="VIDEO", help="video file, or a folder of them")
        parser.add_argument("--metric", required=True, metavar="M[,M...]", help="commas between; see list_metrics")
        parser.add_argument("--weights", type=Path, metavar="FILE", help="local weights file, of a single --metric")
        parser.add_argument(
            "--window",
            type=at_least(1),
            metavar="N",
            help="of metrics of clips: frames that are scored together in the scores of frames (default: its own)",
        )
        parser.add_argument("--device", default="auto", help="cpu, cuda, or auto (default)")
        parser.add_argument(
            "--max-frames", type=at_least(1), metavar="N", help="score the first N frames of each video"
        )
        parser.add_argument(
            "--chunk", type=at_least(1), metavar="N", help="frames in memory at a time (default: by size)"
        )
        parser.add_argument("--out", type=Path, metavar="CSV", help="table of the scores of all frames")

    def run(self, *, videos, metric, weights, window, device, max_frames, chunk, out, **options):
        files = collect_videos(videos)
        metrics = _build([name.strip() for name in metric.split(",") if name.strip()], device, weights, window)
        self._results: list[VideoScores] = []
        try:
            for result in score_videos(
                files,
                metrics,
                chunk=chunk,
                max_frames=max_frames,
                out=out,
                show_progress=options["verbosity"] > 0,
            ):
                self._results.append(result)
        except KeyboardInterrupt:
            if out:
                raise
            raise CommandError("stopped; nothing is kept, since --out was not given", returncode=130) from None
        # An arrow to where quality is.
        names = (f"{metric.name} {'↓' if metric.lower_better else '↑'}" for metric in metrics)
        self.say_table(["video", "frames", *names], (_row(result, metrics) for result in self._results))
        if out:
            self.say(f"Scores of all frames: {out}")
        return {
            "metrics": [_describe(metric) for metric in metrics],
            "videos": [_document(result) for result in self._results],
        }

    def handle(self, *args, **options):
        super().handle(*args, **options)
        faults = [(result, name, reason) for result in self._results for name, reason in result.failed.items()]
        if faults:
            # A reason that names the file stands for all metrics.
            sentences = dict.fromkeys(
                reason if str(result.path) in reason else f"{result.path}, {name}: {reason}"
                for result, name, reason in faults
            )
            raise CommandError(f"Not scored: {' '.join(sentences)}")


def _build(names: list[str], device: str, weights: Path | None, window: int | None) -> list:
    if not names:
        raise CommandError("No metric is given; name one at least, for example --metric demo.")
    if weights and len(names) > 1:
        raise CommandError(
            "--weights is the file of one metric; give one --metric, or the files by METRIC_WEIGHTS_DIR."
        )
    of_clips = {info.name for info in list_metrics() if info.scope == "clip"} & set(names)
    return [
        create_metric(name, device, weights, window if name in of_clips or not of_clips else None) for name in names
    ]


def _describe(metric) -> dict:
    return {
        "name": metric.name,
        "lower_better": metric.lower_better,
        "score_range": list(metric.score_range),
        "window": metric.window,
        "weights_sha256": metric.weights_sha256,
        "files": metric.files,
        "device": str(metric.device),
    }


def _document(result: VideoScores) -> dict:
    return {
        "video": str(result.path),
        "sha256": result.sha256,
        "seconds": round(result.seconds, 3),
        "scores": {
            name: {"score": scores.clip, **scores.summary(), "frames": list(scores.frames)}
            for name, scores in result.scores.items()
        },
        "failed": result.failed,
    }


def _row(result: VideoScores, metrics: list) -> list[str]:
    """Of the table: the video, how many frames were scored, its score by each metric."""
    counts = {len(scores.frames) for scores in result.scores.values()}
    scores = (f"{result.scores[m.name].clip:.5g}" if m.name in result.scores else _NOTHING for m in metrics)
    return [str(result.path), str(max(counts, default=_NOTHING)), *scores]
