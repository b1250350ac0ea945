"""The just-noticeable difference against NumPy, SciPy and OpenCV, written from the equations."""

import math

import cv2
import numpy as np
import pytest
import torch
from scipy import ndimage
from skimage import data

from attacks.jnd import grey_levels, just_noticeable_difference, luminance_adaptation


def picture(seed):
    if seed == "photograph":
        return data.astronaut()[:90, 180:300]
    rough = np.random.default_rng(seed).integers(0, 256, (8, 6, 3)).astype(np.uint8)
    return cv2.resize(rough, (44, 37), interpolation=cv2.INTER_CUBIC)


def as_frames(*pictures):
    return torch.stack([torch.from_numpy(one).permute(2, 0, 1) for one in pictures]).float() / 255


def expected_jnd(colour):
    grey = cv2.cvtColor(colour, cv2.COLOR_RGB2GRAY)
    edges = cv2.Canny(grey, 50, 150).astype(float)
    grey = grey.astype(float)

    def spread(values):
        return ndimage.maximum_filter(values, 5) - ndimage.minimum_filter(values, 5)

    contrast = 0.117 * spread(edges) + 3 * 0.117 * spread(grey - edges)
    background = np.empty_like(grey)
    for index, level in np.ndenumerate(grey):
        background[index] = 17 * (1 - math.sqrt(level / 127)) + 3 if level <= 127 else 3 / 128 * (level - 127) + 3
    return background + contrast - 0.3 * np.minimum(background, contrast)


@pytest.mark.parametrize("seed", [0, 1, 2, "photograph"])
def test_equals_the_equations(seed):
    result = just_noticeable_difference(as_frames(picture(seed)))
    assert result.shape == (1, 1, *picture(seed).shape[:2]) and result.dtype == torch.float32
    np.testing.assert_allclose(result[0, 0].numpy(), expected_jnd(picture(seed)), rtol=1e-5, atol=1e-4)


def test_edges_do_not_wrap_around():
    """At an edge Y - 255 is about -200; in 8 bits it would be Y + 1, and its contrast hardly any."""
    step = np.zeros((20, 20, 3), np.uint8)
    step[:, 10:] = 100
    jnd = just_noticeable_difference(as_frames(step))[0, 0]
    assert jnd[10, 10] > 100 and jnd[10, 2] == pytest.approx(20) and jnd[10, 17] < 5


def test_grey_levels_are_opencvs():
    for seed in (3, 4, "photograph"):
        expected = cv2.cvtColor(picture(seed), cv2.COLOR_RGB2GRAY)
        assert np.array_equal(grey_levels(as_frames(picture(seed)))[0, 0].numpy(), expected)
    between = torch.tensor([100.49, 100.51]).div(255).view(1, 1, 1, 2).expand(1, 3, 1, 2)
    assert grey_levels(between).flatten().tolist() == [100, 101]


def test_luminance_adaptation_at_levels_worked_by_hand():
    levels = torch.tensor([0.0, 127.0, 255.0, 31.75, 191.0])
    torch.testing.assert_close(luminance_adaptation(levels), torch.tensor([20.0, 3.0, 6.0, 11.5, 4.5]))


def test_never_below_three_and_each_frame_for_itself():
    frames = as_frames(*(picture(seed) for seed in (0, 1, 2)))
    together = just_noticeable_difference(frames)
    assert together.min() >= 3
    assert torch.equal(together, torch.cat([just_noticeable_difference(frame[None]) for frame in frames]))
    flat = just_noticeable_difference(torch.full((1, 3, 4, 4), 127 / 255))
    assert torch.equal(flat, torch.full((1, 1, 4, 4), 3.0))


def test_frames_are_not_modified():
    frames = as_frames(picture(0))
    before = frames.clone()
    just_noticeable_difference(frames)
    assert torch.equal(frames, before)
