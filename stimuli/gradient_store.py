"""Clean gradients of a clip on disk: computed once per frame, shared by every attack that starts from them."""

from pathlib import Path

import numpy as np
import torch

from attacks import CleanGradient

__all__ = ["GradientStore"]


class GradientStore:
    """Signs packed into two bits a value, one file per chunk, so that memory does not grow with the clip.

    The float gradient is not kept. The folder belongs to one source and is the caller's to remove.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def write(self, first_frame: int, clean: CleanGradient) -> None:
        sign = clean.sign.cpu().numpy()
        with open(self._path(first_frame), "wb") as file:
            np.savez(
                file,
                scores=clean.scores.cpu().numpy(),
                up=np.packbits(sign > 0),
                down=np.packbits(sign < 0),
                shape=np.array(sign.shape),
            )

    def read(self, first_frame: int, device: torch.device) -> CleanGradient:
        with np.load(self._path(first_frame)) as stored:
            shape = tuple(stored["shape"])
            count = int(np.prod(shape))
            up, down = (np.unpackbits(stored[name], count=count).astype(np.int8) for name in ("up", "down"))
            scores = torch.from_numpy(stored["scores"])
        sign = torch.from_numpy((up - down).reshape(shape))
        return CleanGradient(scores=scores.to(device), sign=sign.to(device))

    def _path(self, first_frame: int) -> Path:
        return self._folder / f"{first_frame:08d}.npz"
