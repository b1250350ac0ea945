"""`manage.py evaluate_robustness`: metrics, attacks and sources in; robustness scores, tables and figures out."""

import argparse
import sys
from pathlib import Path

from django.core.management.base import CommandError

from analysis import AnalysisError, check_level, check_seed, read_scores, write_robustness_report
from stimuli import BenchmarkRequest, BenchmarkResult, parse_attacks, run_benchmark
from studyserver.management.base import LabCommand, at_least
from studyserver.management.trained_files import add_trained_argument, trained_paths

__all__ = ["Command"]

_DOMAINS = ("raw", "quantile", "neural")
# Failures that the last line names; benchmark.json has all.
_NAMED = 10
_MEASURES = (
    ("absolute gain", "absolute_gain"),
    ("relative gain", "relative_gain"),
    ("robustness", "robustness"),
    ("Wasserstein", "wasserstein"),
    ("energy", "energy"),
)


def names(text: str) -> tuple[str, ...]:
    """An argument's type: names with commas between."""
    return tuple(name for name in (part.strip() for part in text.split(",")) if name)


def metric_file(text: str) -> tuple[str, Path]:
    """An argument's type: METRIC=FILE."""
    name, equals, file = text.partition("=")
    if not (name and equals and file):
        raise argparse.ArgumentTypeError(f"must be METRIC=FILE, like demo=weights.safetensors, got {text!r}")
    return name, Path(file)


class Command(LabCommand):
    help = (
        "Run attacks on metrics and score how far each metric gives way: absolute and relative gain, robustness, "
        "Wasserstein and energy-distance scores with intervals, per attack, data set and in all; tables and figures. "
        "Attacked frames are scored as floats in [0, 1], not rounded, as the published benchmark does. Safe to stop "
        "and to run again: finished jobs are kept, and a second run only writes the report. Exit status 1 where a "
        "source or a job failed; all else is done nevertheless, and the next run tries those again."
    )

    def add_arguments(self, parser):
        parser.add_argument(
            "--metrics", required=True, type=names, metavar="M[,M...]", help="commas between; see list_metrics"
        )
        parser.add_argument(
            "--attacks",
            default="",
            help="as for generate_stimuli: fgsm,ifgsm:iterations=4,ioi; of a stimulus set, which of its conditions to "
            "take, by label or by the attack's name (default: all of the set)",
        )
        parser.add_argument(
            "--sources",
            required=True,
            nargs="+",
            type=Path,
            metavar="PATH",
            help="folder of videos and pictures, a file, or a stimulus set; every folder with media in it is a data "
            "set, every video and picture in it a source",
        )
        parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="folder of tables and figures")
        parser.add_argument(
            "--strengths",
            type=names,
            metavar="S[,S...]",
            help="which of the authors' strengths, from low, default and high (default: all three; tables are made at "
            "default, the others serve gain against strength); a stimulus set brings its own",
        )
        parser.add_argument(
            "--transfer",
            action="store_true",
            help="let every metric score what was made against the others; of a stimulus set the delivered files are "
            "scored then, and no attack is run",
        )
        parser.add_argument(
            "--round", action="store_true", help="score attacked frames as 8-bit pictures instead of as floats"
        )
        parser.add_argument("--device", default="auto", help="cpu, cuda, or auto (default)")
        parser.add_argument(
            "--weights",
            type=metric_file,
            action="append",
            default=[],
            metavar="METRIC=FILE",
            help="local weights file of a metric; may be repeated",
        )
        parser.add_argument(
            "--window",
            type=at_least(1),
            metavar="N",
            help="of metrics of clips: frames that are scored together (default: each its own)",
        )
        add_trained_argument(parser)
        parser.add_argument(
            "--trained-transfer", action="store_true", help="allow trained files that were made for another metric"
        )
        parser.add_argument(
            "--max-frames",
            type=at_least(1),
            metavar="N",
            help="use the first N frames of each video and the first N pictures of each folder",
        )
        parser.add_argument(
            "--chunk", type=at_least(1), metavar="N", help="frames in memory at a time (default: by size)"
        )
        parser.add_argument(
            "--seed", type=int, default=0, help="of attacks that draw at random, and of the report (default 0)"
        )
        report = parser.add_argument_group("report")
        report.add_argument(
            "--domain",
            choices=_DOMAINS,
            default="raw",
            help="raw: each metric in its own clean range (default); quantile: in the domain of --reference-metric, by "
            "quantiles of the clear scores; neural: by the published maps in --transport",
        )
        report.add_argument("--reference-metric", metavar="M", help="with --domain quantile: one of --metrics")
        report.add_argument(
            "--transport",
            type=Path,
            metavar="FILE",
            help="with --domain neural: the benchmark's models_to_mdtvsfa_1d.pth",
        )
        report.add_argument("--level", type=float, default=0.95, help="of the intervals (default 0.95)")

    def run(self, *, attacks, weights, trained, strengths, **options):
        report = {key: options[key] for key in ("domain", "reference_metric", "transport", "level", "seed")}
        _check_report(report, options["metrics"])
        request = BenchmarkRequest(
            metrics=options["metrics"],
            sources=tuple(options["sources"]),
            attacks=parse_attacks(attacks),
            settings=strengths,
            rounded=options["round"],
            weights=dict(weights),
            trained=trained_paths(trained),
            command=tuple(sys.argv[1:]),
            **{
                key: options[key]
                for key in ("out", "transfer", "window", "trained_transfer", "device", "max_frames", "chunk", "seed")
            },
        )
        result = run_benchmark(request, show_progress=options["verbosity"] > 0, say=self.say)
        self._result = result
        self.say(f"Jobs done now: {result.made}, found done: {result.reused}; rows in {result.scores}: {result.rows}.")
        document = {
            "out": str(request.out),
            "made": result.made,
            "reused": result.reused,
            "rows": result.rows,
            "failures": [{"what": failure.what, "reason": failure.reason} for failure in result.failures],
            "report": None,
        }
        if result.rows:
            try:
                files = write_robustness_report(read_scores(result.scores), request.out, **report)
            except AnalysisError as error:
                raise CommandError(f"{error}. {_failures_of(result)}".strip()) from error
            self.say_table(["metric", "frames", *(title for title, _ in _MEASURES)], _overall(files.document))
            self.say(files.document["answer"])
            self.say(f"Report: {files.robustness_html}")
            document["report"] = files.document
        return document

    def handle(self, *args, **options):
        super().handle(*args, **options)
        if self._result.failures:
            raise CommandError(_failures_of(self._result))


