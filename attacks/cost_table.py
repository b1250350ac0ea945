"""What the attacks cost beside the metric that they attack: time, passes and memory, as one table.

costs = measure_costs({"ioi": create_attack("ioi")}, metric, synthetic_scene(1, 540, 960))
print(costs.to_markdown())
"""

import contextlib
import dataclasses
import os
import platform
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from attacks.base import Attack, Cost
from attacks.errors import AttackError, InvalidOption
from attacks.frames import check_frames
from attacks.gradients import quality_gradient
from attacks.measuring import Watch, fastest, peak_memory
from attacks.metrics.base import TargetMetric

__all__ = ["AttackCost", "CostTable", "measure_costs", "synthetic_scene"]

_STRENGTHS = ("default", "low", "high")
_BARE = "bare forward + gradient"
_MIB = 2**20


@dataclass(frozen=True)
class AttackCost:
    """One row. Seconds and passes are per frame; `peak_bytes` is what a batch takes beyond model and frames.

    ratio, memory_ratio: to the bare pass. ratio_per_gradient: ratio / iterations, None where the attack takes no
    gradient. seconds_per_query: of an attack that asks for scores alone, else None.
    """

    attack: str
    strength: float
    seconds: float
    ratio: float
    ratio_per_gradient: float | None
    seconds_per_query: float | None
    metric_forwards: int
    metric_backwards: int
    peak_bytes: int
    memory_ratio: float

    @property
    def frames_per_second(self) -> float:
        return 1 / self.seconds


