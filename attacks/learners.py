"""How each trained attack learns: what it adds to the training pictures, and how a gradient changes that.

The loss is J = 1 - s * f / range, averaged over the batch: f the metric's score, s = -1 where lower is better and 1
otherwise, range the width of the metric's usual scores on clean pictures.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping

import torch

from attacks.adam import Adam
from attacks.generators import new_generator
from attacks.seeds import derived_seed
from attacks.training_settings import TrainingSettings

__all__ = ["LEARNERS", "Learner"]


class Learner(ABC):
    """A perturbation under training.

    true_clip: values that the clip to [0, 1] holds get no gradient; else the clip is straight-through, as if it were
    not there.
    """

    true_clip = False

    @abstractmethod
    def perturbation(self, pictures: torch.Tensor, random: torch.Generator) -> torch.Tensor:
        """What is added to training pictures (N, 3, S, S): (1 or N, 3, S, S). Dropout draws from `random`."""

    @abstractmethod
    def descend(self, perturbation: torch.Tensor, gradient: torch.Tensor) -> None:
        """One step against `gradient`, dJ/d(perturbation) of the perturbation's shape."""

    @abstractmethod
    def applied(self, pictures: torch.Tensor) -> torch.Tensor:
        """What the finished attack adds to these pictures at strength 1."""

    @abstractmethod
    def result(self) -> dict[str, torch.Tensor]:
        """The tensors of the trained file."""

    @abstractmethod
    def state(self) -> dict[str, torch.Tensor]:
        """All that the next step depends on."""

    @abstractmethod
    def restore(self, state: Mapping[str, torch.Tensor]) -> None:
        """Continue from `state()`."""


class _AdamDescent:
    """Named tensors, changed in place: tensor <- tensor - rate * Adam(gradient)."""

    def __init__(self, tensors: Mapping[str, torch.Tensor], rate: float):
        self._tensors = {name: tensor.detach() for name, tensor in tensors.items()}
        self._adam = {name: Adam(tensor) for name, tensor in self._tensors.items()}
        self._rate = rate

    def take(self, gradients: Mapping[str, torch.Tensor]) -> None:
        for name, gradient in gradients.items():
            self._tensors[name].sub_(self._adam[name].direction(gradient), alpha=self._rate)

    def state(self) -> dict[str, torch.Tensor]:
        kept = {
            f"adam.{part}.{name}": value for name, adam in self._adam.items() for part, value in adam.state().items()
        }
        return self._tensors | kept

    def restore(self, state: Mapping[str, torch.Tensor]) -> None:
        for name, tensor in self._tensors.items():
            tensor.copy_(state[name])
            self._adam[name].restore({part: state[f"adam.{part}.{name}"] for part in ("mean", "square", "steps")})


class OptimizedPattern(Learner):
    """Adam on the pattern u, then u <- clamp(u, -eps, eps), from u = 0 (Shumitskaya et al., BMVC 2022)."""

    def __init__(self, settings: TrainingSettings, device: torch.device):
        self._eps = settings.eps
        self._pattern = torch.zeros(1, 3, settings.crop, settings.crop, device=device)
        self._steps = _AdamDescent({"perturbation": self._pattern}, settings.learning_rate)

    def perturbation(self, pictures: torch.Tensor, random: torch.Generator) -> torch.Tensor:
        return self._pattern

    def descend(self, perturbation: torch.Tensor, gradient: torch.Tensor) -> None:
        self._steps.take({"perturbation": gradient})
        self._pattern.clamp_(-self._eps, self._eps)

    def applied(self, pictures: torch.Tensor) -> torch.Tensor:
        return self._pattern

    def result(self) -> dict[str, torch.Tensor]:
        return {"perturbation": self._pattern}

    def state(self) -> dict[str, torch.Tensor]:
        return self._steps.state()

    def restore(self, state: Mapping[str, torch.Tensor]) -> None:
        self._steps.restore(state)


