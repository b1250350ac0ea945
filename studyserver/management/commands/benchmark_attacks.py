"""`manage.py benchmark_attacks`: what each attack costs on this machine, beside the metric that it attacks."""

import argparse
import dataclasses
import json
import sys
from pathlib import Path

from django.conf import settings
from django.core.management.base import CommandError
from tqdm import tqdm

from attacks import create_attack, list_attacks, measure_costs, synthetic_scene
from attacks.errors import TrainedFileError
from attacks.metrics import create_metric
from stimuli import AttackSpec, options_with_file, parse_attacks
from studyserver.errors import ExportUnavailable
from studyserver.files import write_whole
from studyserver.management.base import LabCommand, at_least
from studyserver.management.trained_files import add_trained_argument, trained_paths

__all__ = ["Command"]

# Thousands of queries per frame, an attack's default, would take hours; the label of the row tells the number.
_QUERIES = 64


def frame_size(text: str) -> tuple[int, int]:
    """An argument's type: WIDTHxHEIGHT."""
    width, _, height = text.partition("x")
    if not (width.isdigit() and height.isdigit() and int(width) and int(height)):
        raise argparse.ArgumentTypeError(f"must be WIDTHxHEIGHT, like 960x540, got {text!r}")
    return int(width), int(height)


class Command(LabCommand):
    help = (
        "Measure frames per second, passes of the metric and peak memory of each attack, beside one bare forward and "
        "input gradient of the metric, the least that an attack with a gradient can cost; costs.md and costs.json."
    )

    def add_arguments(self, parser):
        parser.add_argument("--metric", required=True, help="target metric; see list_metrics")
        parser.add_argument(
            "--size", type=frame_size, default=(960, 540), metavar="WxH", help="of the frames (default 960x540)"
        )
        parser.add_argument(
            "--attacks",
            default="all",
            help="as for generate_stimuli (default all, those left out whose trained file is not there); attacks that "
            f"ask for scores alone get {_QUERIES} queries unless told otherwise",
        )
        parser.add_argument("--device", default="auto", help="cpu, cuda, or auto (default)")
        parser.add_argument(
            "--batch",
            type=at_least(1),
            metavar="N",
            help="frames at a time (default 1; of a metric of clips one window)",
        )
        parser.add_argument("--rounds", type=at_least(1), default=3, metavar="N", help="the least counts (default 3)")
        parser.add_argument("--threads", type=at_least(1), default=1, metavar="N", help="on a CPU (default 1)")
        parser.add_argument(
            "--strength", default="default", help="which of the authors' strengths: default (default), low or high"
        )
        parser.add_argument("--weights", type=Path, metavar="FILE", help="local weights file of the metric")
        parser.add_argument(
            "--window",
            type=at_least(1),
            metavar="N",
            help="of a metric of clips: frames that are scored together (default: its own; 1: single frames)",
        )
        add_trained_argument(parser)
        parser.add_argument("--out", type=Path, metavar="DIR", help="folder of both files (default: costs/ in var/)")

    def run(self, *, metric, size, attacks, device, batch, weights, window, trained, out, **options):
        specs = parse_attacks(attacks)
        if not specs:
            raise CommandError("No attack is given; name at least one, for example --attacks fgsm,ioi.")
        folder = _folder(out or settings.DATA_DIR / "costs")
        target = create_metric(metric, device, weights, window)
        batch = batch or target.window
        target.check_length(batch, "the --batch")
        built, missing = _build(specs, target, trained_paths(trained))
        width, height = size
        table = measure_costs(
            built,
            target,
            synthetic_scene(batch, height, width, target.device),
            watch=lambda steps: tqdm(
                steps, desc="attacks", unit="run", file=sys.stderr, disable=not options["verbosity"], leave=False
            ),
            **{key: options[key] for key in ("rounds", "threads", "strength")},
        )
        table = dataclasses.replace(table, not_measured=table.not_measured | missing)
        text, document = table.to_markdown(), table.to_document()
        self.say(text)
        _write(folder / "costs.md", f"# What the attacks cost\n\n{text}\n")
        _write(folder / "costs.json", json.dumps(document, indent=2) + "\n")
        self.say(f"\nWritten: {folder / 'costs.md'}, {folder / 'costs.json'}")
        return document


def _build(specs: tuple[AttackSpec, ...], metric, trained: tuple[Path, ...]) -> tuple[dict, dict[str, str]]:
    """Attacks by the label of their row, and why some could not be built: for want of a trained file."""
    querying = {info.name for info in list_attacks() if "queries" in {option.name for option in info.options}}
    built, missing = {}, {}
    for spec in specs:
        try:
            options = options_with_file(spec, metric, trained)
            if spec.name in querying:
                options = {"queries": _QUERIES} | options
            attack = create_attack(spec.name, **options)
        except TrainedFileError as error:
            missing[spec.condition] = str(error)
        else:
            shown = {key: options[key] for key in options if key in spec.options or key == "queries"}
            built[AttackSpec(spec.name, shown).condition] = attack
    return built, missing


def _folder(path: Path) -> Path:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ExportUnavailable(f"cannot write in {path}: {error.strerror}; choose another --out.") from error
    return path


def _write(path: Path, text: str) -> None:
    try:
        write_whole(path, lambda part: part.write_text(text))
    except OSError as error:
        raise ExportUnavailable(f"cannot write {path}: {error.strerror}; choose another --out.") from error
