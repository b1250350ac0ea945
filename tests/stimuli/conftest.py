"""Tiny clips written by the project's own encoder, and a metric whose gradient is known to point somewhere."""

import time
from fractions import Fraction

import pytest
import torch

from attacks.metrics import wrap_module
from stimuli.colour import ColourDescription, Planes, perturbation_planes
from stimuli.delivery import get_profile
from stimuli.video import write_video

BT709 = ColourDescription("bt709", "limited", "bt709", "bt709")
BT601 = ColourDescription("smpte170m", "limited", "smpte170m", "smpte170m")


class Sharpness(torch.nn.Module):
    """20 + 5 x mean absolute luma Laplacian in levels: a smooth, rising no-reference score.

    `peak`: the score falls again beyond it. `delay`: seconds that every call takes, so that a test can kill a run.
    """

    def __init__(self, peak: float | None = None, delay: float = 0.0) -> None:
        super().__init__()
        kernel = torch.tensor([[0.0, -1, 0], [-1, 4, -1], [0, -1, 0]])
        self.register_buffer("kernel", kernel.view(1, 1, 3, 3))
        self.peak, self.delay = peak, delay

    def forward(self, frames):
        time.sleep(self.delay)
        luma = 255 * frames.mean(1, keepdim=True)
        energy = torch.nn.functional.conv2d(luma, self.kernel).pow(2).add(4).sqrt().mean((1, 2, 3))
        score = 20 + 5 * energy
        return score if self.peak is None else score - (score - self.peak).clamp_min(0) * 2


def textured(frames: int, height: int, width: int, seed: int = 0) -> Planes:
    """A smooth texture that drifts: uint8 limited 4:2:0 planes."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(1, 3, height // 8 + 4, width // 8 + 4, generator=generator)
    large = torch.nn.functional.interpolate(coarse, size=(height + 32, width + 32), mode="bicubic")
    fine = 0.06 * torch.rand(1, 3, height + 32, width + 32, generator=generator)
    texture = (0.15 + 0.6 * large + fine).clamp(0, 1)
    rgb = torch.cat([texture[:, :, t : t + height, t : t + width] for t in range(frames)])
    change = perturbation_planes(rgb, BT709)
    y, u, v = change.y + 16, change.u + 128, change.v + 128
    return Planes(*(plane.round().clamp(0, 255).to(torch.uint8) for plane in (y, u, v)))


def write_clip(path, *, frames=6, height=64, width=80, fps=Fraction(25), colour=BT709, seed=0):
    """Write a small clip and return its path."""
    write_video(
        path,
        [textured(frames, height, width, seed)],
        width=width,
        height=height,
        fps=fps,
        colour=colour,
        profile=get_profile("h264"),
    )
    return path


@pytest.fixture
def make_clip(tmp_path):
    """`write_clip` into the test's own folder."""
    return lambda name="clip", **properties: write_clip(tmp_path / f"{name}.mp4", **properties)


def the_metric(window=1, **options):
    """Sharpness as a target metric."""
    return wrap_module(Sharpness(**options), name="sharpness", score_range=(0, 200), window=window)
