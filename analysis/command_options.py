"""The options of a report on the command line, the same for `python -m analysis` and `manage.py analyze_study`."""

from pathlib import Path

__all__ = ["VOTE_OPTIONS", "add_report_options", "report_options"]

VOTE_OPTIONS = ("target_metric", "ties", "generalise", "screening", "manifest", "resamples")
# As the modules that use them have them; read there they would load pandas and scipy to print a help text.
_TIES = ("davidson", "rao-kupper", "half")
_GENERALISE = ("sources", "these-sources")


def add_report_options(parser, shared=None) -> None:
    """Declare the options that say how votes are ranked, as VOTE_OPTIONS names them.

    parser: an argparse parser or group; shared: where title, level and seed go, which reports of scores have too.
    """
    shared = shared or parser
    shared.add_argument("--title", help="heading of the report (default: the name of the file or of the study)")
    shared.add_argument("--level", type=float, default=0.95, help="of the intervals (default 0.95)")
    shared.add_argument("--seed", type=int, default=0, help="of what is drawn at random (default 0)")
    parser.add_argument("--target-metric", metavar="NAME", help="rank the votes of one (default: all pooled, and each)")
    parser.add_argument(
        "--ties",
        choices=_TIES,
        default="davidson",
        help="model of ties: one parameter (davidson, rao-kupper), or half a win for each side (default davidson)",
    )
    parser.add_argument(
        "--generalise",
        choices=_GENERALISE,
        help="whether the intervals hold for other clips too (default: where there are at least 5)",
    )
    parser.add_argument(
        "--screening",
        metavar="RULE",
        default="as-given",
        help="rule that says whose votes count and how much (default as-given: the column use); docs/screening.md",
    )
    parser.add_argument(
        "--manifest",
        type=Path,
        action="append",
        metavar="PATH",
        help="stimulus set or its manifest.json, to compare objective measures with the scores; may be repeated",
    )
    parser.add_argument(
        "--resamples", type=int, default=1000, metavar="N", help="of the bootstrap and of correlations (default 1000)"
    )


def report_options(given: dict) -> dict:
    """The arguments of `write_report` in parsed options; manifests are read here.

    Raises AnalysisError where a manifest cannot be read.
    """
    from analysis.objective.objective_table import read_objective

    named = {name: given[name] for name in VOTE_OPTIONS if name != "manifest"}
    return named | {"objective": read_objective(given["manifest"]) if given["manifest"] else None}
