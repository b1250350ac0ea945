"""Picture files as frames: 8-bit RGB, exact, and refused where showing them would need a decision."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from stimuli.errors import InvalidSource

__all__ = ["read_picture"]

_GREY = {"1", "L", "LA"}
_COLOUR = {"P", "PA", "RGB", "RGBA", "RGBX"}


def read_picture(path: Path) -> Tensor:
    """(3,H,W) uint8 RGB, turned as its EXIF data say; a grey picture has its values in all three channels.

    Raises: InvalidSource naming the file: no picture, broken, more than 8 bits per channel, real transparency (an
    alpha channel that is opaque everywhere is dropped), another colour space, several pictures in one file.
    """
    try:
        with Image.open(path) as picture:
            _check(path, picture)
            upright = ImageOps.exif_transpose(picture)
            return torch.from_numpy(np.array(upright.convert("RGB"))).permute(2, 0, 1).contiguous()
    except FileNotFoundError:
        raise InvalidSource(f"There is no picture {path}; check the name.") from None
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        raise InvalidSource(f"{path} cannot be read as a picture; remove it or get a whole copy of it.") from error


def _check(path: Path, picture: Image.Image) -> None:
    if _wide(picture):
        raise InvalidSource(
            f"{path} has more than 8 bits per channel; save it with 8 bits, the metrics here are made for those."
        )
    if picture.mode not in _GREY | _COLOUR:
        raise InvalidSource(f"{path} is a {picture.mode} picture; save it as RGB or grey.")
    # A phone's JPEG may carry a second view beside its picture (MPO), which nobody means.
    if getattr(picture, "n_frames", 1) > 1 and picture.format != "MPO":
        raise InvalidSource(f"{path} holds {picture.n_frames} pictures; save each as a file of its own.")
    if picture.has_transparency_data and picture.convert("RGBA").getchannel("A").getextrema()[0] < 255:
        raise InvalidSource(f"{path} is transparent in places; put it on the background that it is to be seen on.")


def _wide(picture: Image.Image) -> bool:
    """Whether the file holds more than 8 bits per channel; Pillow drops the lower bits of RGB without a word."""
    if picture.mode[0] in "IF":
        return True
    formats = [
        part
        for tile in picture.tile
        for part in (tile[3] if isinstance(tile[3], tuple) else (tile[3],))
        if isinstance(part, str)
    ]
    # BGR;16 of a BMP is 16 bits for all three channels.
    return any(";16" in name or ";32" in name for name in formats if not name.startswith("BGR"))
