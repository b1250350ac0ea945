"""Raw planes on disk, written and read in chunks: what an attack made, kept until the file it became is measured."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from stimuli.colour import Planes

__all__ = ["ChangeSpool", "PlaneSpool"]


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


class ChangeSpool:
    """Changes of single frames, (3,H,W) in [0,1] units, as half floats on disk."""

    def __init__(self, path: Path, *, height: int, width: int) -> None:
        self._path = path
        self._shape = (1, 3, height, width)
        self._places: dict[int, int] = {}
        path.unlink(missing_ok=True)

    def add(self, frame: int, change: torch.Tensor) -> None:
        with open(self._path, "ab") as file:
            self._places[frame] = file.tell()
            file.write(change.half().cpu().contiguous().numpy())

    def read(self, frame: int, device: torch.device) -> torch.Tensor:
        """(1,3,H,W) float32."""
        change = np.fromfile(self._path, np.float16, int(np.prod(self._shape)), offset=self._places[frame])
        return torch.from_numpy(change).reshape(self._shape).to(device).float()

    def remove(self) -> None:
        self._path.unlink(missing_ok=True)