def _check_report(report: dict, metrics: tuple[str, ...]) -> None:
    """Before hours of work, not after."""
    domain, reference, transport = report["domain"], report["reference_metric"], report["transport"]
    if domain == "quantile" and reference not in metrics:
        raise CommandError(
            f"--domain quantile needs --reference-metric, one of --metrics ({', '.join(metrics)}); got {reference}."
        )
    if domain != "quantile" and reference:
        raise CommandError("--reference-metric goes with --domain quantile; add that or leave it out.")
    if (domain == "neural") != (transport is not None):
        raise CommandError("--domain neural and --transport FILE go together; give both or neither.")
    if transport and not transport.is_file():
        raise CommandError(f"There is no file {transport}; correct --transport.")
    check_level(report["level"])
    check_seed(report["seed"])


def _failures_of(result: BenchmarkResult) -> str:
    failures = result.failures
    if not failures:
        return ""
    named = " ".join(f"{failure.what}: {failure.reason}" for failure in failures[:_NAMED])
    more = f" And {len(failures) - _NAMED} more, see benchmark.json." if len(failures) > _NAMED else ""
    return f"{'Not done, all else was' if result.rows else 'Nothing to report'}: {named}{more}"


def _overall(document: dict) -> list[list[str]]:
    """The row of all attacks and data sets together for each metric."""
    return [
        [record["metric"], str(record["n"]), *(_number(record[measure]) for _, measure in _MEASURES)]
        for record in document["scores"]
        if record["dataset"] == record["attack"] == "all"
    ]


def _number(score: dict | None) -> str:
    if score is None:
        return "–"
    interval = "" if score["low"] is None else f" [{score['low']:.3g}, {score['high']:.3g}]"
    return f"{score['mean']:.3g}{interval}"
