"""Adam (Kingma and Ba 2015), one tensor at a time.

Not PyTorch's: the first use of torch.optim loads its compiler, which takes seconds, and keeps more state than these.
"""

from collections.abc import Mapping

import torch

__all__ = ["EPSILON", "Adam"]

_BETA_1, _BETA_2 = 0.9, 0.999
EPSILON = 1e-8


class Adam:
    """Adam's direction after each of a series of gradients: m / (sqrt(v) + epsilon), both corrected for their start.

    epsilon: a number, or a tensor that fits the gradients.
    """

    def __init__(self, like: torch.Tensor, epsilon: float | torch.Tensor = EPSILON):
        self._mean = torch.zeros_like(like)
        self._square = torch.zeros_like(like)
        self._epsilon = epsilon
        self._steps = 0

    def direction(self, gradient: torch.Tensor) -> torch.Tensor:
        """A new tensor of the gradient's shape; 0 where all gradients so far were 0."""
        self._steps += 1
        self._mean.lerp_(gradient, 1 - _BETA_1)
        self._square.mul_(_BETA_2).addcmul_(gradient, gradient, value=1 - _BETA_2)
        root = (1 - _BETA_2**self._steps) ** 0.5
        spread = self._square.sqrt().add_(self._epsilon * root)
        return torch.div(self._mean, spread, out=spread).mul_(root / (1 - _BETA_1**self._steps))

    def state(self) -> dict[str, torch.Tensor]:
        """All that the next direction depends on."""
        return {"mean": self._mean, "square": self._square, "steps": torch.tensor(self._steps)}

    def restore(self, state: Mapping[str, torch.Tensor]) -> None:
        """Continue from `state()`."""
        self._mean.copy_(state["mean"])
        self._square.copy_(state["square"])
        self._steps = int(state["steps"])