@dataclass(frozen=True)
class CostTable:
    """The costs of several attacks on the same frames, measured in one run.

    The bare pass, `bare_seconds` per frame and `bare_bytes` per batch, is one forward of the metric and one gradient
    with respect to the frames, parameters frozen: no white-box attack costs less. `not_measured` says why, by attack.
    """

    metric: str
    width: int
    height: int
    batch: int
    device: str
    machine: str
    threads: int
    rounds: int
    clock: str
    torch: str
    bare_seconds: float
    bare_bytes: int
    attacks: tuple[AttackCost, ...]
    not_measured: dict[str, str]

    def to_document(self) -> dict:
        """The table as plain JSON values."""
        document = dataclasses.asdict(self)
        for row, cost in zip(document["attacks"], self.attacks, strict=True):
            row["frames_per_second"] = cost.frames_per_second
        return document

    def to_markdown(self) -> str:
        """The table for people, with what its numbers mean; aligned, so it reads well in a terminal too."""
        header = (
            *("attack", "strength", "frames/s", "s/frame", "ratio", "per gradient", "s/query"),
            *("forwards", "backwards", "peak MiB", "memory ratio"),
        )
        bare = (_BARE, "", f"{1 / self.bare_seconds:.3g}", f"{self.bare_seconds:.4g}", "1.000", "1.000", "")
        rows = [header, (*bare, "1", "1", f"{self.bare_bytes / _MIB:.1f}", "1.000"), *map(_cells, self.attacks)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        rule = [f"{'-' * widths[0]}", *("-" * (width - 1) + ":" for width in widths[1:])]
        rows.insert(1, rule)
        lines = [
            "| " + " | ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) + " |" for row in rows
        ]
        skipped = [f"* `{name}` was not measured: {reason}" for name, reason in self.not_measured.items()]
        return "\n".join(
            [
                f"Metric {self.metric}, frames {self.width}x{self.height} in batches of {self.batch}, {self.device} "
                f"({self.machine}), {self.threads} thread(s), torch {self.torch}.",
                f"Times are {self.clock}, the least of {self.rounds} rounds in which all take turns, after a warm-up.",
                "",
                *lines,
                "",
                "ratio: to one bare forward of the metric and gradient with respect to the frames, parameters frozen.",
                "per gradient: the ratio divided by the iterations. forwards, backwards: of the metric, per frame.",
                "s/query: of an attack that asks for scores alone, which costs the more the more queries it may spend.",
                "peak: the most that tensors took at one time in a batch, beyond the model and the frames.",
                *skipped,
            ]
        )


def measure_costs(
    attacks: Mapping[str, Attack],
    metric: TargetMetric,
    frames: torch.Tensor,
    *,
    rounds: int = 5,
    threads: int = 1,
    strength: str = "default",
    bare: Callable[[torch.Tensor], torch.Tensor] | None = None,
    watch: Watch = iter,
) -> CostTable:
    """Measure `attacks` (by the label of their row) on `frames` (N, 3, H, W) float32 in [0, 1], on the metric's device.

    strength: which of the authors' own to use, `default`, `low` or `high`. bare: frames -> (N,) scores, the metric
    without this package's checks where there is such a thing; the default is the metric itself. Memory and passes
    are counted in an untimed pass, which warms up. An attack that fails in it stands in `not_measured`.

    Raises InvalidFrames, InvalidOption for another `strength`, and what the bare pass raises (NotDifferentiable...).
    """
    check_frames(frames)
    if strength not in _STRENGTHS:
        raise InvalidOption(f"strength must be {', '.join(_STRENGTHS[:-1])} or {_STRENGTHS[-1]}, got {strength!r}.")
    strengths = {label: getattr(attack.info.strength, strength) for label, attack in attacks.items()}
    passes: dict[str, Cost] = {}

    def run(label):
        prepared = attacks[label].prepare(frames, metric)
        prepared.at(strengths[label])
        passes[label] = prepared.cost

    def bare_pass():
        leaf = frames.detach().requires_grad_(True)
        torch.autograd.grad(bare(leaf).sum() if bare else metric.score(leaf).sum(), leaf)

    quality_gradient(frames, metric)  # its errors name what is wrong with the metric, and the first pass is the slowest
    with _threads(threads):
        bare_bytes = peak_memory(bare_pass, frames.device)
        peaks, not_measured = {}, {}
        for label in watch(list(attacks)):
            try:
                peaks[label] = peak_memory(lambda label=label: run(label), frames.device)
            except AttackError as error:
                not_measured[label] = str(error)
        runs = {_BARE: bare_pass} | {label: lambda label=label: run(label) for label in peaks}
        seconds = {
            label: least / len(frames)
            for label, least in fastest(runs, frames.device, rounds=rounds, watch=watch).items()
        }
    return CostTable(
        metric=metric.name,
        width=frames.shape[-1],
        height=frames.shape[-2],
        batch=len(frames),
        device=str(frames.device),
        machine=_machine(frames.device),
        threads=threads,
        rounds=rounds,
        clock="seconds of the wall clock, the device synchronised" if frames.is_cuda else "CPU seconds of this process",
        torch=torch.__version__,
        bare_seconds=seconds[_BARE],
        bare_bytes=bare_bytes,
        attacks=tuple(
            AttackCost(
                attack=label,
                strength=strengths[label],
                seconds=seconds[label],
                ratio=seconds[label] / seconds[_BARE],
                ratio_per_gradient=seconds[label] / seconds[_BARE] / attacks[label].iterations
                if passes[label].metric_backwards
                else None,
                seconds_per_query=seconds[label] / passes[label].metric_forwards
                if passes[label].metric_forwards and not passes[label].metric_backwards
                else None,
                metric_forwards=passes[label].metric_forwards,
                metric_backwards=passes[label].metric_backwards,
                peak_bytes=peaks[label],
                memory_ratio=peaks[label] / bare_bytes,
            )
            for label in peaks
        ),
        not_measured=not_measured,
    )


def synthetic_scene(
    count: int, height: int, width: int, device: torch.device | str = "cpu", seed: int = 0
) -> torch.Tensor:
    """Smooth pictures with texture and noise on whole 8-bit levels: (count, 3, height, width) float32 in [0, 1]."""
    generator = torch.Generator().manual_seed(seed)
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    waves = torch.sin(x / 29 + torch.arange(count * 3).view(count, 3, 1, 1)) * torch.cos(y / 17)
    frames = 0.5 + 0.35 * waves + 0.03 * torch.randn(waves.shape, generator=generator)
    return ((255 * frames).round().clamp(0, 255) / 255).to(device)


def _cells(cost: AttackCost) -> tuple[str, ...]:
    return (
        cost.attack,
        f"{cost.strength:.3g}",
        f"{cost.frames_per_second:.3g}",
        f"{cost.seconds:.4g}",
        f"{cost.ratio:.3f}",
        "" if cost.ratio_per_gradient is None else f"{cost.ratio_per_gradient:.3f}",
        "" if cost.seconds_per_query is None else f"{cost.seconds_per_query:.3g}",
        f"{cost.metric_forwards:g}",
        f"{cost.metric_backwards:g}",
        f"{cost.peak_bytes / _MIB:.1f}",
        f"{cost.memory_ratio:.3f}",
    )


@contextlib.contextmanager
def _threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _machine(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    described = Path("/proc/cpuinfo")
    model = re.search(r"model name\s*:\s*(.+)", described.read_text()) if described.exists() else None
    return f"{model[1] if model else platform.processor() or platform.machine()}, {os.cpu_count()} cores"
