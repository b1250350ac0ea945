"""Measure the demonstration metric and write the tables of its model card.

`python -m training.evaluate_demonstration_metric --json FILE [--card CARD] [--eonss WEIGHTS]`
"""

import argparse
import json
import time
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import nn

from attacks.metrics import demonstration_network
from attacks.metrics.registry import sha256_of
from training.attack_check import STRENGTHS_255, check_attack
from training.distortions import DISTORTIONS
from training.eonss import load_eonss
from training.pictures import example_clip, held_out_pictures, shared_clip
from training.severity_check import SEVERITIES, SeverityCheck, check_severity

__all__ = ["evaluate", "load_network", "main", "tables"]

_WEIGHTS = Path(demonstration_network.__file__).with_name("demonstration.safetensors")
_BEGIN, _END = "<!-- measured: begin -->", "<!-- measured: end -->"
_ATTACKS = ("fgsm", "ioi")
_FRAMES = 4


def load_network(weights: Path = _WEIGHTS) -> demonstration_network.DemonstrationNet:
    """The demonstration network with those weights, frozen."""
    network = demonstration_network.DemonstrationNet()
    network.load_state_dict(load_file(weights))
    return network.eval().requires_grad_(False)


def evaluate(weights: Path, eonss: Path | None, *, seed: int) -> dict:
    """All measurements as one JSON document."""
    network = load_network(weights)
    pictures = held_out_pictures()
    metrics: dict[str, nn.Module] = {"demo": network}
    if eonss is not None:
        metrics["EONSS"] = load_eonss(eonss)
    severity = {name: check_severity(metric, pictures, DISTORTIONS, seed=seed) for name, metric in metrics.items()}
    clips = [example_clip("bikes.mp4"), example_clip("bigbuckbunny.mp4"), shared_clip("flower.mp4")]
    gains = [
        check_attack(network, clip, attack, frames=_FRAMES, seed=seed)
        for attack in _ATTACKS
        for clip in clips
        if clip is not None
    ]
    return {
        "weights_sha256": sha256_of(weights),
        "weights_bytes": weights.stat().st_size,
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "pictures": [picture.name for picture in pictures],
        "severities": SEVERITIES,
        "severity": {name: _severity_record(check) for name, check in severity.items()},
        "strengths_255": STRENGTHS_255,
        "gains": [asdict(check) for check in gains],
        "seconds_per_frame_960x540": _timing(network),
    }


def tables(measured: dict) -> str:
    """The measurements as the Markdown of the model card."""
    names = list(DISTORTIONS)
    lines = [
        f"Weights: {measured['weights_bytes']} bytes, {measured['parameters']} parameters, "
        f"sha256 `{measured['weights_sha256']}`.",
        "",
        f"Held-out pictures: {', '.join(measured['pictures'])}. Severities: {_numbers(measured['severities'], 'g')}.",
        "",
        "| Spearman, severity against minus score | " + " | ".join(names) + " | everything |",
        "|---|" + "---|" * (len(names) + 1),
    ]
    for metric, record in measured["severity"].items():
        rows = record["distortions"]
        for title, field in (("mean within pictures", "within_pictures"), ("pictures pooled", "over_pictures")):
            cells = [f"{row[field]:.3f}" for row in rows]
            last = f"**{record['over_everything']:.3f}**" if field == "over_pictures" else ""
            lines.append(f"| {metric}, {title} | " + " | ".join(cells) + f" | {last} |")
    lines += [
        "",
        "| mean score of `demo` at severity | " + " | ".join(f"{s:g}" for s in measured["severities"]) + " |",
        "|---|" + "---|" * len(measured["severities"]),
    ]
    for name, row in zip(names, measured["severity"]["demo"]["mean_scores"], strict=True):
        lines.append(f"| {name} | " + " | ".join(f"{score:.1f}" for score in row) + " |")
    lines += [
        "",
        "| one-step relative gain, % (8-bit frames / delivered file) | clean score | "
        + " | ".join(f"{s:g}/255" for s in measured["strengths_255"])
        + " |",
        "|---|---|" + "---|" * len(measured["strengths_255"]),
    ]
    for row in measured["gains"]:
        pairs = zip(row["gain_rounded"], row["gain_delivered"], strict=True)
        cells = [f"{100 * rounded:+.1f} / {100 * delivered:+.1f}" for rounded, delivered in pairs]
        lines.append(f"| {row['attack']}, {row['clip']} | {row['clean_score']:.1f} | " + " | ".join(cells) + " |")
    seconds = measured["seconds_per_frame_960x540"]
    lines += [
        "",
        f"One 960x540 frame on one thread: score {seconds['score']:.2f} s, score and gradient "
        f"{seconds['score_and_gradient']:.2f} s.",
    ]
    return "\n".join(lines)


def _severity_record(check: SeverityCheck) -> dict:
    return {
        "distortions": [asdict(distortion) for distortion in check.distortions],
        "over_everything": check.over_everything,
        "mean_scores": check.scores.mean(axis=0).tolist(),
    }


def _timing(network: nn.Module) -> dict[str, float]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    frame = torch.rand(1, 3, 540, 960, generator=torch.Generator().manual_seed(0))

    def score() -> None:
        with torch.no_grad():
            network(frame)

    def score_and_gradient() -> None:
        tracked = frame.clone().requires_grad_(True)
        torch.autograd.grad(network(tracked).sum(), tracked)

    try:
        return {run.__name__: min(_seconds(run) for _ in range(5)) for run in (score, score_and_gradient)}
    finally:
        torch.set_num_threads(threads)


def _seconds(run) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def _numbers(values, form: str) -> str:
    return ", ".join(format(value, form) for value in values)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Measure the demonstration metric on held-out pictures and clips.")
    parser.add_argument("--weights", type=Path, default=_WEIGHTS)
    parser.add_argument("--eonss", type=Path, help="parameters of EONSS (safetensors), to stand beside")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, required=True, help="file to write")
    parser.add_argument("--card", type=Path, help="model card whose measured section is rewritten")
    options = parser.parse_args(arguments)
    measured = evaluate(options.weights, options.eonss, seed=options.seed)
    options.json.write_text(json.dumps(measured, indent=1) + "\n")
    if options.card is not None:
        before, _, rest = options.card.read_text().partition(_BEGIN)
        _, found, after = rest.partition(_END)
        if not found:
            parser.error(f"{options.card} has no section between {_BEGIN} and {_END}")
        options.card.write_text(f"{before}{_BEGIN}\n{tables(measured)}\n{_END}{after}")


if __name__ == "__main__":
    main()
