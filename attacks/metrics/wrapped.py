"""Any nn.Module as a target metric."""

import contextlib
import itertools
import threading
from collections.abc import Iterator

import torch

from attacks.errors import InvalidFrames, InvalidOption, NonFiniteScore, NotDifferentiable
from attacks.frames import check_layout
from attacks.metrics.base import TargetMetric

__all__ = ["ModuleMetric", "wrap_module"]


class ModuleMetric(TargetMetric):
    """A target metric computed by an nn.Module: (N, 3, H, W) in [0, 1] -> (N,) or (N, 1).

    With a `window` above 1 the module gets one window at a time, (W, 3, H, W) with the frames
    in the order of the clip, and gives one score for it: (), (1,) or (1, 1).
    The module is used in evaluation mode with frozen parameters, which spares the weight
    gradients (a third of the cost), and is given back as it was after each call.
    `device` is needed only where the module has no tensor that tells.
    """

    def __init__(self, module: torch.nn.Module, name: str, *, device: torch.device | None = None, **properties):
        if not isinstance(module, torch.nn.Module):
            raise InvalidOption(
                f"module must be a torch.nn.Module, got {type(module).__name__}; put the function into one."
            )
        super().__init__(name, **properties)
        self._module = module
        self._device = device
        self._lock = threading.Lock()

    @property
    def device(self) -> torch.device:
        return self._known_device() or torch.device("cpu")

    def score(self, frames: torch.Tensor) -> torch.Tensor:
        """See TargetMetric.score. Raises InvalidFrames, NonFiniteScore, NotDifferentiable or InvalidOption."""
        self._check_input(frames)
        with self._evaluating():
            if self.window == 1:
                return self._check(self._module(frames), len(frames))
            # One by one: a window's score must not change by a digit with the number of windows in the batch.
            windows = frames.split(self.window)
            return torch.cat([self._check(self._module(part), 1).expand(len(part)) for part in windows])

    def _check_input(self, frames: torch.Tensor) -> None:
        check_layout(frames)
        device = self._known_device()
        if device is not None and device != frames.device:
            raise InvalidFrames(
                f"frames are on {frames.device}, metric {self.name!r} is on {device}; move one of them."
            )

    def _check(self, scores: torch.Tensor, count: int) -> torch.Tensor:
        allowed = {(count,), (count, 1)} | ({()} if self.window > 1 else set())
        if not isinstance(scores, torch.Tensor) or tuple(scores.shape) not in allowed:
            got = tuple(scores.shape) if isinstance(scores, torch.Tensor) else type(scores).__name__
            expected = (
                f"one score per window of {self.window} frames, () or (1,)"
                if self.window > 1
                else f"one score per frame, ({count},) or ({count}, 1) for {count} frames"
            )
            raise InvalidOption(f"metric {self.name!r} must give {expected}, got {got}.")
        if not scores.is_floating_point():
            raise NotDifferentiable(f"metric {self.name!r} must give floating-point scores, got {scores.dtype}.")
        finite = torch.isfinite(scores.detach()).reshape(count)
        if not finite.all():
            frame = int((~finite).nonzero()[0])
            value = scores.detach().reshape(count)[frame].item()
            what = "a window" if self.window > 1 else f"frame {frame} of the batch"
            raise NonFiniteScore(
                f"metric {self.name!r} gives {value} for {what}; check its weights and what it divides by, "
                "or leave those frames out."
            )
        return scores.reshape(count).float()

    def _known_device(self) -> torch.device | None:
        tensor = next(itertools.chain(self._module.parameters(), self._module.buffers()), None)
        return self._device if tensor is None else tensor.device

    @contextlib.contextmanager
    def _evaluating(self) -> Iterator[None]:
        """The module in evaluation mode and frozen; each part gets back what it had."""
        with self._lock:
            training = [part for part in self._module.modules() if part.training]
            trainable = [parameter for parameter in self._module.parameters() if parameter.requires_grad]
            if training or trainable:
                # Another thread must not see the flags half way, so it waits.
                with _switched_off(training, trainable):
                    yield
                return
        yield


@contextlib.contextmanager
def _switched_off(training: list[torch.nn.Module], trainable: list[torch.nn.Parameter]) -> Iterator[None]:
    try:
        for part in training:
            part.training = False
        for parameter in trainable:
            parameter.requires_grad_(False)
        yield
    finally:
        for part in training:
            part.training = True
        for parameter in trainable:
            parameter.requires_grad_(True)


def wrap_module(
    module: torch.nn.Module,
    name: str = "module",
    lower_better: bool = False,
    score_range: tuple[float, float] = (0.0, 100.0),
    window: int = 1,
) -> TargetMetric:
    """Make `module`, (N, 3, H, W) float32 RGB in [0, 1] -> (N,) or (N, 1), a target metric.

    A metric of clips (frame features and a temporal head) takes `window` consecutive frames
    at a time, the last ones maybe fewer, and gives one score, () or (1,), for all of them.

    Its own resizing and normalisation belong inside its differentiable forward. The module
    is not copied; its mode and `requires_grad` flags are the same after every call.
    What it returns is checked at each call: finite floating-point scores, as many as there must be.
    """
    return ModuleMetric(module, name, lower_better=lower_better, score_range=score_range, window=window)
