"""FACPA: a trained network makes the perturbation of each frame, without asking the metric."""

import torch

from attacks.errors import TrainedFileError
from attacks.generators import UNetGenerator
from attacks.options import OptionValue
from attacks.table import AttackInfo
from attacks.trained import TrainedAttack

__all__ = ["FACPA"]

# Frames of 1280x2048, a padded FullHD frame, take about 0.7 GB each inside the network.
_MOST_PIXELS = 1280 * 2048


class FACPA(TrainedAttack):
    """x_adv = Clip(x + strength * eps * G(x)); G runs once per frame, every further strength is an addition.

    Source: Shumitskaya, Antsiferova, Vatolin, ICLR 2023 Tiny Papers.
    Differs: the frame is continued by reflection, to the right and downwards, to the next multiple of 256 that G needs,
    and the perturbation is cropped. The public code runs G on the largest multiple inside the frame and repeats the
    result over what remains, which has nothing to do with the picture there and fails below 256. A frame too small for
    one reflection is reflected again and again.
    """

    def __init__(self, info: AttackInfo, options: dict[str, OptionValue]):
        super().__init__(info, options)
        settings = self._file.header.settings
        try:
            with torch.device("meta"):
                self._network = UNetGenerator(settings["width"])
            self._network.load_state_dict(dict(self._file.tensors), assign=True)
            self._eps = float(settings["eps"])
        except (RuntimeError, KeyError, TypeError, ValueError) as error:
            raise TrainedFileError(
                f"{self._file.name} does not hold the network that its header describes; train it again."
            ) from error
        self._network.eval().requires_grad_(False)

    def _perturbation(self, frames: torch.Tensor) -> torch.Tensor:
        height, width = frames.shape[-2:]
        network = self._network.to(frames.device)
        rows = _reflected(height, network.multiple).to(frames.device)
        columns = _reflected(width, network.multiple).to(frames.device)
        at_once = max(1, _MOST_PIXELS // (len(rows) * len(columns)))
        made = [network(part[..., rows, :][..., columns])[..., :height, :width] for part in frames.split(at_once)]
        return torch.cat(made).mul_(self._eps)


def _reflected(size: int, multiple: int) -> torch.Tensor:
    """Which of `size` positions stands at each place up to the next multiple: 0 1 2 3 2 1 0 1 2... for size 4."""
    places = torch.arange(-(-size // multiple) * multiple)
    last = size - 1
    return last - (places % max(2 * last, 1) - last).abs()
