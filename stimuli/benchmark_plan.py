"""The jobs of a benchmark, and the rows that their results make."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from attacks import list_attacks
from stimuli.benchmark_cells import AttackSetting, Cell, CellResult
from stimuli.benchmark_datasets import FoundSource
from stimuli.benchmark_metrics import MetricSpec
from stimuli.benchmark_request import SETTINGS, BenchmarkRequest
from stimuli.benchmark_set import BenchmarkSet, SetStimulus
from stimuli.benchmark_sources import BenchmarkSource
from stimuli.benchmark_targets import Target
from stimuli.errors import InvalidRequest

__all__ = ["COLUMNS", "Comparison", "Plan"]

COLUMNS = (
    "target_metric",
    "metric",
    "lower_better",
    "attack",
    "setting",
    "strength",
    "dataset",
    "source",
    "frame",
    "clear",
    "attacked",
)
# Of a job: its result, None where it was not done.
Results = Callable[[Cell], CellResult | None]


@dataclass(frozen=True)
class Comparison:
    """A source before and after an attack.

    target: name of the metric that was attacked. settings: (name, strength) of the rows. attacked: the job that runs
    the attack and scores its frames; None where `delivered` is the attacked source, a set's own file.
    """

    target: str
    label: str
    before: BenchmarkSource
    settings: tuple[tuple[str, float], ...]
    attacked: Cell | None = None
    delivered: BenchmarkSource | None = None


class Plan:
    """Comparisons of `targets` on clips and sets.

    find: the opened source of a set's file, None where it could not be opened. clips: the other opened sources.
    """

    def __init__(
        self,
        request: BenchmarkRequest,
        targets: Sequence[Target],
        clips: Sequence[BenchmarkSource],
        sets: Sequence[BenchmarkSet],
        find: Callable[[FoundSource], BenchmarkSource | None],
    ) -> None:
        self._request, self._targets, self._find = request, targets, find
        self.metrics = [target.metric for target in targets]
        if request.transfer:
            self._check_targets(sets, alone=not clips)
        self.comparisons = [
            self._of_clip(target, attack, clip) for target in targets for clip in clips for attack in target.attacks
        ]
        compare = self._of_delivered if request.transfer else self._of_set
        for each in sets:
            for stimulus in each.stimuli:
                self.comparisons += compare(each, stimulus)

    @property
    def clear_cells(self) -> list[Cell]:
        """Scores of frames as they are, metric by metric, each once."""
        sources = {
            (source.sha256, source.frames): source
            for comparison in self.comparisons
            for source in (comparison.before, comparison.delivered)
            if source is not None
        }
        return [self._clear(metric, source) for metric in self.metrics for source in sources.values()]

    def attack_cells(self, results: Results) -> list[Cell]:
        """Attacks whose target and scorers can score the source at all; `results` of the clear cells decides."""
        cells = [self._possible(comparison, results) for comparison in self.comparisons if comparison.attacked]
        return [cell for cell in cells if cell is not None]

    def rows(self, results: Results) -> Iterator[tuple]:
        """COLUMNS of all that is finished."""
        for comparison in self.comparisons:
            cell = self._possible(comparison, results) if comparison.attacked else None
            result = results(cell) if cell else None
            for setting, strength in comparison.settings:
                for metric in self.metrics:
                    clear = self._clear_scores(metric, comparison.before, results)
                    if comparison.delivered is not None:
                        attacked = self._clear_scores(metric, comparison.delivered, results)
                    else:
                        attacked = result and result.scores(metric.name, strength)
                    if clear is None or attacked is None:
                        continue
                    before = comparison.before
                    head = (comparison.target, metric.name, str(metric.lower_better).lower(), comparison.label)
                    place = (setting, repr(strength), before.dataset)
                    for frame, (c, a) in enumerate(zip(clear, attacked, strict=True)):
                        yield *head, *place, before.name_of(frame), frame, repr(c), repr(a)

    def _of_clip(self, target: Target, attack: AttackSetting, clip: BenchmarkSource) -> Comparison:
        strength = next(info.strength for info in list_attacks() if info.name == attack.name)
        names = self._request.settings or SETTINGS
        return self._attacked(target, attack, clip, tuple((name, getattr(strength, name)) for name in names))

    def _of_set(self, each: BenchmarkSet, stimulus: SetStimulus) -> list[Comparison]:
        before, settings = self._find(stimulus.reference), (("set", stimulus.record.strength),)
        if before is None:
            return []
        return [
            self._attacked(target, target.of_sets[each.name, stimulus.label], before, settings)
            for target in self._targets
        ]

    def _of_delivered(self, each: BenchmarkSet, stimulus: SetStimulus) -> list[Comparison]:
        before, delivered = self._find(stimulus.reference), self._find(stimulus.delivered)
        if before is None or delivered is None:
            return []
        settings = (("set", stimulus.record.strength),)
        return [Comparison(each.target.name, stimulus.label, before, settings, delivered=delivered)]

    def _attacked(
        self, target: Target, attack: AttackSetting, source: BenchmarkSource, settings: tuple[tuple[str, float], ...]
    ) -> Comparison:
        cell = Cell(
            source=source,
            scorers=tuple(self.metrics) if self._request.transfer else (target.metric,),
            target=target.metric,
            attack=attack,
            strengths=tuple(sorted({strength for _, strength in settings})),
            rounded=self._request.rounded,
            chunk=self._request.chunk,
        )
        return Comparison(target.metric.name, attack.label, source, settings, attacked=cell)

    def _possible(self, comparison: Comparison, results: Results) -> Cell | None:
        cell = comparison.attacked
        able = tuple(spec for spec in cell.scorers if self._clear_scores(spec, comparison.before, results) is not None)
        return replace(cell, scorers=able) if cell.target in able else None

    def _clear(self, metric: MetricSpec, source: BenchmarkSource) -> Cell:
        return Cell(source=source, scorers=(metric,), chunk=self._request.chunk)

    def _clear_scores(self, metric: MetricSpec, source: BenchmarkSource, results: Results) -> tuple[float, ...] | None:
        result = results(self._clear(metric, source))
        return result and result.scores(metric.name, 0.0)

    def _check_targets(self, sets: Sequence[BenchmarkSet], *, alone: bool) -> None:
        """A set's metric under a name of ours must be ours; with nothing but sets, one of theirs must be among ours."""
        ours = {metric.name: metric for metric in self.metrics}
        made = {each.target.name for each in sets}
        if alone and not made & ours.keys():
            raise InvalidRequest(
                f"What the metrics gain is held against the metric of the sets; have {', '.join(sorted(made))} among "
                "--metrics."
            )
        for each in sets:
            metric = ours.get(each.target.name)
            if metric and metric.identity.get("weights") != each.target.weights_sha256:
                raise InvalidRequest(
                    f"The set {each.name} was made against {metric.name} with other weights, "
                    f"{each.target.weights_sha256}; give them with --weights {metric.registry_name}=FILE."
                )
