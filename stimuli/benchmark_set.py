"""A stimulus set as a source of the benchmark: its delivered references, its attacks and its strengths."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from attacks import list_attacks
from stimuli.benchmark_datasets import FoundSource
from stimuli.errors import InvalidRequest, InvalidSource
from stimuli.manifest import StimulusRecord, TargetMetricRecord, read_manifest
from stimuli.request import AttackSpec
from stimuli.store import hash_of_file

__all__ = ["BenchmarkSet", "SetStimulus"]


@dataclass(frozen=True)
class SetStimulus:
    """A delivered stimulus and the delivered reference of its source, under names for the tables."""

    label: str
    record: StimulusRecord
    reference: FoundSource
    delivered: FoundSource

    @property
    def spec(self) -> AttackSpec:
        """The attack with all options that the manifest records; a trained one's file is to be found again."""
        attack = self.record.attack
        accepted = {option.name for info in list_attacks() if info.name == attack.name for option in info.options}
        options = {key: value for key, value in attack.options.items() if key in accepted and key != "file"}
        return AttackSpec(attack.name, options)


@dataclass(frozen=True)
class BenchmarkSet:
    """Those stimuli of a set that `--attacks` asks for; named by its folder."""

    name: str
    target: TargetMetricRecord
    stimuli: tuple[SetStimulus, ...]

    @classmethod
    def read(cls, folder: Path, attacks: Sequence[AttackSpec]) -> "BenchmarkSet":
        """attacks: by label or by name; all where none is named.

        Raises: InvalidManifest; InvalidRequest where nothing is left; InvalidSource for a changed file.
        """
        manifest, name = read_manifest(folder), folder.resolve().name
        taken = [item for item in manifest.stimuli if item.attack and (not attacks or _named(item, attacks))]
        if not taken:
            there = ", ".join(sorted({item.condition for item in manifest.stimuli if item.attack})) or "none"
            raise InvalidRequest(f"The set {folder} holds none of these attacks; there are: {there}.")
        references = {item.source: item for item in manifest.stimuli if item.attack is None}
        for source in {item.source for item in taken}:
            if source not in references:
                raise InvalidSource(f"The set {folder} has no reference of {source}; make it again.")
        for item in {item.id: item for item in (*taken, *references.values())}.values():
            _check(folder, item)
        stimuli = (
            SetStimulus(
                item.condition,
                item,
                FoundSource(name, item.source, (folder / references[item.source].file,)),
                FoundSource(name, f"{item.source}, {item.condition}", (folder / item.file,)),
            )
            for item in taken
        )
        return cls(name, manifest.target_metric, tuple(stimuli))


def _named(item: StimulusRecord, attacks: Sequence[AttackSpec]) -> bool:
    return any(
        spec.condition == item.condition or (not spec.options and spec.name == item.attack.name) for spec in attacks
    )


def _check(folder: Path, item: StimulusRecord) -> None:
    path = folder / item.file
    if not path.is_file() or hash_of_file(path) != item.sha256:
        raise InvalidSource(f"{path} is not the file that the manifest describes; copy the set again, whole.")
