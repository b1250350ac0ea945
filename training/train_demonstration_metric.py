"""Train the demonstration metric: `python -m training.train_demonstration_metric --out FILE --seed 0`."""

import argparse
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as functional
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval
from tqdm import tqdm

from attacks.metrics.demonstration_network import DemonstrationNet, positive
from training.patches import PATCH_SIDE, PatchSet, make_patches
from training.pictures import training_pictures

__all__ = ["folded", "initialised", "main", "refine", "train"]

_CROP = 144
_BATCH = 14
_WEIGHT_DECAY = 1e-4
# A tenth of the scale: errors below it count squared.
_ACCURATE = 6.0
_RANK_SHARE = 0.3
_RANK_SLOPE = 6.0
_AVERAGING = 0.998
# Some crops of a batch carry one FGSM step of up to so many 8-bit levels against the network as it is, and should
# score so many points more per level. Left alone, the score jumps within half a level and collapses within two, and
# an attack that is matched on it stays invisible; this bounds its slope and keeps it rising.
_LARGEST_STEP = 6.0
_POINTS_PER_LEVEL = 6.0


@dataclass(frozen=True)
class Stage:
    """One one-cycle run: its highest learning rate, and how many crops of a batch are attacked."""

    learning_rate: float
    attacked: int


# The first with batch normalisation, without which this network does not start to learn; the second as it is used.
_FIRST = Stage(learning_rate=3e-3, attacked=5)
_SECOND = Stage(learning_rate=6e-4, attacked=3)


def train(patches: PatchSet, *, steps: int, seed: int) -> DemonstrationNet:
    """A network trained from nothing; the same seed on the same machine gives the same one."""
    generator = torch.Generator().manual_seed(seed)
    network = initialised(generator)
    _run(network, patches, _FIRST, steps, generator)
    return folded(network)


def refine(network: DemonstrationNet, patches: PatchSet, *, steps: int, seed: int) -> DemonstrationNet:
    """The same network after `steps` more, without batch normalisation."""
    _run(network, patches, _SECOND, steps, torch.Generator().manual_seed(seed))
    return network


def _run(network: DemonstrationNet, patches: PatchSet, stage: Stage, steps: int, generator: torch.Generator) -> None:
    """Train in place; the network ends with the running average of its parameters."""
    points = torch.from_numpy(patches.points)
    optimiser = torch.optim.AdamW(network.parameters(), lr=stage.learning_rate, weight_decay=_WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, stage.learning_rate, total_steps=steps, pct_start=0.15)
    average = {name: value.clone() for name, value in network.state_dict().items()}
    progress = tqdm(range(steps), desc="steps", mininterval=5)
    for step in progress:
        chosen = torch.randint(len(points), (_BATCH,), generator=generator)
        crops, wanted = _crops(patches, chosen, generator), points[chosen]
        attacked = slice(stage.attacked)
        levels = _LARGEST_STEP * torch.rand(stage.attacked, generator=generator)
        crops[attacked] = _stepped(network, crops[attacked], levels, generator)
        wanted[attacked] += _POINTS_PER_LEVEL * levels
        loss = _loss(network(crops), positive(wanted))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        schedule.step()
        # Early weights are forgotten faster, so that a short run is not an average with its random start.
        keep = min(_AVERAGING, (1 + step) / (10 + step))
        for name, value in network.state_dict().items():
            average[name] = torch.lerp(value, average[name], keep) if value.is_floating_point() else value.clone()
        if step % 50 == 0:
            progress.set_postfix(loss=f"{loss.item():.3f}")
    network.load_state_dict(average)


def folded(network: DemonstrationNet) -> DemonstrationNet:
    """The network with every batch normalisation merged into the convolution before it; same scores in eval mode."""
    network.eval()
    for i, stage in enumerate(network.convolutions):
        convolution, normalisation = stage
        network.convolutions[i] = fuse_conv_bn_eval(convolution, normalisation)
    return network


def initialised(generator: torch.Generator) -> DemonstrationNet:
    """The untrained network, with a batch normalisation after every convolution."""
    network = DemonstrationNet()
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, generator=generator)
            nn.init.zeros_(module.bias)
    nn.init.normal_(network.head.weight, std=0.05, generator=generator)
    for i, convolution in enumerate(network.convolutions):
        network.convolutions[i] = nn.Sequential(convolution, nn.BatchNorm2d(convolution.out_channels))
    return network


def _crops(patches: PatchSet, chosen: Tensor, generator: torch.Generator) -> Tensor:
    offsets = torch.randint(PATCH_SIDE - _CROP + 1, (len(chosen), 2), generator=generator).tolist()
    pieces = [
        torch.from_numpy(patches.patches[i, top : top + _CROP, left : left + _CROP])
        for i, (top, left) in zip(chosen.tolist(), offsets, strict=True)
    ]
    return torch.stack(pieces).permute(0, 3, 1, 2).contiguous().float() / 255


def _stepped(network: DemonstrationNet, crops: Tensor, levels: Tensor, generator: torch.Generator) -> Tensor:
    """The crops after one FGSM step of `levels` 8-bit levels each, dithered to 8 bits."""
    network.eval()
    tracked = crops.clone().requires_grad_(True)
    (gradient,) = torch.autograd.grad(network(tracked).sum(), tracked)
    network.train()
    dither = torch.rand(crops.shape, generator=generator)
    return (255 * crops + levels.view(-1, 1, 1, 1) * gradient.sign() + dither).floor().clamp(0, 255) / 255


def _loss(scores: Tensor, targets: Tensor) -> Tensor:
    """Smooth L1 in tenths of the scale, plus a logistic loss on every pair whose order is known."""
    error = functional.smooth_l1_loss(scores / _ACCURATE, targets / _ACCURATE)
    gaps = (targets[:, None] - targets[None]).flatten()
    score_gaps = (scores[:, None] - scores[None]).flatten()
    known = gaps > 1.0
    ranking = functional.softplus(-score_gaps[known] / _RANK_SLOPE).mean()
    return error + _RANK_SHARE * ranking


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Train the demonstration metric on synthetic distortions.")
    parser.add_argument("--out", type=Path, required=True, help="safetensors file to write")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=3600, help="of the first stage")
    parser.add_argument("--refine-steps", type=int, default=2200, help="of the second stage")
    parser.add_argument("--patches", type=int, default=12000, help="of each stage")
    options = parser.parse_args(arguments)
    pictures = training_pictures(options.seed)
    network = train(make_patches(pictures, options.patches, options.seed), steps=options.steps, seed=options.seed)
    # Fresh patches, so that the second stage cannot learn the first one's by heart.
    patches = make_patches(pictures, options.patches, options.seed + 1)
    refine(network, patches, steps=options.refine_steps, seed=options.seed + 1)
    save_file(network.state_dict(), options.out)


if __name__ == "__main__":
    main()
