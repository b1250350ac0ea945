"""`python -m analysis FILE.csv --out DIR`: rank the conditions of a vote table, or judge metrics by a score table."""

import argparse
import json
import os
import sys
from pathlib import Path

from analysis import read_scores, read_votes, write_report, write_robustness_report
from analysis.command_options import VOTE_OPTIONS, add_report_options, report_options
from analysis.errors import AnalysisError
from analysis.robustness.score_domains import DOMAINS
from analysis.robustness.score_table import is_score_table

_OF_SCORES = ("domain", "reference_metric", "transport")


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; 0 done, 1 could not, 2 wrong usage."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments[:1] == ["plan"]:
        from analysis.planning.plan_command import main as plan

        return plan(arguments[1:])
    parser = _parser()
    options = parser.parse_args(arguments)
    if not options.table.is_file():
        found = "is a folder" if options.table.is_dir() else "does not exist"
        print(f"{options.table} {found}; give the path of a CSV of votes or of scores", file=sys.stderr)
        return 1
    of_scores = is_score_table(options.table)
    others = VOTE_OPTIONS if of_scores else _OF_SCORES
    misplaced = [name for name in others if getattr(options, name) != parser.get_default(name)]
    if misplaced:
        has = "scores" if of_scores else "votes"
        parser.error(f"--{misplaced[0].replace('_', '-')} does not apply: {options.table} holds {has}")
    title = options.title or options.table.stem
    shared = {"title": title, "seed": options.seed, "level": options.level}
    try:
        if of_scores:
            files = write_robustness_report(
                read_scores(options.table),
                options.out,
                domain=options.domain or "raw",
                reference_metric=options.reference_metric,
                transport=options.transport,
                **shared,
            )
            page = files.robustness_html
        else:
            given = report_options(vars(options))
            files = write_report(read_votes(options.table), options.out, file=options.table, **shared, **given)
            page = files.report_html
            if files.boxes:
                print(files.boxes, file=sys.stderr)
    except AnalysisError as error:
        print(error, file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps(files.document, indent=2, allow_nan=False))
    else:
        print(files.document["answer"])
        print(f"Report: {page}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m analysis",
        description=__doc__.split(": ", 1)[1],
        epilog="`python -m analysis plan --help` says how many participants, votes and clips a study needs.",
    )
    parser.add_argument(
        "table",
        type=Path,
        metavar="FILE",
        help="CSV of votes (participant, source, left, right, choice, ...) or of scores (target_metric, metric, ..., "
        "clear, attacked)",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the report, made if missing")
    add_report_options(parser.add_argument_group("votes"), parser.add_argument_group("votes and scores"))
    parser.add_argument("--json", action="store_true", help="print the report's JSON document on standard output")
    scores = parser.add_argument_group("scores")
    scores.add_argument("--domain", choices=DOMAINS, help="of the scores that are compared (default raw)")
    scores.add_argument("--reference-metric", metavar="NAME", help="whose domain, for --domain quantile")
    scores.add_argument("--transport", type=Path, metavar="FILE", help="the published maps, for --domain neural")
    return parser


if __name__ == "__main__":
    try:
        status = main()
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read has seen enough (`| head`); what is still in the buffer goes nowhere, silently.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 1
    sys.exit(status)
