"""From a request to the finished table of scores: every job that is not done yet, one after the other."""

import datetime
import platform
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from tqdm import tqdm

from attacks.metrics import TargetMetric, create_metric
from stimuli.benchmark_cells import Cell
from stimuli.benchmark_datasets import FoundSource, find_sources
from stimuli.benchmark_jobs import run_cell
from stimuli.benchmark_metrics import MetricCache
from stimuli.benchmark_plan import COLUMNS, Plan
from stimuli.benchmark_request import BenchmarkRequest
from stimuli.benchmark_set import BenchmarkSet
from stimuli.benchmark_sources import BenchmarkSource, hash_of_files, look_into
from stimuli.benchmark_store import BenchmarkFolder
from stimuli.benchmark_targets import plan_targets
from stimuli.errors import InvalidRequest, InvalidSource
from stimuli.store import fingerprint, writing_errors
from stimuli.video import av_versions

__all__ = ["BenchmarkFailure", "BenchmarkResult", "run_benchmark"]


@dataclass(frozen=True)
class BenchmarkFailure:
    """A source that cannot be read, or a job that could not be done, whole or in part; one sentence why."""

    what: str
    reason: str


@dataclass(frozen=True)
class BenchmarkResult:
    """scores: the table; rows: how many it has. made, reused: jobs done by this run and found done."""

    scores: Path
    rows: int
    made: int
    reused: int
    failures: tuple[BenchmarkFailure, ...]


def run_benchmark(
    request: BenchmarkRequest,
    *,
    build: Callable[..., TargetMetric] = create_metric,
    show_progress: bool = False,
    say: Callable[[str], None] = lambda text: None,
) -> BenchmarkResult:
    """Do, or complete, the benchmark of `request` in its folder and write its table.

    A finished job is kept, so a killed run continues and one with more metrics, attacks or sources does only these. A
    failed job is done again by the next run; all others are done nevertheless. build: as create_metric. `say` is told
    beforehand how much there is to do.

    Raises: StimuliError or AttackError, one sentence each, for what makes the whole request impossible.
    """
    request.check()
    found, folders = find_sources(request.sources)
    sets = [BenchmarkSet.read(folder, request.attacks) for folder in folders]
    _check_use(request, bool(found))
    if not found:
        _say_what_no_set_holds(request, sets, say)
    metrics = MetricCache(request.device, build)
    targets = plan_targets(request, metrics, clips=bool(found), sets=() if request.transfer else sets)
    with writing_errors(request.out), BenchmarkFolder.open(request.out) as folder:
        sources = _Sources(request, folder, show_progress)
        clips = sources.open(found)
        sources.open(_files_of(sets, request))
        plan = Plan(request, targets, clips, sets, sources.opened.get)
        if not plan.comparisons:
            raise InvalidSource(" ".join(failure.reason for failure in sources.failures))
        jobs = _Jobs(folder, metrics)
        jobs.do(plan, show_progress=show_progress, say=say)
        failures = (*sources.failures, *jobs.failures)
        rows = folder.write_table(COLUMNS, plan.rows(folder.result))
        folder.write_document(_describe(request, plan, failures))
    return BenchmarkResult(request.out / "scores.csv", rows, jobs.made, jobs.reused, failures)


def _check_use(request: BenchmarkRequest, clips: bool) -> None:
    """What the request says must be of use with these sources."""
    if clips and not request.attacks:
        raise InvalidRequest("No attack is given; name at least one, for example --attacks fgsm,ioi.")
    if clips and request.transfer and len(request.metrics) == 1:
        raise InvalidRequest("A transfer matrix needs two metrics at least; name more in --metrics.")
    if not clips and request.settings is not None:
        raise InvalidRequest("A stimulus set has its own strengths; leave --strengths out.")
    if not clips and request.transfer and request.rounded:
        raise InvalidRequest("A stimulus set's files have 8 bits already; leave --round out.")


def _say_what_no_set_holds(request: BenchmarkRequest, sets: Sequence[BenchmarkSet], say: Callable[[str], None]) -> None:
    stimuli = [stimulus for each in sets for stimulus in each.stimuli]
    held = {stimulus.label for stimulus in stimuli} | {stimulus.record.attack.name for stimulus in stimuli}
    missing = [spec.condition for spec in request.attacks if spec.condition not in held]
    if missing:
        say(f"No set holds {', '.join(missing)}.")


def _files_of(sets: Sequence[BenchmarkSet], request: BenchmarkRequest) -> list[FoundSource]:
    """The sources that the sets' files are: references, and with --transfer the delivered stimuli, each once."""
    stimuli = [stimulus for each in sets for stimulus in each.stimuli]
    files = [stimulus.reference for stimulus in stimuli]
    files += [stimulus.delivered for stimulus in stimuli] if request.transfer else []
    return list(dict.fromkeys(files))


