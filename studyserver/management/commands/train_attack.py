"""`manage.py train_attack`: pictures and a metric in, the file of a trained attack out."""

import argparse
import dataclasses
from fractions import Fraction
from pathlib import Path

from attacks import TrainingSettings, train_attack, training_defaults
from attacks.metrics import create_metric
from studyserver.management.base import LabCommand, at_least
from studyserver.management.trained_files import trained_folder
from studyserver.management.training_bar import TrainingBar

__all__ = ["Command"]


def number_or_fraction(text: str) -> float:
    """`0.04` or `10/255`."""
    try:
        return float(Fraction(text.replace(" ", "")))
    except (ValueError, ZeroDivisionError):
        raise argparse.ArgumentTypeError(f"must be a number or a fraction such as 10/255, got {text!r}") from None


class Command(LabCommand):
    help = (
        "Train an attack that needs no metric once it is trained: a universal perturbation (uap_optimized, "
        "uap_cumulative, uap_generative) or the network of facpa. Settings that are not given are the papers'. Safe to "
        "stop and to run again: it continues, and the file is the same as without the stop."
    )

    def add_arguments(self, parser):
        parser.add_argument("attack", help="uap_optimized, uap_cumulative, uap_generative or facpa")
        parser.add_argument("--metric", required=True, help="the metric to train against; see list_metrics")
        parser.add_argument(
            "--images", required=True, type=Path, metavar="DIR", help="folder of pictures; the papers took 10,000"
        )
        parser.add_argument(
            "--out", type=Path, metavar="FILE", help="default: trained/ATTACK-METRIC.safetensors in LAB_DATA_DIR"
        )
        parser.add_argument("--replace", action="store_true", help="train anew over the file of another training")
        parser.add_argument("--weights", type=Path, metavar="FILE", help="local weights file of the metric")
        parser.add_argument("--limit", type=at_least(2), metavar="N", help="use the first N pictures")
        parser.add_argument("--device", default="auto", help="cpu, cuda, or auto (default)")
        own = parser.add_argument_group("settings of the training")
        own.add_argument("--epochs", type=int, metavar="N", help="passes over the pictures (10; facpa 200)")
        own.add_argument("--batch", type=int, metavar="N", help="pictures per step (4; uap_cumulative 1)")
        own.add_argument(
            "--eps",
            type=number_or_fraction,
            metavar="E",
            help="bound on the perturbation at strength 1 (10/255; uap_optimized 0.1)",
        )
        own.add_argument("--crop", type=int, metavar="PIXELS", help="side of the squares cut from the pictures (256)")
        own.add_argument("--learning-rate", type=float, metavar="R", help="of Adam (0.001)")
        own.add_argument("--eta", type=float, metavar="F", help="factor of each step of uap_cumulative (1)")
        own.add_argument("--generator", help="unet (default) or resnet, for uap_generative")
        own.add_argument("--width", type=int, metavar="W", help="channels of the network's first layer (64)")
        own.add_argument("--seed", type=int, metavar="N", help="of everything drawn at random (0)")

    def run(self, *, attack, metric, images, out, replace, weights, limit, device, verbosity, **options):
        training_defaults(attack)  # before a metric is loaded for it
        # It learns from single pictures, whatever the metric.
        target = create_metric(metric, device=device, weights=weights, window=1)
        out = out or trained_folder() / f"{attack}-{target.name.replace(':', '-')}.safetensors"
        with TrainingBar(show=verbosity > 0) as bar:
            header = train_attack(
                attack,
                target,
                images,
                out,
                limit=limit,
                replace=replace,
                progress=bar,
                **{field.name: options[field.name] for field in dataclasses.fields(TrainingSettings)},
            )
        self.say(f"{out}: trained on {header.data['pictures'] - header.data['held_out']} pictures of {images}.")
        self.say(
            f"Gain at strength 1 on {header.data['held_out']} held-out pictures: {header.history['gain'][-1]:+.1%}."
        )
        self.say(f"Use it: generate_stimuli … --metric {target.name} --attacks {attack} --trained {out}")
        return {"out": str(out), **dataclasses.asdict(header)}
