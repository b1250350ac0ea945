"""The conditions of a set: its attacks, built, with their trained files found, none the same picture as another."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from attacks import Attack, OptionValue, create_attack, find_trained_file, list_attacks
from attacks.errors import TrainedFileError
from attacks.metrics import TargetMetric
from stimuli.errors import InvalidRequest
from stimuli.request import AttackSpec, StimulusRequest

__all__ = ["Condition", "build_conditions", "options_with_file", "query_note"]


@dataclass(frozen=True)
class Condition:
    """An attack under the label that the manifest gives it."""

    label: str
    attack: Attack

    def describe(self) -> dict:
        """What the manifest records; names no place on this machine."""
        return {"name": self.attack.info.name, "options": self.attack.describe()}


def build_conditions(request: StimulusRequest, metric: TargetMetric) -> list[Condition]:
    """The attacks of a request, in its order.

    Raises: InvalidRequest for two that are the same picture; TrainedFileError naming the attacks without a file, the
    command that makes it, and the attacks that are ready; UnknownName, InvalidOption.
    """
    built, missing = [], []
    for spec in request.attacks:
        try:
            options = options_with_file(spec, metric, request.trained, transfer=request.transfer)
        except TrainedFileError as error:
            missing.append(error)
        else:
            built.append(Condition(spec.condition, create_attack(spec.name, **options)))
    if missing:
        raise TrainedFileError(" ".join(map(str, missing)) + _ready(built))
    _refuse_twins(built)
    return built


def query_note(conditions: Sequence[Condition], frames: int) -> str | None:
    """What a person should know before an attack asks for thousands of scores per frame."""
    asked = {
        condition.label: condition.attack.options["queries"]
        for condition in conditions
        if condition.attack.info.access == "black-box"
    }
    if not asked:
        return None
    total = sum(asked.values()) * frames
    return (
        f"{', '.join(asked)} asks for up to {' + '.join(f'{queries:,}' for queries in asked.values())} scores per "
        f"frame, {total:,} for the {frames} frames each time the sources are attacked; its option queries lowers that."
    )


def options_with_file(
    spec: AttackSpec, metric: TargetMetric, trained: Sequence[Path], *, transfer: bool = False
) -> dict[str, OptionValue]:
    """The options of an attack; of a trained one with the file among `trained` that fits the metric.

    A file that the options name stands; so does their own `transfer`. Raises TrainedFileError.
    """
    access = {info.name: info.access for info in list_attacks()}
    if access.get(spec.name) != "trained":
        return spec.options
    options = {"transfer": transfer} | spec.options
    if not options.get("file"):
        found = find_trained_file(
            spec.name,
            trained,
            metric=metric.name,
            weights_sha256=metric.weights_sha256,
            transfer=options["transfer"] in (True, "yes"),
        )
        options["file"] = str(found)
    return options


def _ready(built: Sequence[Condition]) -> str:
    labels = ",".join(condition.label for condition in built)
    return f" These attacks are ready: {labels}." if built else ""


def _refuse_twins(conditions: Sequence[Condition]) -> None:
    """Two conditions of the same picture would be a video compared with itself."""
    seen: dict[str, Condition] = {}
    for condition in conditions:
        drawn = condition.attack
        base = drawn.info.same_at_one_iteration
        if base and drawn.iterations == 1:
            drawn = create_attack(base, iterations=1)
        other = seen.setdefault(f"{drawn.info.name} {sorted(drawn.describe().items())}", condition)
        if other is condition:
            continue
        if other.attack.info is condition.attack.info:
            why = "the same attack, a default spelt out"
        else:
            why = f"the same picture, at one iteration both are {drawn.info.name}"
        raise InvalidRequest(f"{other.label} and {condition.label} are {why}; give one of them.")
