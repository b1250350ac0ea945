"""Canny against OpenCV, which the Canny of every paper here is."""

import cv2
import numpy as np
import pytest
import torch
from skimage import data

from attacks.edges import canny


def noise(height, width, seed, top=256):
    return np.random.default_rng(seed).integers(0, top, (height, width, 3)).astype(np.uint8)


def blobs(seed):
    return cv2.resize(noise(9, 9, seed), (99, 80), interpolation=cv2.INTER_CUBIC)


PICTURES = {
    "astronaut": data.astronaut()[:200, 100:400],
    "chelsea": data.chelsea()[::2, ::2],
    "coffee": data.coffee()[100:250],
    "noise": noise(40, 57, 0),
    "two levels": noise(61, 43, 1, top=2) * 60,
    "weak": noise(33, 21, 2, top=30),
    "one row": noise(1, 9, 3),
    "one pixel": noise(1, 1, 4),
    "flat": np.full((16, 16, 3), 77, np.uint8),
    **{f"blobs {seed}": blobs(seed) for seed in range(8)},
}


def as_batch(picture):
    return torch.from_numpy(picture.reshape(1, *picture.shape[:2], -1)).permute(0, 3, 1, 2)


@pytest.mark.slow
@pytest.mark.parametrize("name", PICTURES)
@pytest.mark.parametrize("thresholds", [(50, 150), (10, 300), (100, 100)])
def test_equals_opencv_on_grey_and_on_colour(name, thresholds):
    colour = PICTURES[name]
    for picture in (cv2.cvtColor(colour, cv2.COLOR_RGB2GRAY), colour):
        expected = cv2.Canny(picture, *thresholds) > 0
        assert np.array_equal(canny(as_batch(picture), *thresholds)[0, 0].numpy(), expected)


def test_the_pictures_have_edges_to_compare():
    shares = {name: canny(as_batch(picture), 50, 150).float().mean().item() for name, picture in PICTURES.items()}
    assert sum(0.01 < share < 0.5 for share in shares.values()) >= 8
    assert shares["flat"] == 0


def test_a_batch_is_its_pictures_one_by_one():
    batch = torch.cat([as_batch(blobs(seed)) for seed in range(4)])
    together = canny(batch)
    assert together.shape == (4, 1, 80, 99) and together.dtype == torch.bool
    assert torch.equal(together, torch.cat([canny(one[None]) for one in batch]))
    assert torch.equal(together, canny(batch.float()))


def test_a_weak_line_is_followed_however_long_it_is():
    picture = np.zeros((20, 400), np.uint8)
    picture[10:] = 25  # |dy| is 100: above 50, below 150
    assert not canny(as_batch(picture)).any()
    picture[10:, :2] = 60
    assert canny(as_batch(picture))[0, 0].any(dim=0).all()
    assert np.array_equal(canny(as_batch(picture))[0, 0].numpy(), cv2.Canny(picture, 50, 150) > 0)