class _Sources:
    """Opens sources; `opened` has those that can be read, `failures` the others."""

    def __init__(self, request: BenchmarkRequest, folder: BenchmarkFolder, show_progress: bool) -> None:
        self._request, self._folder, self._show = request, folder, show_progress
        self.opened: dict[FoundSource, BenchmarkSource] = {}
        self.failures: list[BenchmarkFailure] = []

    def open(self, found: Sequence[FoundSource]) -> list[BenchmarkSource]:
        """In order, those that can be read."""
        show = self._show and bool(found)
        for source in tqdm(found, desc="sources", unit="source", file=sys.stderr, disable=not show, leave=False):
            try:
                self.opened[source] = self._open(source)
            except InvalidSource as error:
                self.failures.append(BenchmarkFailure(f"the source {source.label}", str(error)))
        return [self.opened[source] for source in found if source in self.opened]

    def _open(self, found: FoundSource) -> BenchmarkSource:
        files = tuple(path.resolve() for path in found.files)
        limit = self._request.max_frames
        files = files if len(files) == 1 else files[:limit]
        sha256 = hash_of_files(files)
        key = fingerprint({"files": sha256, "limit": limit, **av_versions()})
        seen = self._folder.known(key, lambda: look_into(files, limit))
        return BenchmarkSource(
            found.dataset,
            found.name,
            tuple(map(str, files)),
            sha256,
            seen["frames"],
            tuple(map(tuple, seen["sizes"])),
        )


class _Jobs:
    """Does what is not done; `made`, `reused` and `failures` tell what became of it."""

    def __init__(self, folder: BenchmarkFolder, metrics: MetricCache) -> None:
        self._folder, self._metrics = folder, metrics
        self.made = self.reused = 0
        self.failures: list[BenchmarkFailure] = []

    def do(self, plan: Plan, *, show_progress: bool, say: Callable[[str], None]) -> None:
        """Scores of frames as they are first: they tell which metrics can score a source at all."""
        clear = plan.clear_cells
        attacks = [comparison.attacked for comparison in plan.comparisons if comparison.attacked]
        pending = [cell for cell in (*clear, *attacks) if not self._complete(cell)]
        say(_announcement(clear, attacks, pending))
        with tqdm(
            total=round(sum(cell.work for cell in pending)),
            desc="benchmark",
            file=sys.stderr,
            disable=not show_progress,
            dynamic_ncols=True,
            bar_format="{desc}: {percentage:3.0f}%|{bar}| [{elapsed}<{remaining}]{postfix}",
        ) as bar:
            self._do(clear, bar)
            possible = plan.attack_cells(self._folder.result)
            bar.total = bar.n + round(sum(cell.work for cell in possible if not self._complete(cell)))
            self._do(possible, bar)

    def _do(self, cells: Sequence[Cell], bar: tqdm) -> None:
        for cell in {cell.fingerprint: cell for cell in cells}.values():
            if self._complete(cell):
                self.reused += 1
                continue
            bar.set_postfix_str(cell.label)
            before, share = bar.n, cell.work / cell.source.frames
            result = run_cell(cell, self._metrics, lambda frames, share=share: bar.update(frames * share))
            bar.update(before + cell.work - bar.n)
            self._folder.keep(cell, result)
            self.made += 1
            for failure in result.failures:
                scorer = f", scored by {failure.metric}" if failure.metric not in (None, *_own(cell)) else ""
                strength = "" if failure.strength is None else f" at strength {failure.strength:g}"
                self.failures.append(BenchmarkFailure(cell.label + strength + scorer, failure.reason))

    def _complete(self, cell: Cell) -> bool:
        result = self._folder.result(cell)
        return result is not None and not result.failures


def _own(cell: Cell) -> tuple[str, ...]:
    return (cell.target.name,) if cell.target else ()


def _announcement(clear: Sequence[Cell], attacks: Sequence[Cell], pending: Sequence[Cell]) -> str:
    text = f"{len(clear) + len(attacks)} jobs, {len(pending)} of them to do: {len(clear)} score frames as they are"
    if attacks:
        text += f", {len(attacks)} attack them, {sum(cell.source.frames for cell in attacks)} frames in all"
    text += "."
    queries = sum(cell.attack.queries * cell.source.frames for cell in pending if cell.attack)
    if queries:
        text += f" Attacks that see scores alone may ask for {queries:,} of them; their option queries lowers that."
    return text


def _describe(request: BenchmarkRequest, plan: Plan, failures: Sequence[BenchmarkFailure]) -> dict:
    cells = [comparison.attacked for comparison in plan.comparisons if comparison.attacked]
    sources = {
        source.label: source
        for comparison in plan.comparisons
        for source in (comparison.before, comparison.delivered)
        if source
    }
    return {
        "created_at": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "software": {"python": platform.python_version(), "torch": torch.__version__, **av_versions()},
        "command": list(request.command),
        "device": request.device,
        "seed": request.seed,
        "rounded": request.rounded,
        "transfer": request.transfer,
        "metrics": [metric.identity for metric in plan.metrics],
        "attacks": [
            {"target_metric": target, "condition": label, **record}
            for (target, label), record in {
                (cell.target.name, cell.attack.label): cell.attack.record for cell in cells
            }.items()
        ],
        "sources": [
            {"dataset": source.dataset, "name": source.name, "sha256": source.sha256, "frames": source.frames}
            for source in sources.values()
        ],
        "failures": [{"what": failure.what, "reason": failure.reason} for failure in failures],
    }
