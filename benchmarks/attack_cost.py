"""Cost of the attacks relative to one bare forward and input gradient of the metric, beside the project's targets.

    python -m benchmarks.attack_cost [--device cpu] [--rounds 5] [--batch 1] [--threads 1] [--size 960x540]

The metric is a stand-in of the size of PaQ-2-PiQ. `manage.py benchmark_attacks` measures all attacks on a real one.
"""

import argparse

from attacks import create_attack, list_attacks, measure_costs, synthetic_scene
from attacks.metrics import wrap_module
from benchmarks.stand_in import stand_in

# Of the ratio, on a CPU and on a GPU; each of several iterations may cost 1.05 of the bare pass.
ONE_ITERATION_TARGETS = {"fgsm": (1.05, 1.05), "ioi": (1.20, 1.15)}
ITERATIONS, ITERATION_TARGET = 3, 1.05
MEMORY_TARGET = 1.10  # of the attacks of one iteration


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--size", default="960x540", help="WIDTHxHEIGHT")
    arguments = parser.parse_args()
    width, height = (int(side) for side in arguments.size.split("x"))

    network = stand_in(arguments.device)
    attacks, targets = {}, {}
    for info in list_attacks():
        if info.access != "white-box":
            continue
        if info.iterations > 1:
            label = f"{info.name}:iterations={ITERATIONS}"
            attacks[label] = create_attack(info.name, iterations=ITERATIONS)
            targets[label] = (ITERATIONS * ITERATION_TARGET,) * 2
        else:
            attacks[info.name] = create_attack(info.name)
            if info.name in ONE_ITERATION_TARGETS:
                targets[info.name] = ONE_ITERATION_TARGETS[info.name]
    table = measure_costs(
        attacks,
        wrap_module(network, name="stand-in"),
        synthetic_scene(arguments.batch, height, width, arguments.device),
        rounds=arguments.rounds,
        threads=arguments.threads,
        bare=network,
    )
    print(table.to_markdown(), end="\n\n")
    for cost in table.attacks:
        if cost.attack not in targets:
            continue
        held = [("ratio", cost.ratio, targets[cost.attack][arguments.device != "cpu"])]
        if cost.metric_backwards == 1:
            held.append(("memory", cost.memory_ratio, MEMORY_TARGET))
        texts = [
            f"{what} {spent:.3f} (target {most:.2f}{', MISSED' if spent > most else ''})" for what, spent, most in held
        ]
        print(f"{cost.attack:<24}{', '.join(texts)}")


if __name__ == "__main__":
    main()
