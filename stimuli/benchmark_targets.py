"""The metrics that a benchmark attacks, each with its attacks built once to see that they can be."""

from collections.abc import Sequence
from dataclasses import dataclass

from attacks import create_attack, list_attacks
from attacks.errors import TrainedFileError
from attacks.metrics import TargetMetric, list_metrics
from stimuli.benchmark_cells import AttackSetting
from stimuli.benchmark_metrics import MetricCache, MetricSpec
from stimuli.benchmark_request import BenchmarkRequest
from stimuli.benchmark_set import BenchmarkSet, SetStimulus
from stimuli.conditions import options_with_file
from stimuli.errors import InvalidRequest
from stimuli.request import AttackSpec

__all__ = ["Target", "plan_targets"]


@dataclass(frozen=True)
class Target:
    """A metric; its attacks on clips, in the order of the request; and its attacks of sets, by (set, condition)."""

    metric: MetricSpec
    attacks: tuple[AttackSetting, ...]
    of_sets: dict[tuple[str, str], AttackSetting]


def plan_targets(
    request: BenchmarkRequest, metrics: MetricCache, *, clips: bool, sets: Sequence[BenchmarkSet]
) -> list[Target]:
    """A target for every metric of the request.

    clips: whether there is anything but sets, so that `request.attacks` is run. sets: whose attacks are run.
    Raises: InvalidRequest; TrainedFileError naming every file that is missing; MetricUnavailable, InvalidOption.
    """
    of_clips = {info.name for info in list_metrics() if info.scope == "clip"}
    targets, missing = [], []
    for name in request.metrics:
        weights, window = request.weights.get(name), request.window if name in of_clips else None
        spec = metrics.describe(name, weights and str(weights), window)
        if spec.name in {target.metric.name for target in targets}:
            raise InvalidRequest(f"Two of --metrics are {spec.name}; give each metric once.")
        (metric,) = metrics.get([spec])
        builder = _Builder(request, metric, missing)
        attacks = [builder.build(attack.condition, attack) for attack in request.attacks if clips]
        of_sets = {
            (each.name, stimulus.label): builder.build_of_set(each, stimulus)
            for each in sets
            for stimulus in each.stimuli
        }
        if not missing:
            _refuse_twins(attacks)
        targets.append(Target(spec, tuple(attacks), of_sets))
    if missing:
        raise TrainedFileError(" ".join(dict.fromkeys(missing)))
    return targets


class _Builder:
    """Builds the attacks on one metric; `missing` gathers what is said about trained files that are not there."""

    def __init__(self, request: BenchmarkRequest, metric: TargetMetric, missing: list[str]) -> None:
        self._request, self._metric, self._missing = request, metric, missing

    def build(self, label: str, spec: AttackSpec) -> AttackSetting | None:
        """None where a trained file is missing."""
        request = self._request
        info = next(info for info in list_attacks() if info.name == spec.name)
        drawn = {"seed": request.seed} if "seed" in {option.name for option in info.options} else {}
        try:
            options = options_with_file(spec, self._metric, request.trained, transfer=request.trained_transfer)
            attack = create_attack(spec.name, **drawn | options)
        except TrainedFileError as error:
            self._missing.append(str(error))
            return None
        return AttackSetting(
            label,
            spec.name,
            dict(attack.options),
            {"name": spec.name, "options": attack.describe()},
            attack.iterations,
            attack.options.get("queries", 0),
        )

    def build_of_set(self, each: BenchmarkSet, stimulus: SetStimulus) -> AttackSetting | None:
        """As the manifest records it; another metric has other trained files."""
        setting = self.build(stimulus.label, stimulus.spec)
        recorded = stimulus.record.attack.options
        own = (each.target.name, each.target.weights_sha256) == (self._metric.name, self._metric.weights_sha256)
        if setting and setting.record["options"] != recorded and (own or "file_sha256" not in recorded):
            raise InvalidRequest(
                f"{stimulus.label} of the set {each.name} was made with {recorded}, here it would be "
                f"{setting.record['options']}; give the same files."
            )
        return setting


def _refuse_twins(attacks: Sequence[AttackSetting]) -> None:
    seen: list[AttackSetting] = []
    for attack in attacks:
        for other in seen:
            if other.record == attack.record:
                raise InvalidRequest(
                    f"{other.label} and {attack.label} are the same attack, a default spelt out; give one of them."
                )
        seen.append(attack)
