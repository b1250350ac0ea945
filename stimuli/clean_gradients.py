"""One gradient per frame of a clip, shared by every attack that starts from it."""

from collections.abc import Sequence
from pathlib import Path

import torch

from attacks import CleanGradient, clean_gradient
from attacks.errors import ZeroGradient
from stimuli.clip import Clip
from stimuli.colour import display_frames
from stimuli.gradient_store import GradientStore
from stimuli.metering import MeteredMetric
from stimuli.progress import Progress

__all__ = ["CleanGradients"]


class CleanGradients:
    """Computed at the first use, kept in `folder`: signs for all frames, the float gradient for the few of `subset`.

    Raises, at the first use: ZeroGradient where no frame has a gradient, NotDifferentiable.
    """

    def __init__(
        self, clip: Clip, metric: MeteredMetric, folder: Path, subset: Sequence[int], progress: Progress
    ) -> None:
        self._clip, self._metric, self._progress = clip, metric, progress
        self._folder, self._subset = folder, subset
        self._store: GradientStore | None = None

    def of_chunk(self, first_frame: int, frames: int) -> CleanGradient:
        """Of the first `frames` frames of the clip's chunk that starts at `first_frame`; scores and signs."""
        self.compute()
        return self._store.read(first_frame, self._clip.device, frames)

    def of_subset(self, part: slice) -> CleanGradient:
        """Of some of the subset's frames, with the float gradient."""
        self.compute()
        picked = [self._store.read_values(index, self._clip.device) for index in self._subset[part]]
        return CleanGradient(
            *(torch.cat([getattr(clean, name) for clean in picked]) for name in ("scores", "sign", "gradient"))
        )

    def compute(self) -> None:
        """One forward and one backward for each frame, unless that is done."""
        if self._store is not None:
            return
        store, silent, alive = GradientStore(self._folder), None, False
        step = f"{self._clip.path.stem}: gradients"
        for first, planes in self._progress.frames(self._clip.chunks(), self._clip.frames, step):
            frames = display_frames(planes, self._clip.colour)
            try:
                clean = clean_gradient(frames, self._metric)
                alive = True
            except ZeroGradient as error:
                # Black frames at a cut stay as they are; only a clip without any gradient cannot be attacked.
                silent = error
                clean = CleanGradient(
                    torch.tensor(self._metric.values(frames), device=frames.device),
                    torch.zeros_like(frames, dtype=torch.int8),
                    torch.zeros_like(frames),
                )
            store.write(first, clean)
            for index in self._subset:
                if first <= index < first + len(planes):
                    here = slice(index - first, index - first + 1)
                    store.write_values(index, CleanGradient(clean.scores[here], clean.sign[here], clean.gradient[here]))
        if silent is not None and not alive:
            raise silent
        self._store = store
