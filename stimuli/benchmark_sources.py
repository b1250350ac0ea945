"""A source of the benchmark: files that are checked once, and read as frames by any number of jobs."""

import hashlib
from collections.abc import Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from stimuli.clip import fitting_chunk, in_whole_windows
from stimuli.errors import InvalidSource
from stimuli.pictures import read_picture
from stimuli.prefetch import ahead
from stimuli.request import PICTURE_SUFFIXES
from stimuli.scoring import frame_chunks
from stimuli.store import hash_of_file
from stimuli.video import read_unprobed

__all__ = ["BenchmarkSource", "hash_of_files", "look_into"]

# Chunks of pictures that are read before they are asked for.
_AHEAD = 2


@dataclass(frozen=True)
class BenchmarkSource:
    """One video, or pictures of any sizes, as a job needs it; a JSON document by `dataclasses.asdict`.

    dataset, name: what tables call it. sha256: of the files' content. frames: how many of the first are used. sizes:
    (width, height) of each picture, or of the video.
    """

    dataset: str
    name: str
    files: tuple[str, ...]
    sha256: str
    frames: int
    sizes: tuple[tuple[int, int], ...]

    @classmethod
    def from_document(cls, document: dict) -> "BenchmarkSource":
        files, sizes = tuple(document["files"]), tuple(map(tuple, document["sizes"]))
        return cls(**document | {"files": files, "sizes": sizes})

    @property
    def label(self) -> str:
        return f"{self.dataset}/{self.name}"

    def name_of(self, frame: int) -> str:
        """What tables call a frame's source: every picture is one, as pictures do not hang together."""
        return f"{self.name}/{Path(self.files[frame]).name}" if _are_pictures(self.files) else self.name

    @property
    def pixels(self) -> int:
        """Of all frames together."""
        mean = sum(width * height for width, height in self.sizes) / len(self.sizes)
        return round(mean * self.frames)

    def check(self, window: int) -> None:
        """Raises: InvalidSource where a file is not the one of the plan, or pictures make no clip for the window."""
        if hash_of_files(map(Path, self.files)) != self.sha256:
            raise InvalidSource(f"{self.label} has changed since the run began; run the command again.")
        if window > 1 and len(set(self.sizes)) > 1:
            raise InvalidSource(
                f"{self.label} has pictures of several sizes, which are no clip for a metric that scores {window} "
                "frames together; take --window 1, or pictures of one size."
            )

    def chunks(
        self, *, chunk: int | None, window: int, device: torch.device
    ) -> Generator[tuple[list[int], Tensor], None, None]:
        """(indices of the frames, (N,3,H,W) float32 RGB in [0,1], whole 8-bit levels / 255) until each frame was there.

        Of a video and of pictures of one size in their order, in whole windows; of others size by size. Read ahead in
        a thread, which ends when this generator is closed.
        """
        if _are_pictures(self.files):
            with closing(ahead(self._pictures(chunk, window), _AHEAD)) as ready:
                for indices, pictures in ready:
                    yield indices, pictures.to(device).float() / 255
            return
        first, path = 0, Path(self.files[0])
        with closing(frame_chunks(path, device=device, chunk=chunk, window=window, max_frames=self.frames)) as ready:
            for frames in ready:
                yield list(range(first, first + len(frames))), frames
                first += len(frames)

    def _pictures(self, chunk: int | None, window: int) -> Generator[tuple[list[int], Tensor], None, None]:
        for size in dict.fromkeys(self.sizes):
            indices = [index for index, other in enumerate(self.sizes) if other == size]
            step = in_whole_windows(chunk or fitting_chunk(*size), window)
            for start in range(0, len(indices), step):
                part = indices[start : start + step]
                yield part, torch.stack([read_picture(Path(self.files[index])) for index in part])


def hash_of_files(paths: Iterable[Path]) -> str:
    """Hexadecimal SHA-256 of the content of files, in their order."""
    digest = hashlib.sha256()
    for path in paths:
        try:
            digest.update(bytes.fromhex(hash_of_file(path)))
        except OSError as error:
            raise InvalidSource(f"{path} cannot be read: {error.strerror or error}.") from error
    return digest.hexdigest()


def look_into(files: Sequence[Path], limit: int | None) -> dict:
    """The fields `frames` and `sizes` of a source, after each of its first `limit` frames was decoded.

    Raises: InvalidSource.
    """
    if _are_pictures(files):
        sizes = [tuple(reversed(read_picture(path).shape[1:])) for path in files]
        return {"frames": len(files), "sizes": sizes}
    frames, sizes = 0, set()
    for picture, planes in read_unprobed(files[0], chunk=fitting_chunk, limit=limit):
        frames += len(planes)
        sizes.add((picture.width, picture.height))
    return {"frames": frames, "sizes": list(sizes)}


def _are_pictures(files: Sequence) -> bool:
    return Path(files[0]).suffix.lower() in PICTURE_SUFFIXES
