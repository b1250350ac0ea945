"""Cost of the attacks relative to one bare forward and input gradient of the metric.

    python -m benchmarks.attack_cost [--device cpu] [--rounds 5] [--batch 1] [--threads 1]

The metric is a stand-in of the size of PaQ-2-PiQ (a ResNet-18 body, seeded random
weights, frozen). The contestants take turns in each round, so that other work on the
machine hits all alike; the minimum over the rounds counts. Targets on a
CPU: FGSM at most 1.05, IOI at most 1.20, k iterations at most 1.10 k.
"""

import argparse
import time

import torch
import torch.nn.functional as functional
from torch import nn

from attacks import create_attack
from attacks.metrics import wrap_module

TARGETS = {"fgsm": 1.05, "ifgsm, 3 iterations": 3 * 1.10, "ioi": 1.20}


class Block(nn.Module):
    """Two 3x3 convolutions beside a shortcut."""

    def __init__(self, channels_in: int, channels: int, stride: int):
        super().__init__()
        self.first = nn.Conv2d(channels_in, channels, 3, stride, 1, bias=False)
        self.second = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.norms = nn.ModuleList([nn.BatchNorm2d(channels), nn.BatchNorm2d(channels)])
        self.shortcut = (
            nn.Identity()
            if stride == 1 and channels_in == channels
            else nn.Sequential(nn.Conv2d(channels_in, channels, 1, stride, bias=False), nn.BatchNorm2d(channels))
        )

    def forward(self, x):
        y = functional.relu(self.norms[0](self.first(x)), inplace=True)
        return functional.relu(self.norms[1](self.second(y)).add_(self.shortcut(x)), inplace=True)


class StandIn(nn.Module):
    """ResNet-18 body (He et al. 2016, table 1), global mean, one linear layer: (N, 3, H, W) -> (N, 1)."""

    def __init__(self):
        super().__init__()
        stages = [(64, 64, 1), (64, 128, 2), (128, 256, 2), (256, 512, 2)]
        blocks = [block for a, b, stride in stages for block in (Block(a, b, stride), Block(b, b, 1))]
        self.stem = nn.Sequential(nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64))
        self.blocks = nn.Sequential(*blocks)
        self.head = nn.Linear(512, 1)

    def forward(self, frames):
        x = functional.max_pool2d(functional.relu(self.stem(frames), inplace=True), 3, 2, 1)
        return self.head(self.blocks(x).mean(dim=(2, 3)))


def scene(count: int, height: int, width: int) -> torch.Tensor:
    """Smooth pictures with texture and noise on whole 8-bit levels."""
    generator = torch.Generator().manual_seed(0)
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    waves = torch.sin(x / 29 + torch.arange(count * 3).view(count, 3, 1, 1)) * torch.cos(y / 17)
    frames = 0.5 + 0.35 * waves + 0.03 * torch.randn(waves.shape, generator=generator)
    return (255 * frames).round().clamp(0, 255) / 255


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--size", default="960x540", help="WIDTHxHEIGHT")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    width, height = (int(side) for side in arguments.size.split("x"))

    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = StandIn().eval().requires_grad_(False).to(arguments.device)
    metric = wrap_module(network, name="stand-in")
    frames = scene(arguments.batch, height, width).to(arguments.device)

    def bare():
        leaf = frames.detach().requires_grad_(True)
        torch.autograd.grad(network(leaf).sum(), leaf)

    def attack(name, **options):
        built = create_attack(name, **options)
        return lambda: built.perturb(frames, metric, 4 / 255)

    contestants = {
        "bare forward + gradient": bare,
        "fgsm": attack("fgsm"),
        "ifgsm, 3 iterations": attack("ifgsm", iterations=3),
        "ioi": attack("ioi"),
    }
    on_gpu = frames.is_cuda
    # CPU seconds leave out the time that other programs take; a GPU has only the wall clock.
    clock = time.perf_counter if on_gpu else time.process_time
    best = dict.fromkeys(contestants, float("inf"))
    for _ in range(arguments.rounds + 1):  # the first round warms up, and cannot be the fastest
        for name, run in contestants.items():
            start = clock()
            run()
            if on_gpu:
                torch.cuda.synchronize()
            best[name] = min(best[name], clock() - start)

    limit = best["bare forward + gradient"]
    print(f"{width}x{height}, batch {arguments.batch}, {arguments.device}, {arguments.threads} thread(s)")
    print(f"{'':<26}{'s per frame':>12}{'ratio':>8}{'target':>8}")
    for name, seconds in best.items():
        target = f"{TARGETS[name]:>8.2f}" if name in TARGETS else ""
        print(f"{name:<26}{seconds / arguments.batch:>12.4f}{seconds / limit:>8.3f}{target}")


if __name__ == "__main__":
    main()
