"""Frames to 8 bits."""

import numpy as np
import torch

from attacks import to_uint8


def test_whole_levels_come_back_unchanged():
    levels = torch.arange(256).view(1, 1, 16, 16).expand(2, 3, 16, 16)
    result = to_uint8(levels.float() / 255)
    assert result.dtype == torch.uint8
    assert torch.equal(result.int(), levels.int())


def test_rounds_to_the_nearest_level():
    levels = np.linspace(0, 255, 10_001)
    frames = torch.from_numpy(levels / 255).float().view(1, 1, 1, -1)
    assert np.abs(to_uint8(frames).numpy().ravel() - levels).max() <= 0.5 + 1e-4


def test_frames_are_not_modified():
    frames = torch.rand(1, 3, 8, 8)
    before = frames.clone()
    to_uint8(frames)
    assert torch.equal(frames, before)
