"""Our attacks beside torchattacks, foolbox and the IOI notebook's algorithm: one metric, the same frames, one run.

    pip install --no-deps -r benchmarks/requirements.txt
    python -m benchmarks.attack_peers [--device cpu] [--rounds 5] [--batch 1] [--threads 1] [--size 960x540] [--light]

Prints a Markdown table: time per frame, its ratio to the bare passes (one forward and input gradient of the frozen
network for each iteration), peak memory, and the gain in score that each attack gets, which tells that the work is the
same. A peer sees a classifier of two logits, (score - clean score, 0), and leaves the second class: the sign of its
gradient is that of the score. Peers get the frozen network, which spares them the gradients of the weights; the rows
"weights not frozen" tell what the same call costs on a network as it is loaded. With --light the metric is a weighted
mean, which costs next to nothing: what is left is the attacks' own work, free of the noise of a large network's time.
"""

import argparse
import importlib.metadata
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import foolbox
import torch
import torchattacks

from attacks import create_attack, synthetic_scene
from attacks.measuring import fastest, peak_memory
from attacks.metrics import wrap_module
from benchmarks.notebook_ioi import notebook_ioi
from benchmarks.stand_in import stand_in, weighted_mean

STEPS, STEP, BOUND = 3, 4 / 255, 8 / 255
MIB = 2**20


class TwoLogits(torch.nn.Module):
    """A metric dressed as a classifier: class 0 has the logit score - pivot, class 1 the logit 0."""

    def __init__(self, network: torch.nn.Module, pivot: torch.Tensor):
        super().__init__()
        self.network = network
        self.pivot = pivot

    def forward(self, frames):
        logit = self.network(frames).flatten() - self.pivot
        return torch.stack([logit, torch.zeros_like(logit)], dim=1)


@dataclass(frozen=True)
class Contestant:
    """One row: frames in, adversarial frames out, with so many gradients."""

    work: str
    name: str
    gradients: int
    run: Callable[[], torch.Tensor]


def contestants(network: torch.nn.Module, trainable: torch.nn.Module, frames: torch.Tensor) -> list[Contestant]:
    """All rows, those that do the same work together, ours first."""
    metric = wrap_module(network, name="stand-in")
    with torch.no_grad():
        pivot = network(frames).flatten()
    labels = torch.ones(len(frames), dtype=torch.long, device=frames.device)
    classifier, loose = (TwoLogits(module, pivot).eval() for module in (network, trainable))
    boxed, boxed_loose = (foolbox.PyTorchModel(m, bounds=(0, 1), device=frames.device) for m in (classifier, loose))

    def ours(name, strength, **options):
        attack = create_attack(name, **options)
        return lambda: attack.perturb(frames, metric, strength)

    def theirs(kind, **options):
        attack = kind(classifier, **options)
        return lambda: attack(frames, labels)

    def box(attack, model=boxed):
        return lambda: attack(model, frames, labels, epsilons=BOUND)[1]

    steps = {"abs_stepsize": STEP, "steps": STEPS}
    fgsm = foolbox.attacks.LinfFastGradientAttack(random_start=False)
    torch_steps = {"eps": BOUND, "alpha": STEP, "steps": STEPS}
    return [
        Contestant("FGSM", "ours", 1, ours("fgsm", BOUND)),
        Contestant("FGSM", "torchattacks", 1, theirs(torchattacks.FGSM, eps=BOUND)),
        Contestant("FGSM", "foolbox, `run` alone", 1, lambda: fgsm.run(boxed, frames, labels, epsilon=BOUND)),
        Contestant("FGSM", "foolbox", 1, box(fgsm)),
        Contestant("FGSM", "foolbox, weights not frozen", 1, box(fgsm, boxed_loose)),
        Contestant("I-FGSM", "ours", STEPS, ours("ifgsm", STEP, iterations=STEPS, eps=BOUND)),
        Contestant("I-FGSM", "torchattacks BIM", STEPS, theirs(torchattacks.BIM, **torch_steps)),
        Contestant(
            "I-FGSM", "foolbox BIM", STEPS, box(foolbox.attacks.LinfBasicIterativeAttack(**steps, random_start=False))
        ),
        Contestant("MI-FGSM", "ours", STEPS, ours("mifgsm", STEP, iterations=STEPS, eps=BOUND)),
        Contestant("MI-FGSM", "torchattacks", STEPS, theirs(torchattacks.MIFGSM, decay=1.0, **torch_steps)),
        Contestant("MI-FGSM", "foolbox", STEPS, box(foolbox.attacks.MIFGSM(momentum=1.0, random_start=False, **steps))),
        Contestant("PGD", "ours", STEPS, ours("pgd", BOUND, iterations=STEPS, step=STEP / BOUND)),
        Contestant("PGD", "torchattacks", STEPS, theirs(torchattacks.PGD, random_start=True, **torch_steps)),
        Contestant("PGD", "foolbox", STEPS, box(foolbox.attacks.LinfPGD(**steps))),
        Contestant("IOI", "ours", 1, ours("ioi", BOUND)),
        Contestant("IOI", "the notebook's algorithm", 1, lambda: notebook_ioi(trainable, frames, BOUND)),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--size", default="960x540", help="WIDTHxHEIGHT")
    parser.add_argument("--light", action="store_true", help="a metric that costs next to nothing")
    arguments = parser.parse_args()
    torch.manual_seed(0)  # the peers' random starts
    torch.set_num_threads(arguments.threads)
    width, height = (int(side) for side in arguments.size.split("x"))
    frames = synthetic_scene(arguments.batch, height, width, arguments.device)
    make = partial(weighted_mean, height, width) if arguments.light else stand_in
    network, trainable = make(device=arguments.device), make(device=arguments.device).requires_grad_(True)
    rows = contestants(network, trainable, frames)

    def bare():
        leaf = frames.detach().requires_grad_(True)
        torch.autograd.grad(network(leaf).sum(), leaf)

    results = [row.run() for row in rows]
    with torch.no_grad():
        clean = network(frames)
        gains = [float((network(result) - clean).mean()) for result in results]
    del results
    bare_memory = peak_memory(bare, frames.device)
    memory = [peak_memory(row.run, frames.device) / bare_memory for row in rows]
    runs = {"bare": bare} | {f"{row.work}, {row.name}": row.run for row in rows}
    seconds = fastest(runs, frames.device, rounds=arguments.rounds)

    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("torch", "torchattacks", "foolbox"))
    clock = "seconds of the wall clock" if frames.is_cuda else "CPU seconds"
    print(
        f"{width}x{height}, batches of {arguments.batch}, {arguments.device}, {arguments.threads} thread(s), "
        f"{versions}. "
        f"Times in {clock}, the least of {arguments.rounds} interleaved rounds; "
        f"the bare pass takes {1000 * seconds['bare'] / len(frames):.1f} ms per frame and {bare_memory / MIB:.0f} MiB. "
        f"Steps of {255 * STEP:g}/255, bound {255 * BOUND:g}/255.\n"
    )
    print("| work | | ms/frame | beyond the bare passes, ms | ratio to them | memory ratio | gain in score |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: |")
    for row, gain, share in zip(rows, gains, memory, strict=True):
        spent, least = seconds[f"{row.work}, {row.name}"], row.gradients * seconds["bare"]
        times = f"{1000 * spent / len(frames):.1f} | {1000 * (spent - least) / len(frames):.1f} | {spent / least:.3f}"
        print(f"| {row.work} | {row.name} | {times} | {share:.2f} | {gain:+.4f} |")


if __name__ == "__main__":
    main()
