"""A clip under attack, chunk by chunk: the same steps for the search, the delivered file and a probe of the encoder."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from attacks import Attack, CleanGradient, Prepared
from attacks.errors import NoChange, ZeroGradient
from stimuli.clean_gradients import CleanGradients
from stimuli.clip import Clip
from stimuli.colour import Perturbation, Planes, add_perturbation, display_frames, perturbation_planes
from stimuli.metering import MeteredMetric

__all__ = ["AttackedChunk", "AttackedClip", "PreparedChunk"]


@dataclass(frozen=True)
class AttackedChunk:
    """Frames from `first` on: `planes` of the source, the change `delta` (N,3,H,W) of their RGB ([0,1] units, not
    rounded), the planes with that change, and the attack's own forwards and backwards per frame.
    """

    first: int
    planes: Planes
    delta: Tensor
    attacked: Planes
    passes: tuple[float, float]


class PreparedChunk:
    """Frames with everything done that does not depend on the strength."""

    def __init__(self, attack: Attack, frames: Tensor, metric: MeteredMetric, clean: CleanGradient | None) -> None:
        self._frames = frames
        self._gradients = attack.iterations if clean is not None else 0
        self._prepared: Prepared | None = None
        try:
            self._prepared = attack.prepare(frames, metric, clean=clean)
        except ZeroGradient as error:
            self._refusal = error

    def slopes(self) -> list[float] | None:
        """d(quality)/d(strength) at 0 of each frame; None where the attack cannot tell."""
        slope = self._prepared.initial_slope() if self._prepared else torch.zeros(len(self._frames))
        return None if slope is None else slope.tolist()

    def delta(self, strength: float) -> Tensor:
        """The change of the frames. Raises NoChange or ZeroGradient where there is none."""
        if self._prepared is None:
            raise self._refusal
        return self._prepared.at(strength) - self._frames

    @property
    def passes(self) -> tuple[float, float]:
        """Forwards and backwards per frame of one strength, as if no gradient were shared."""
        if self._prepared is None:
            return 1, 1
        cost = self._prepared.cost
        # The shared gradient belongs to the attack's own cost, where it is one of its steps.
        shared = max(self._gradients - cost.metric_backwards, 0)
        return cost.metric_forwards + shared, cost.metric_backwards + shared


class AttackedClip:
    """The clip with all that its attacks share; counts what each attack costs beyond that."""

    def __init__(self, clip: Clip, metric: MeteredMetric, gradients: CleanGradients, offsets: Perturbation) -> None:
        self.clip, self.metric, self.gradients = clip, metric, gradients
        self._offsets = offsets
        self._spent: dict[Attack, tuple[int, int]] = {}

    def prepare(self, attack: Attack, planes: Planes, clean: CleanGradient | None) -> PreparedChunk:
        """`clean`: the planes' shared gradient, where the attack has use for it."""
        return PreparedChunk(attack, display_frames(planes, self.clip.colour), self.metric, clean)

    def chunks(self, attack: Attack, strength: float, part: Clip | None = None) -> Iterator[AttackedChunk]:
        """All frames, or those of `part`, a shorter beginning of the clip in the same chunks.

        A chunk that the attack does not change (black frames at a cut, say) comes as it is.
        Raises: NoChange or ZeroGradient at the end, where no frame at all was changed.
        """
        refusal, alive = None, False
        for first, planes in (part or self.clip).chunks():
            clean = self.gradients.of_chunk(first, len(planes)) if attack.uses_clean_gradient else None
            prepared = self.prepare(attack, planes, clean)
            try:
                delta = prepared.delta(strength)
                alive = True
            except (NoChange, ZeroGradient) as error:
                refusal = error
                delta = torch.zeros(len(planes), 3, *planes.y.shape[-2:], device=planes.y.device)
            yield AttackedChunk(first, planes, delta, self.perturb(planes, delta), prepared.passes)
        if not alive:
            raise refusal

    def perturb(self, planes: Planes, delta: Tensor) -> Planes:
        """8-bit planes with a change of RGB in them."""
        return add_perturbation(planes, perturbation_planes(delta, self.clip.colour), self._offsets)

    @contextmanager
    def spending(self, attack: Attack) -> Iterator[None]:
        """Count what the metric does meanwhile to `attack`, but for the clean gradient."""
        if attack.uses_clean_gradient:
            self.gradients.compute()
        before = self.metric.forwards, self.metric.backwards
        try:
            yield
        finally:
            forwards, backwards = self._spent.get(attack, (0, 0))
            spent = self.metric.forwards - before[0], self.metric.backwards - before[1]
            self._spent[attack] = forwards + spent[0], backwards + spent[1]

    def spent(self, attack: Attack) -> tuple[float, float]:
        """Forwards and backwards per frame of the clip so far."""
        forwards, backwards = self._spent.get(attack, (0, 0))
        return forwards / self.clip.frames, backwards / self.clip.frames
