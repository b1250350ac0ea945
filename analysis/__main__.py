"""`python -m analysis VOTES.csv --out DIR`: rank the conditions of a vote table and write the report."""

import argparse
import json
import sys
from pathlib import Path

from analysis.errors import AnalysisError
from analysis.report import write_report
from analysis.votes import read_votes


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; 0 done, 1 could not, 2 wrong usage."""
    parser = argparse.ArgumentParser(prog="python -m analysis", description=__doc__.split(": ", 1)[1])
    parser.add_argument("votes", type=Path, help="CSV of votes: participant, source, left, right, choice, ...")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the report, made if missing")
    parser.add_argument("--title", help="heading of the report (default: the file's name)")
    parser.add_argument("--target-metric", metavar="NAME", help="which to rank where the votes hold several")
    parser.add_argument("--level", type=float, default=0.95, help="of the intervals (default 0.95)")
    parser.add_argument("--seed", type=int, default=0, help="of the random halves of participants (default 0)")
    parser.add_argument("--json", action="store_true", help="print ranking.json on standard output")
    options = parser.parse_args(arguments)
    try:
        files = write_report(
            read_votes(options.votes),
            options.out,
            title=options.title or options.votes.stem,
            seed=options.seed,
            level=options.level,
            target_metric=options.target_metric,
        )
    except AnalysisError as error:
        print(error, file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps(files.document, indent=2, allow_nan=False))
    else:
        print(files.document["answer"])
        print(f"Report: {files.report_html}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
