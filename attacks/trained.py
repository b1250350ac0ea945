"""What the attacks with a trained file share."""

from abc import abstractmethod
from pathlib import Path

import torch

from attacks.base import Attack, Cost, Prepared
from attacks.errors import TrainedFileError
from attacks.gradients import CleanGradient
from attacks.metrics.base import TargetMetric
from attacks.options import OptionValue
from attacks.table import AttackInfo
from attacks.trained_file import check_metric, load_trained
from attacks.trained_header import training_command

__all__ = ["Added", "TrainedAttack"]


class Added(Prepared):
    """x_adv = Clip(x + strength * perturbation); the perturbation is that of each frame or one for all."""

    def __init__(self, frames: torch.Tensor, perturbation: torch.Tensor):
        super().__init__(frames, Cost())
        self._perturbation = perturbation

    def _at(self, strength: float) -> torch.Tensor:
        return torch.add(self._frames, self._perturbation, alpha=strength).clamp_(0, 1)


class TrainedAttack(Attack):
    """An attack that was trained beforehand and never asks the metric: option `file` is its trained file.

    The metric must be the one of the training, with the same weights, unless the option `transfer` is set.
    Raises TrainedFileError where the file is missing, broken, or of another attack or metric.
    """

    uses_clean_gradient = False

    def __init__(self, info: AttackInfo, options: dict[str, OptionValue]):
        super().__init__(info, options)
        if not options["file"]:
            raise TrainedFileError(
                f"{info.name} needs a file trained against the metric: make one with {training_command(info.name)} "
                "and give it as the option file."
            )
        self._file = load_trained(Path(options["file"]).expanduser(), info.name)

    def describe(self) -> dict:
        """The options; the file by its bare name, its SHA-256 and the metric that it was trained against."""
        return {
            **self.options,
            "file": self._file.name,
            "file_sha256": self._file.sha256,
            "trained_against": self._file.header.metric,
        }

    def _prepare(self, frames: torch.Tensor, metric: TargetMetric, clean: CleanGradient | None) -> Prepared:
        if not self.options["transfer"]:
            check_metric(self._file, metric)
        with torch.no_grad():
            return Added(frames, self._perturbation(frames))

    @abstractmethod
    def _perturbation(self, frames: torch.Tensor) -> torch.Tensor:
        """What is added at strength 1, (N or 1, 3, H, W), for frames (N, 3, H, W)."""
