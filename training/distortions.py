"""Synthetic distortions whose strength is one number, the severity: 0 leaves the picture as it is, 5 ruins it."""

import io
import tempfile
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType

import numpy as np
import torch
from PIL import Image
from scipy.ndimage import gaussian_filter

from attacks import to_uint8
from stimuli.colour import ColourDescription, PixelFormat, Planes, delivered_colour, display_frames, to_delivery
from stimuli.delivery import get_profile
from stimuli.video import read_planes, write_video

__all__ = ["DISTORTIONS", "MAXIMUM_SEVERITY", "Distortion", "blur", "distort", "downscale", "h264", "jpeg", "noise"]

MAXIMUM_SEVERITY = 5.0

_RGB = PixelFormat("rgb", 8, 0, 0)
_COLOUR = ColourDescription("rgb", "full", "bt709", "bt709")

Distortion = Callable[[np.ndarray, float, np.random.Generator], np.ndarray]


def blur(picture: np.ndarray, severity: float, _: np.random.Generator) -> np.ndarray:
    """Gaussian blur, sigma 0.5 + 0.2 s^1.7 pixels (0.5 to 3.6)."""
    sigma = 0.5 + 0.2 * severity**1.7
    return _rounded(gaussian_filter(picture.astype(np.float32), (sigma, sigma, 0)))


def noise(picture: np.ndarray, severity: float, rng: np.random.Generator) -> np.ndarray:
    """White Gaussian noise, independent per channel, sigma 3 * 1.75^s code values (3 to 49)."""
    sigma = 3.0 * 1.75**severity
    return _rounded(picture + sigma * rng.standard_normal(picture.shape, dtype=np.float32))


def jpeg(picture: np.ndarray, severity: float, _: np.random.Generator) -> np.ndarray:
    """JPEG 4:2:0, quality 92 * exp(-0.53 s) (92 to 6)."""
    return _coded(picture, "JPEG", quality=round(92 * np.exp(-0.53 * severity)), subsampling=2)


def h264(picture: np.ndarray, severity: float, _: np.random.Generator) -> np.ndarray:
    """One intra frame of H.264 4:2:0 (x264), crf 20 + 6 s (20 to 50)."""
    height, width = picture.shape[:2]
    even = np.pad(picture, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    rgb = (torch.from_numpy(np.ascontiguousarray(even[None, ..., channel])) for channel in range(3))
    planes = to_delivery(Planes(*rgb), _RGB, _COLOUR)
    profile = replace(get_profile("h264"), options={"preset": "veryfast", "crf": f"{20 + 6 * severity:.2f}"}, threads=1)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "picture.mp4"
        size = {"height": even.shape[0], "width": even.shape[1]}
        write_video(path, [planes], **size, fps=Fraction(25), colour=delivered_colour(_COLOUR), profile=profile)
        (decoded,) = read_planes(path, chunk=1)
    frame = display_frames(decoded, delivered_colour(_COLOUR))
    return to_uint8(frame)[0].permute(1, 2, 0).numpy()[:height, :width]


def downscale(picture: np.ndarray, severity: float, _: np.random.Generator) -> np.ndarray:
    """Smaller by 1 + 0.28 s^1.5 and back, both bicubic (Pillow's, which filters when it shrinks)."""
    factor = 1 + 0.28 * severity**1.5
    height, width = picture.shape[:2]
    small = (max(1, round(width / factor)), max(1, round(height / factor)))
    image = Image.fromarray(picture).resize(small, Image.Resampling.BICUBIC)
    return np.asarray(image.resize((width, height), Image.Resampling.BICUBIC))


DISTORTIONS = MappingProxyType({"blur": blur, "noise": noise, "jpeg": jpeg, "downscale": downscale, "h264": h264})


def distort(picture: np.ndarray, name: str, severity: float, rng: np.random.Generator) -> np.ndarray:
    """Picture (H, W, 3) uint8 -> the same shape and type, distorted.

    Raises ValueError for a severity outside [0, 5].
    """
    if not 0 <= severity <= MAXIMUM_SEVERITY:
        raise ValueError(f"severity must be between 0 and {MAXIMUM_SEVERITY:g}, got {severity:g}")
    return picture if severity == 0 else DISTORTIONS[name](picture, severity, rng)


def _rounded(values: np.ndarray) -> np.ndarray:
    return np.clip(np.floor(values + 0.5), 0, 255).astype(np.uint8)


def _coded(picture: np.ndarray, file_format: str, **settings: int) -> np.ndarray:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, file_format, **settings)
    return np.asarray(Image.open(buffer).convert("RGB"))
