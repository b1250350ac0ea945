"""Frames to 8 bits."""

import numpy as np
import pytest
import torch

from attacks import dither_uint8, to_uint8

LEVELS = (torch.arange(256).float() / 255).view(1, 1, 16, 16).expand(2, 3, 16, 16)


@pytest.mark.parametrize("convert", [to_uint8, lambda frames: dither_uint8(frames, seed=1)])
def test_whole_levels_come_back_unchanged(convert):
    expected = torch.arange(256).view(1, 1, 16, 16).expand(2, 3, 16, 16)
    assert torch.equal(convert(LEVELS).int(), expected.int())
    assert convert(LEVELS).dtype == torch.uint8


def test_no_dither_is_strong_enough_to_move_a_whole_level():
    levels = torch.arange(256).view(1, 1, 256, 1).expand(1, 3, 256, 4000)
    assert torch.equal(dither_uint8(levels.float() / 255, seed=2).int(), levels.int())


def test_rounds_to_the_nearest_level():
    levels = np.linspace(0, 255, 10_001)
    frames = torch.from_numpy(levels / 255).float().view(1, 1, 1, -1)
    assert np.abs(to_uint8(frames).numpy().ravel() - levels).max() <= 0.5 + 1e-4


def test_frames_are_not_modified():
    frames = torch.rand(1, 3, 8, 8)
    before = frames.clone()
    to_uint8(frames), dither_uint8(frames, seed=0)
    assert torch.equal(frames, before)


def test_dither_keeps_the_mean():
    for fraction in (0.1, 0.5, 0.93):
        frames = torch.full((1, 3, 200, 200), (77 + fraction) / 255)
        result = dither_uint8(frames, seed=3).float()
        assert set(result.unique().tolist()) <= {77.0, 78.0}
        assert float(result.mean()) == pytest.approx(77 + fraction, abs=0.01)


def test_one_pattern_for_all_frames_and_chunks():
    frames = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(0)).expand(4, 3, 16, 16)
    together = dither_uint8(frames, seed=5)
    assert all(torch.equal(frame, together[0]) for frame in together)
    assert torch.equal(dither_uint8(frames[2:], seed=5), together[2:])
    assert not torch.equal(dither_uint8(frames, seed=6), together)


def test_the_global_generator_is_left_alone():
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    dither_uint8(torch.rand(1, 3, 4, 4, generator=torch.Generator().manual_seed(1)), seed=5)
    assert torch.equal(torch.rand(3), expected)
