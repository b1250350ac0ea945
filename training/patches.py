"""Training examples: small distorted pieces of pictures, each with the number of points that it should score."""

from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter
from tqdm import tqdm

from training.distortions import DISTORTIONS, MAXIMUM_SEVERITY, distort
from training.pictures import Picture

__all__ = ["PATCH_SIDE", "PatchSet", "make_patches", "target_points"]

# Large enough for even and detailed areas in one patch: the network has to learn which of them to trust.
PATCH_SIDE = 160
# Distorted with a margin that is then cut off, so that no filter sees the edge of the piece.
_MARGIN = 16
_PRISTINE = 62.0
_PER_SEVERITY = 12.0
# A picture shrunk to half its sharp size is sharper still. It scores more, so that the scale goes on above pristine
# and natural pictures are not at its end: an attack has somewhere to go.
_PER_OCTAVE = 10.0
_LARGEST_SHRINK = 2.0
# The same for sharpening, which learned metrics are known to reward.
_PER_SHARPENING = 8.0
_STRONGEST_SHARPENING = 2.0
# Noise below the smallest severity is free: it is what 8-bit cameras have.
_FREE_NOISE = 3.0
# Standard deviation of fine detail, in code values.
_LEAST_DETAIL = 2.0
_CHAINS = (
    ("blur", "noise"),
    ("blur", "jpeg"),
    ("blur", "h264"),
    ("downscale", "noise"),
    ("downscale", "jpeg"),
    ("downscale", "h264"),
    ("noise", "jpeg"),
    ("noise", "h264"),
)
_TRIES = 20


@dataclass(frozen=True)
class PatchSet:
    """patches (N, S, S, 3) uint8, points (N,) float32."""

    patches: np.ndarray
    points: np.ndarray


def target_points(severity: float, octaves: float, sharpening: float) -> float:
    """What a patch of a picture shrunk by `octaves` beyond its sharp size, sharpened, then distorted, should score."""
    bonus = _PER_OCTAVE * octaves + _PER_SHARPENING * sharpening
    return _PRISTINE - _PER_SEVERITY * severity + bonus * float(np.exp(-severity))


def make_patches(pictures: list[Picture], count: int, seed: int) -> PatchSet:
    """`count` patches in equal shares of the pictures: one in ten clean, one in four with two distortions."""
    rng = np.random.default_rng(seed)
    patches = np.empty((count, PATCH_SIDE, PATCH_SIDE, 3), np.uint8)
    points = np.empty(count, np.float32)
    for i in tqdm(range(count), desc="patches", unit="patch", mininterval=5):
        octaves, piece = _detailed_piece(pictures[i % len(pictures)], rng)
        sharpening = rng.uniform(0, _STRONGEST_SHARPENING) if rng.random() < 0.15 else 0.0
        piece = _sharpened(_recoloured(piece, rng), sharpening, rng)
        distorted, severity = _distorted(piece, rng)
        top, left = rng.integers(0, 2 * _MARGIN + 1, 2)
        patches[i] = distorted[top : top + PATCH_SIDE, left : left + PATCH_SIDE]
        points[i] = target_points(severity, octaves, sharpening)
    return PatchSet(patches, points)


def _detailed_piece(picture: Picture, rng: np.random.Generator) -> tuple[float, np.ndarray]:
    """A piece on which a distortion can be seen: of an even sky, blurred or not, nothing can be learned."""
    for _ in range(_TRIES):
        octaves, piece = _piece(picture, rng)
        luma = piece.mean(axis=2)
        if (luma - gaussian_filter(luma, 2.0)).std() > _LEAST_DETAIL:
            break
    return octaves, piece


def _piece(picture: Picture, rng: np.random.Generator) -> tuple[float, np.ndarray]:
    side = PATCH_SIDE + 2 * _MARGIN
    height, width = picture.pixels.shape[:2]
    largest = min(_LARGEST_SHRINK, min(height, width) / (side * picture.sharp_at))
    octaves = float(rng.uniform(0, max(0.0, np.log2(largest))))
    window = min(height, width, round(side * picture.sharp_at * 2**octaves))
    top, left = rng.integers(0, height - window + 1), rng.integers(0, width - window + 1)
    cut = Image.fromarray(picture.pixels[top : top + window, left : left + window])
    piece = np.asarray(cut.resize((side, side), Image.Resampling.LANCZOS))
    if rng.random() < 0.5:
        piece = piece[:, ::-1]
    return octaves, np.ascontiguousarray(np.rot90(piece, rng.integers(0, 4)))


def _recoloured(piece: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Another contrast, brightness and saturation: the same distortions on what looks like another picture."""
    values = piece.astype(np.float32)
    grey = values.mean(axis=2, keepdims=True)
    values = grey + rng.uniform(0, 1.2) * (values - grey)[..., rng.permutation(3)]
    mean = values.mean()
    values = mean + rng.uniform(0.5, 1.2) * (values - mean) + rng.uniform(-30, 30)
    return np.clip(np.floor(values + 0.5), 0, 255).astype(np.uint8)


def _sharpened(piece: np.ndarray, amount: float, rng: np.random.Generator) -> np.ndarray:
    if amount == 0:
        return piece
    values = piece.astype(np.float32)
    sigma = rng.uniform(0.6, 1.5)
    values += amount * (values - gaussian_filter(values, (sigma, sigma, 0)))
    return np.clip(np.floor(values + 0.5), 0, 255).astype(np.uint8)


def _distorted(piece: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, float]:
    names = list(DISTORTIONS)
    kind = rng.random()
    if kind < 0.05:
        return piece, 0.0
    if kind < 0.1:
        sigma = rng.uniform(0, _FREE_NOISE)
        grain = sigma * rng.standard_normal(piece.shape, dtype=np.float32)
        return np.clip(np.floor(piece + grain + 0.5), 0, 255).astype(np.uint8), 0.0
    first = rng.uniform(0, MAXIMUM_SEVERITY)
    if kind < 0.75:
        return distort(piece, names[rng.integers(len(names))], first, rng), float(first)
    # Optics first, then the sensor, coding last, as in a camera.
    chain = _CHAINS[rng.integers(len(_CHAINS))]
    second = rng.uniform(0, MAXIMUM_SEVERITY)
    twice = distort(distort(piece, chain[0], first, rng), chain[1], second, rng)
    return twice, float(min(MAXIMUM_SEVERITY, np.hypot(first, second)))
