"""Rounding of adversarial planes to 8 bits: one rule for every condition of a set."""

import torch

from stimuli.colour import Perturbation

__all__ = ["rounding_offsets"]


def rounding_offsets(rounding: str, *, seed: int, height: int, width: int, device: torch.device | str) -> Perturbation:
    """Offsets u of floor(change + u) for 4:2:0 planes: y (1,H,W), u and v (1,H/2,W/2), float32 in [0,1).

    "nearest": 0.5. "dither": uniform noise from `seed` and the size only, drawn on the CPU. The same pattern serves
    every frame of a clip and every attack, so it adds no flicker and the bytes do not depend on the chunk size or the
    device. Plain rounding turns the gain of a weak attack into a staircase, on which a common gain cannot be matched;
    dithering keeps it smooth.
    """
    shapes = [(1, height, width), (1, height // 2, width // 2), (1, height // 2, width // 2)]
    if rounding == "nearest":
        return Perturbation(*(torch.full(shape, 0.5, device=device) for shape in shapes))
    generator = torch.Generator().manual_seed(seed)
    return Perturbation(*(torch.rand(shape, generator=generator).to(device) for shape in shapes))
