"""What one job of the benchmark is given and what it gives: plain JSON documents."""

import dataclasses
from dataclasses import dataclass

import torch

from stimuli.benchmark_metrics import MetricSpec
from stimuli.benchmark_sources import BenchmarkSource
from stimuli.store import fingerprint
from stimuli.video import av_versions

__all__ = ["AttackSetting", "Cell", "CellFailure", "CellResult", "ScoreSeries"]

# Raised when a change of this package changes the scores: older results are then made again.
_PIPELINE = 1


@dataclass(frozen=True)
class AttackSetting:
    """An attack under the label of the tables.

    options: for create_attack, with the places of files on this machine. record: its name and what Attack.describe
    says, which names no place. iterations: gradients per frame; queries: scores asked per frame at most (else 0).
    """

    label: str
    name: str
    options: dict
    record: dict
    iterations: int
    queries: int


@dataclass(frozen=True)
class Cell:
    """Scores of the frames of `source`: by `scorers`, of the frames as they are (attack None), or attacked.

    target: the metric that is attacked. strengths: in the attack's own unit. rounded: score 8-bit pictures.
    chunk: frames in memory at a time, None by size; it decides no result.
    """

    source: BenchmarkSource
    scorers: tuple[MetricSpec, ...]
    target: MetricSpec | None = None
    attack: AttackSetting | None = None
    strengths: tuple[float, ...] = ()
    rounded: bool = False
    chunk: int | None = None

    def to_document(self) -> dict:
        """For JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def from_document(cls, document: dict) -> "Cell":
        return cls(
            **document
            | {
                "source": BenchmarkSource.from_document(document["source"]),
                "scorers": tuple(MetricSpec(**spec) for spec in document["scorers"]),
                "target": document["target"] and MetricSpec(**document["target"]),
                "attack": document["attack"] and AttackSetting(**document["attack"]),
                "strengths": tuple(document["strengths"]),
            }
        )

    @property
    def label(self) -> str:
        """For people."""
        if self.attack is None:
            return f"scores of {self.source.label} by {self.scorers[0].name}"
        return f"{self.attack.label} against {self.target.name} on {self.source.label}"

    @property
    def fingerprint(self) -> str:
        """Hash of all that decides the scores: content, not places; versions, not the device."""
        return fingerprint(
            {
                "source": [self.source.sha256, self.source.frames],
                "scorers": [spec.identity for spec in self.scorers],
                "target": self.target and self.target.identity,
                "attack": self.attack and self.attack.record,
                "strengths": self.strengths,
                "rounded": self.rounded,
                "pipeline": _PIPELINE,
                "torch": torch.__version__,
                **av_versions(),
            }
        )

    @property
    def work(self) -> float:
        """Roughly how many pixels pass through a metric: a gradient is three passes."""
        passes = 1
        if self.attack is not None:
            clean, later = min(self.attack.iterations, 1), max(self.attack.iterations - 1, 0)
            gradients = clean + later * len(self.strengths)
            passes = 3 * gradients + self.attack.queries + len(self.scorers) * len(self.strengths)
        return passes * self.source.pixels


@dataclass(frozen=True)
class ScoreSeries:
    """Scores by `metric` of all frames at one strength, 0 for the frames as they are; raw, in the order of frames."""

    metric: str
    strength: float
    scores: tuple[float, ...]


@dataclass(frozen=True)
class CellFailure:
    """Why scores are missing, one sentence. metric, strength: of which scores; None for all."""

    reason: str
    metric: str | None = None
    strength: float | None = None


@dataclass(frozen=True)
class CellResult:
    """What a job gives; complete where there are no failures."""

    series: tuple[ScoreSeries, ...]
    failures: tuple[CellFailure, ...] = ()

    def to_document(self) -> dict:
        """For JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def from_document(cls, document: dict) -> "CellResult":
        series = (ScoreSeries(**item | {"scores": tuple(item["scores"])}) for item in document["series"])
        return cls(tuple(series), tuple(CellFailure(**item) for item in document["failures"]))

    def scores(self, metric: str, strength: float) -> tuple[float, ...] | None:
        """Of one metric at one strength; None where they are missing."""
        found = (item.scores for item in self.series if (item.metric, item.strength) == (metric, strength))
        return next(found, None)