class CumulativePattern(Learner):
    """u <- clamp(u - eta * gradient, -eps, eps), from u = 0: no sign, no Adam (Shumitskaya et al., CVIU 240, 2024).

    Differs: the factor `eta`, 1 in the paper. Without sign or Adam the pattern grows as slowly as gradients are small,
    which depends on the metric, its range and the size of the pictures.
    """

    def __init__(self, settings: TrainingSettings, device: torch.device):
        self._eps, self._eta = settings.eps, settings.eta
        self._pattern = torch.zeros(1, 3, settings.crop, settings.crop, device=device)

    def perturbation(self, pictures: torch.Tensor, random: torch.Generator) -> torch.Tensor:
        return self._pattern

    def descend(self, perturbation: torch.Tensor, gradient: torch.Tensor) -> None:
        self._pattern.sub_(gradient, alpha=self._eta).clamp_(-self._eps, self._eps)

    def applied(self, pictures: torch.Tensor) -> torch.Tensor:
        return self._pattern

    def result(self) -> dict[str, torch.Tensor]:
        return {"perturbation": self._pattern}

    def state(self) -> dict[str, torch.Tensor]:
        return self.result()

    def restore(self, state: Mapping[str, torch.Tensor]) -> None:
        self._pattern.copy_(state["perturbation"])


class _Network(Learner):
    """Adam on a network whose output times eps is the perturbation."""

    def __init__(self, settings: TrainingSettings, device: torch.device):
        self._eps = settings.eps
        seed = derived_seed(settings.seed, "network")
        self._network = new_generator(settings.generator, settings.width, seed).to(device)
        self._parameters = dict(self._network.named_parameters())
        self._steps = _AdamDescent(self._parameters, settings.learning_rate)

    def descend(self, perturbation: torch.Tensor, gradient: torch.Tensor) -> None:
        gradients = torch.autograd.grad(perturbation, list(self._parameters.values()), gradient)
        self._steps.take(dict(zip(self._parameters, gradients, strict=True)))

    def state(self) -> dict[str, torch.Tensor]:
        return self._steps.state()

    def restore(self, state: Mapping[str, torch.Tensor]) -> None:
        self._steps.restore(state)

    def _trained(self, seen: torch.Tensor, random: torch.Generator) -> torch.Tensor:
        self._network.random = random
        return self._eps * self._network.train()(seen)

    def _finished(self, seen: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            return self._eps * self._network.eval()(seen)


class GenerativePattern(_Network):
    """u = eps * G(z) with one noise picture z ~ U[0, 1) that stays as drawn (Shumitskaya et al., CVIU 240, 2024).

    Differs: the public code clamps z to +-eps after the first step, stores z in the place of u, and leaves dropout on
    for the final u. Here G is in evaluation mode for it.
    """

    def __init__(self, settings: TrainingSettings, device: torch.device):
        super().__init__(settings, device)
        size = (1, 3, settings.crop, settings.crop)
        random = torch.Generator().manual_seed(derived_seed(settings.seed, "noise"))
        self._noise = torch.rand(size, generator=random).to(device)

    def perturbation(self, pictures: torch.Tensor, random: torch.Generator) -> torch.Tensor:
        return self._trained(self._noise, random)

    def applied(self, pictures: torch.Tensor) -> torch.Tensor:
        return self._finished(self._noise)

    def result(self) -> dict[str, torch.Tensor]:
        return {"perturbation": self._finished(self._noise)}


class PerturbationNetwork(_Network):
    """FACPA's network: delta = eps * G(x) for every picture x (Shumitskaya et al., ICLR 2023 Tiny Papers).

    Differs: J is divided by the metric's own range, in the paper by 100, which matters to Adam only where gradients are
    near its 1e-8. An epoch sees every picture once; the public code draws batches with repetition.
    """

    true_clip = True

    def perturbation(self, pictures: torch.Tensor, random: torch.Generator) -> torch.Tensor:
        return self._trained(pictures, random)

    def applied(self, pictures: torch.Tensor) -> torch.Tensor:
        return self._finished(pictures)

    def result(self) -> dict[str, torch.Tensor]:
        return self._network.state_dict()


LEARNERS = {
    "uap_optimized": OptimizedPattern,
    "uap_cumulative": CumulativePattern,
    "uap_generative": GenerativePattern,
    "facpa": PerturbationNetwork,
}
