"""Cost of the attacks relative to one bare forward and input gradient of the metric, beside the project's targets.

    python -m benchmarks.attack_cost [--device cpu] [--rounds 5] [--batch 1] [--threads 1] [--size 960x540]

The metric is a stand-in of the size of PaQ-2-PiQ. `manage.py benchmark_attacks` measures all attacks on a real one.
"""

import argparse

from attacks import create_attack, measure_costs, synthetic_scene
from attacks.metrics import wrap_module
from benchmarks.stand_in import stand_in

# Of the ratio, by row, on a CPU and on a GPU. Each of k iterations may cost 1.05 of the bare pass.
TARGETS = {
    "fgsm": (1.05, 1.05),
    "ifgsm:iterations=3": (3 * 1.05, 3 * 1.05),
    "mifgsm:iterations=3": (3 * 1.05, 3 * 1.05),
    "ioi": (1.20, 1.15),
}
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
    table = measure_costs(
        {
            "fgsm": create_attack("fgsm"),
            "ifgsm:iterations=3": create_attack("ifgsm", iterations=3),
            "mifgsm:iterations=3": create_attack("mifgsm", iterations=3),
            "ioi": create_attack("ioi"),
        },
        wrap_module(network, name="stand-in"),
        synthetic_scene(arguments.batch, height, width, arguments.device),
        rounds=arguments.rounds,
        threads=arguments.threads,
        bare=network,
    )
    print(table.to_markdown(), end="\n\n")
    for cost in table.attacks:
        held = [("ratio", cost.ratio, TARGETS[cost.attack][arguments.device != "cpu"])]
        if cost.metric_backwards == 1:
            held.append(("memory", cost.memory_ratio, MEMORY_TARGET))
        texts = [
            f"{what} {spent:.3f} (target {most:.2f}{', MISSED' if spent > most else ''})" for what, spent, most in held
        ]
        print(f"{cost.attack:<20}{', '.join(texts)}")


if __name__ == "__main__":
    main()
