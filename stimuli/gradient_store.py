"""Clean gradients of a clip on disk: computed once per frame, shared by every attack that starts from them."""

from pathlib import Path

import numpy as np
import torch

from attacks import CleanGradient

__all__ = ["GradientStore"]


class GradientStore:
    """Signs packed into two bits a value, one file per chunk, and whole gradients of single frames, so that memory
    does not grow with the clip. The folder belongs to one source and is the caller's to remove.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def write(self, first_frame: int, clean: CleanGradient) -> None:
        """Scores and signs of a chunk."""
        sign = clean.sign.cpu().numpy()
        with open(self._path(first_frame), "wb") as file:
            np.savez(
                file,
                scores=clean.scores.cpu().numpy(),
                up=np.packbits(sign > 0),
                down=np.packbits(sign < 0),
                shape=np.array(sign.shape),
            )

    def read(self, first_frame: int, device: torch.device, frames: int | None = None) -> CleanGradient:
        """Scores and signs of the first `frames` frames (None: all) of the chunk that starts at `first_frame`."""
        with np.load(self._path(first_frame)) as stored:
            shape = tuple(stored["shape"])
            count = int(np.prod(shape))
            up, down = (np.unpackbits(stored[name], count=count).astype(np.int8) for name in ("up", "down"))
            scores = torch.from_numpy(stored["scores"])
        sign = torch.from_numpy((up - down).reshape(shape))
        return CleanGradient(scores=scores[:frames].to(device), sign=sign[:frames].to(device))

    def write_values(self, frame: int, clean: CleanGradient) -> None:
        """All of one frame's (1, 3, H, W) gradient."""
        parts = (clean.scores, clean.sign, clean.gradient)
        torch.save([part.cpu().clone() for part in parts], self._values_path(frame))

    def read_values(self, frame: int, device: torch.device) -> CleanGradient:
        """What `write_values` kept."""
        parts = torch.load(self._values_path(frame), weights_only=True)
        return CleanGradient(*(part.to(device) for part in parts))

    def _path(self, first_frame: int) -> Path:
        return self._folder / f"{first_frame:08d}.npz"

    def _values_path(self, frame: int) -> Path:
        return self._folder / f"{frame:08d}.pt"
