"""Raw planes on disk, written and read in chunks: what an attack made, kept until the file it became is measured."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from stimuli.colour import Planes

__all__ = ["PlaneSpool"]


class PlaneSpool:
    """uint8 4:2:0 planes of one size, in the order they were added; 1.5 bytes a pixel on disk, none in memory."""

    def __init__(self, path: Path, *, height: int, width: int) -> None:
        self._path = path
        self._shapes = ((height, width), (height // 2, width // 2), (height // 2, width // 2))
        path.unlink(missing_ok=True)

    def add(self, planes: Planes) -> None:
        with open(self._path, "ab") as file:
            for y, u, v in zip(planes.y.cpu(), planes.u.cpu(), planes.v.cpu(), strict=True):
                for plane in (y, u, v):
                    file.write(plane.contiguous().numpy())

    def chunks(self, chunk: int, device: torch.device) -> Iterator[Planes]:
        sizes = [height * width for height, width in self._shapes]
        with open(self._path, "rb") as file:
            while data := file.read(sum(sizes) * chunk):
                frames = torch.from_numpy(np.frombuffer(bytearray(data), np.uint8)).view(-1, sum(sizes)).to(device)
                parts = frames.split(sizes, dim=1)
                yield Planes(*(part.reshape(-1, *shape) for part, shape in zip(parts, self._shapes, strict=True)))

    def remove(self) -> None:
        self._path.unlink(missing_ok=True)
