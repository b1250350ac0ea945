"""Universal perturbations: one trained pattern, added to every frame of every clip."""

import torch

from attacks.errors import TrainedFileError
from attacks.options import OptionValue
from attacks.table import AttackInfo
from attacks.trained import TrainedAttack

__all__ = ["UniversalPerturbation"]


class UniversalPerturbation(TrainedAttack):
    """x_adv = Clip(x + strength * u), u tiled from the top-left corner over the frame.

    The same class applies the optimized, the cumulative and the generative perturbation; they differ in their training
    (attacks/learners.py). Costs one addition per frame.
    Source: Shumitskaya, Antsiferova, Vatolin, BMVC 2022 and CVIU 240, 2024.
    Differs: u is kept as float; the papers' 8-bit files lose up to a level and shift the mean.
    """

    def __init__(self, info: AttackInfo, options: dict[str, OptionValue]):
        super().__init__(info, options)
        pattern = self._file.tensors.get("perturbation")
        if pattern is None or pattern.ndim != 4 or pattern.shape[:2] != (1, 3) or len(self._file.tensors) != 1:
            raise TrainedFileError(
                f"{self._file.name} does not hold one perturbation of the shape (1, 3, H, W); train it again."
            )
        self._pattern = pattern

    def _perturbation(self, frames: torch.Tensor) -> torch.Tensor:
        height, width = frames.shape[-2:]
        pattern = self._pattern.to(frames.device)
        rows, columns = -(-height // pattern.shape[-2]), -(-width // pattern.shape[-1])
        return pattern.repeat(1, 1, rows, columns)[..., :height, :width]
