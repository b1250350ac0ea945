"""From a request to a finished stimulus set."""

from collections.abc import Callable
from dataclasses import dataclass

import torch

from attacks.metrics import TargetMetric, create_metric
from stimuli.clip import Clip
from stimuli.conditions import build_conditions, query_note
from stimuli.delivery import AUTO
from stimuli.gain import common_form
from stimuli.ladder import DEFAULT_FLOOR
from stimuli.lpips import Lpips
from stimuli.manifest import Manifest, read_manifest
from stimuli.metering import MeteredMetric
from stimuli.passes import score_clean
from stimuli.progress import Progress
from stimuli.records import SourceWork, describe_set
from stimuli.request import StimulusRequest, collect_sources
from stimuli.run import Run
from stimuli.source_group import SourceGroup
from stimuli.sources import SourceFile, open_sources
from stimuli.store import SetFolder, writing_errors

__all__ = ["GenerationResult", "generate_stimulus_set"]


@dataclass(frozen=True)
class GenerationResult:
    """The set's manifest, and how many results this run made and found finished."""

    manifest: Manifest
    made: int
    reused: int


def generate_stimulus_set(
    request: StimulusRequest,
    *,
    metric: TargetMetric | None = None,
    show_progress: bool = False,
    say: Callable[[str], None] = lambda text: None,
) -> GenerationResult:
    """Make, or complete, the set of `request` in its folder.

    `metric` is used instead of building `request.metric` (for one's own network). An attack that cannot reach the
    target is recorded in the manifest's `unreachable`, all else is still made. A killed run leaves finished stimuli,
    which the next run trusts and keeps. `say` is told beforehand what will take unusually long.

    Raises: StimuliError or AttackError, one sentence each.
    """
    request.check()
    paths = collect_sources(request.sources)
    metered = MeteredMetric(
        metric or create_metric(request.metric, _device(request.device), request.weights, request.window)
    )
    conditions = build_conditions(request, metered)
    lpips = Lpips(metered.device)
    floor = (request.retention_floor or DEFAULT_FLOOR) if request.delivery == AUTO else None
    identity = {
        "metric": metered.name,
        "gain": request.gain,
        "linf": request.linf,
        "match": request.match,
        "delivery": request.delivery,
        "retention floor": floor,
        "rounding": request.rounding,
        "seed": request.seed,
        "max_frames": request.max_frames,
        # None, since sets made before there was a window have none here.
        "window": metered.window if metered.window > 1 else None,
    }
    with writing_errors(request.out), SetFolder.open(request.out, identity) as folder:
        sources = open_sources(paths, folder)
        clips = [_clip(source, request, metered) for source in sources]
        with Progress(len(sources) * (2 + len(conditions)), show=show_progress) as progress:
            run = Run(request, metered, lpips, folder, progress)
            works = [_scored(source, clip, run) for source, clip in zip(sources, clips, strict=True)]
            note = query_note(conditions, sum(work.clip.frames for work in works))
            if note:
                say(note)
            # One formula for the whole set, so it waits for the scores of every source.
            form = common_form(metered, [work.clean_scores for work in works])
            for group in [works] if request.match == "dataset" else [[work] for work in works]:
                SourceGroup(group, conditions, run, form=form, floor=floor).make()
            _write(describe_set(request, metered, lpips.record, works, form=form, floor=floor), folder)
    return GenerationResult(read_manifest(request.out), run.made, run.reused)


def _clip(source: SourceFile, request: StimulusRequest, metric: TargetMetric) -> Clip:
    """Raises InvalidFrames where it is shorter than the metric's window."""
    clip = Clip.open(source.path, source.info, max_frames=request.max_frames, chunk=request.chunk, device=metric.device)
    metric.check_length(clip.frames, source.path.name)
    return clip


def _scored(source: SourceFile, clip: Clip, run: Run) -> SourceWork:
    key = run.key(source, clip, None, {"clean_scores_of": run.metric_inputs})
    scores = run.known(key, lambda: {"scores": score_clean(clip, run.metric, run.progress)})["scores"]
    return SourceWork(source, clip, scores)


def _write(manifest: Manifest, folder: SetFolder) -> None:
    """Unless the manifest that is there says the same."""
    document = manifest.to_document()
    earlier = folder.read_document()
    incidental = ("created_at", "command", "device")
    if earlier is None or any(earlier.get(key) != document[key] for key in document if key not in incidental):
        folder.finish(document)


def _device(name: str) -> str:
    if name != "auto":
        return name
    return "cuda" if torch.cuda.is_available() else "cpu"
