"""How much a one-step attack raises a metric on clean clips: on 8-bit frames, and after the delivery codec."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import torch
from torch import Tensor

from attacks import create_attack, relative_gain, to_uint8
from attacks.metrics import wrap_module
from stimuli.colour import (
    ColourDescription,
    Planes,
    add_perturbation,
    delivered_colour,
    display_frames,
    perturbation_planes,
    to_delivery,
)
from stimuli.delivery import get_profile
from stimuli.rounding import rounding_offsets
from stimuli.video import probe, read_planes, write_video

__all__ = ["STRENGTHS_255", "AttackCheck", "check_attack"]

STRENGTHS_255 = (0.25, 0.5, 1.0, 2.0, 4.0)


@dataclass(frozen=True)
class AttackCheck:
    """Mean relative gains of one attack on the first frames of one clip, one per STRENGTHS_255.

    Gains on frames are against the clean frames, gains of the delivered file against the clean frames delivered alike.
    """

    clip: str
    attack: str
    clean_score: float
    delivered_score: float
    gain_rounded: tuple[float, ...]
    gain_delivered: tuple[float, ...]


def check_attack(network: torch.nn.Module, clip: Path, attack: str, *, frames: int, seed: int) -> AttackCheck:
    """Attack the first `frames` frames of a clip with `attack` at every strength.

    Delivered: planes dithered with `seed`, then H.264 at the default delivery profile, decoded again.
    """
    metric = wrap_module(network, name="checked", lower_better=False, score_range=(0, 100))
    info = probe(clip)
    source = Planes.cat(list(read_planes(clip, chunk=frames, limit=frames)))
    planes = to_delivery(source, info.pixel_format, info.colour)
    colour = delivered_colour(info.colour)
    clean = display_frames(planes, colour)
    prepared = create_attack(attack).prepare(clean, metric)
    height, width = planes.y.shape[-2:]
    offsets = rounding_offsets("dither", seed=seed, height=height, width=width, device="cpu")
    reference = _delivered(planes, colour, info.fps)
    before, before_delivered = _scores(metric.score, clean), _scores(metric.score, reference)
    rounded, delivered = [], []

    def gain(clean_scores: Tensor, scores: Tensor) -> float:
        return relative_gain(
            clean_scores, scores, lower_better=metric.lower_better, score_range=metric.score_range
        ).mean

    for strength in STRENGTHS_255:
        attacked = prepared.at(strength / 255)
        after = _scores(metric.score, to_uint8(attacked).float() / 255)
        rounded.append(gain(before, after))
        changed = add_perturbation(planes, perturbation_planes(attacked - clean, colour), offsets)
        after = _scores(metric.score, _delivered(changed, colour, info.fps))
        delivered.append(gain(before_delivered, after))
    return AttackCheck(
        clip.stem, attack, float(before.mean()), float(before_delivered.mean()), tuple(rounded), tuple(delivered)
    )


def _scores(score: Callable[[Tensor], Tensor], frames: Tensor) -> Tensor:
    with torch.no_grad():
        return torch.cat([score(frame) for frame in frames.split(1)])


def _delivered(planes: Planes, colour: ColourDescription, fps: Fraction) -> Tensor:
    height, width = planes.y.shape[-2:]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "delivered.mp4"
        write_video(path, [planes], width=width, height=height, fps=fps, colour=colour, profile=get_profile("h264"))
        return display_frames(Planes.cat(list(read_planes(path, chunk=8))), colour)
