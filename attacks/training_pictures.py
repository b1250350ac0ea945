"""The pictures that attacks are trained on: a folder read once into memory as square 8-bit crops."""

import hashlib
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from attacks.errors import TrainingDataError
from attacks.seeds import derived_seed

__all__ = ["TrainingPictures", "read_training_pictures"]

_SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
_HELD_OUT_SHARE = 0.1
_HELD_OUT_MOST = 64
# 8 bits per channel or fewer, so that turning them into RGB loses nothing.
_MODES = {"1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "HSV", "LAB"}


@dataclass(frozen=True)
class TrainingPictures:
    """Crops in memory: `training` and `held_out`, (N, 3, S, S) uint8 RGB.

    folder: its bare name. sha256: of the names and contents of all files, in order.
    """

    training: torch.Tensor
    held_out: torch.Tensor
    folder: str
    sha256: str

    def describe(self) -> dict:
        """The record for the trained file's header."""
        return {
            "folder": self.folder,
            "pictures": len(self.training) + len(self.held_out),
            "held_out": len(self.held_out),
            "sha256": self.sha256,
        }

    @staticmethod
    def as_frames(pictures: torch.Tensor, device: torch.device) -> torch.Tensor:
        """uint8 crops as float32 frames in [0, 1] on `device`."""
        return pictures.to(device).float().div_(255)


def read_training_pictures(
    folder: Path,
    *,
    crop: int,
    seed: int,
    limit: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> TrainingPictures:
    """Read the pictures of `folder` and of the folders in it, sorted by name; with `limit`, the first so many.

    Each becomes its central `crop` x `crop` pixels; one with a shorter side is resized, whole, to that square. A tenth
    of them, drawn by `seed`, at least one and at most 64, is held out. `progress(done, total)` is called for each. A
    crop of 256 takes 0.2 MB of memory.

    Raises TrainingDataError for a folder that is missing or holds fewer than two pictures, and for a file that is none.
    """
    if not folder.is_dir():
        raise TrainingDataError(f"there is no folder {folder}; give the folder of the training pictures.")
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _SUFFIXES and path.is_file())[:limit]
    if len(files) < 2:
        raise TrainingDataError(
            f"{folder} holds {len(files)} picture{'' if len(files) == 1 else 's'} ({', '.join(_SUFFIXES)}); "
            "training needs two at least, and thousands to be worth its name."
        )
    content_hash = hashlib.sha256()
    crops = torch.empty(len(files), 3, crop, crop, dtype=torch.uint8)
    for index, path in enumerate(files):
        content = _read(path)
        content_hash.update(f"{path.relative_to(folder).as_posix()}\0".encode())
        content_hash.update(hashlib.sha256(content).digest())
        crops[index] = torch.from_numpy(_square(path, content, crop)).permute(2, 0, 1)
        if progress:
            progress(index + 1, len(files))
    order = torch.randperm(len(files), generator=torch.Generator().manual_seed(derived_seed(seed, "held out")))
    held_out = min(max(1, int(_HELD_OUT_SHARE * len(files))), _HELD_OUT_MOST)
    return TrainingPictures(
        training=crops[order[held_out:]],
        held_out=crops[order[:held_out]],
        folder=folder.resolve().name,
        sha256=content_hash.hexdigest(),
    )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise TrainingDataError(f"{path} cannot be read: {error.strerror}.") from error


def _square(path: Path, content: bytes, crop: int) -> np.ndarray:
    """The picture as (crop, crop, 3) uint8 RGB."""
    try:
        with Image.open(io.BytesIO(content)) as picture:
            if picture.mode not in _MODES:
                raise TrainingDataError(
                    f"{path} has more than 8 bits per channel ({picture.mode}); convert it to an 8-bit RGB picture."
                )
            picture = picture.convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise TrainingDataError(f"{path} cannot be read as a picture; remove or replace it.") from error
    width, height = picture.size
    if min(width, height) < crop:
        picture = picture.resize((crop, crop), Image.Resampling.BICUBIC)
    else:
        left, top = (width - crop) // 2, (height - crop) // 2
        picture = picture.crop((left, top, left + crop, top + crop))
    return np.array(picture)
