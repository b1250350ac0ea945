"""One job of the benchmark: the scores of a source's frames, as they are or attacked, as a pure function of its cell.

A job reads the files that its cell names, and no other, so it can be done on any machine that has them.
"""

import functools
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import torch
from torch import Tensor

from attacks import Attack, create_attack, is_out_of_memory, to_uint8
from attacks.errors import AttackError, NoChange, ZeroGradient
from attacks.metrics import TargetMetric
from stimuli.benchmark_cells import Cell, CellFailure, CellResult, ScoreSeries
from stimuli.benchmark_metrics import MetricCache
from stimuli.errors import StimuliError

__all__ = ["run_cell"]


def run_cell(cell: Cell, metrics: MetricCache, advance: Callable[[int], None] = lambda frames: None) -> CellResult:
    """Do one job. `metrics` belongs to this process; `advance` is told how many more frames are done.

    Raises nothing: what goes wrong is in the result, whatever a network raises on pictures that it was not made for.
    """
    try:
        built = metrics.get(cell.scorers if cell.target is None else (cell.target, *cell.scorers))
        cell.source.check(max(metric.window for metric in built))
        for metric in built:
            metric.check_length(cell.source.frames, cell.source.label)
        if cell.attack is None:
            return _score(cell, built, advance)
        return _attack(cell, built[0], built[1:], advance)
    except Exception as error:
        return CellResult((), (CellFailure(_sentence(error)),))


def _score(cell: Cell, metrics: list[TargetMetric], advance: Callable[[int], None]) -> CellResult:
    (metric,) = metrics
    scores = _Scores(metric)
    with closing(cell.source.chunks(chunk=cell.chunk, window=metric.window, device=metric.device)) as chunks:
        for indices, frames in chunks:
            scores.add(indices, frames)
            advance(len(frames))
    return CellResult((ScoreSeries(metric.name, 0.0, scores.in_order()),))


def _attack(
    cell: Cell, target: TargetMetric, scorers: list[TargetMetric], advance: Callable[[int], None]
) -> CellResult:
    attack = create_attack(cell.attack.name, **cell.attack.options)
    if attack.describe() != cell.attack.record["options"]:
        raise StimuliError(f"The attack {cell.attack.label} built here is not the one of the plan; use the same files.")
    strengths = [_Strength(strength, scorers, cell.rounded) for strength in cell.strengths]
    with closing(cell.source.chunks(chunk=cell.chunk, window=target.window, device=target.device)) as chunks:
        for indices, frames in chunks:
            at = _prepared(attack, frames, target)
            for strength in strengths:
                strength.add(indices, frames, at)
            advance(len(frames))
    results = [strength.result() for strength in strengths]
    return CellResult(
        tuple(item for result in results for item in result.series),
        tuple(item for result in results for item in result.failures),
    )


def _prepared(attack: Attack, frames: Tensor, target: TargetMetric) -> Callable[[float], Tensor]:
    """`at` of the prepared attack; where the frames have no gradient, one that says so."""
    try:
        return attack.prepare(frames, target).at
    except ZeroGradient as error:
        return functools.partial(_refuse, error)


def _refuse(error: ZeroGradient, strength: float) -> Tensor:
    raise error


class _Strength:
    """The scores of a source attacked at one strength; what goes wrong ends this strength, or one metric of it."""

    def __init__(self, strength: float, scorers: list[TargetMetric], rounded: bool) -> None:
        self._strength, self._rounded = strength, rounded
        self._scores = {metric.name: _Scores(metric) for metric in scorers}
        self._failures: list[CellFailure] = []
        self._refusal: AttackError | None = None
        self._changed = False

    def add(self, indices: list[int], frames: Tensor, at: Callable[[float], Tensor]) -> None:
        """The next frames. Those that the attack does not change (black ones at a cut, say) come as they are."""
        try:
            attacked = at(self._strength) if self._scores else frames
            self._changed = True
        except (NoChange, ZeroGradient) as error:
            self._refusal, attacked = error, frames
        except Exception as error:
            self._end(error)
            return
        if self._rounded:
            attacked = to_uint8(attacked).float() / 255
        for name, scores in list(self._scores.items()):
            with self._guarded(name):
                scores.add(indices, attacked)

    def result(self) -> CellResult:
        """Raises nothing; where no frame at all was changed, that is the failure."""
        if self._refusal is not None and not self._changed:
            self._end(self._refusal)
        series = []
        for name, scores in list(self._scores.items()):
            with self._guarded(name):
                series.append(ScoreSeries(name, self._strength, scores.in_order()))
        return CellResult(tuple(series), tuple(self._failures))

    def _end(self, error: Exception) -> None:
        self._scores.clear()
        self._failures.append(CellFailure(_sentence(error), strength=self._strength))

    @contextmanager
    def _guarded(self, name: str) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            del self._scores[name]
            self._failures.append(CellFailure(_sentence(error), name, self._strength))


class _Scores:
    """Scores of frames that come in any chunks, in whole windows of the metric."""

    def __init__(self, metric: TargetMetric) -> None:
        self._metric = metric
        self._indices: list[int] = []
        self._values: list[float] = []
        self._rest: Tensor | None = None

    def add(self, indices: list[int], frames: Tensor) -> None:
        self._indices += indices
        if self._rest is not None:
            frames = torch.cat([self._rest, frames])
        whole = len(frames) - len(frames) % self._metric.window
        self._rest = frames[whole:] if whole < len(frames) else None
        if whole:
            self._values += self._metric.values(frames[:whole])

    def in_order(self) -> tuple[float, ...]:
        """By the index of the frame, when all were added."""
        if self._rest is not None:
            self._values += self._metric.values(self._rest)
        return tuple(value for _, value in sorted(zip(self._indices, self._values, strict=True)))


def _sentence(error: Exception) -> str:
    if isinstance(error, (AttackError, StimuliError)):
        return str(error)
    if is_out_of_memory(error):
        return "The attack needs more memory than there is; take a smaller --chunk, or another --device."
    first, *_ = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {first[:300]}"
