"""What every command shares: `--json`, one-sentence errors, exit status 0, 1 or 2."""

import argparse
import contextlib
import json
import sys
from collections.abc import Iterable, Sequence

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError

from analysis import Table, text_table
from analysis.errors import AnalysisError
from attacks.errors import AttackError
from stimuli.errors import StimuliError
from studyserver.errors import StudyError

__all__ = ["LabCommand", "at_least"]


def at_least(lowest: int):
    """An argument's type: a whole number of at least `lowest`."""

    def parse(text: str) -> int:
        number = int(text)
        if number < lowest:
            raise argparse.ArgumentTypeError(f"must be {lowest} or more, got {number}")
        return number

    parse.__name__ = "whole number"
    return parse


class LabCommand(BaseCommand):
    """A command of the laboratory.

    Subclasses implement `run(**options)`, return what `--json` prints (any JSON
    document) and write for people with `self.say`. With `--json`, standard output
    carries that one document and everything else goes to standard error.
    """

    requires_system_checks = ()

    def create_parser(self, prog_name, subcommand, **kwargs):
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.add_argument(
            "--json",
            action="store_true",
            help="print one JSON document on standard output, everything else on standard error",
        )
        return parser

    def say(self, text: str = "") -> None:
        """Write a line for people."""
        (self.stderr if self._json else self.stdout).write(text, self.style.SUCCESS if self._json else None)

    def say_table(self, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Write aligned lines for people, the first column to the left and numbers to the right."""
        self.say(text_table(Table(tuple(columns), tuple(map(tuple, rows)), caption="", label="")))

    def handle(self, *args, **options):
        self._json = options.pop("json")
        try:
            with contextlib.redirect_stdout(sys.stderr) if self._json else contextlib.nullcontext():
                document = self.run(**options)
        except (AttackError, StimuliError, AnalysisError, StudyError) as error:
            raise CommandError(str(error)) from error
        except OperationalError as error:
            reason = str(error).strip().partition("\n")[0]
            raise CommandError(
                f"the database cannot be used: {reason}; check DATABASE_URL, or LAB_DATA_DIR where SQLite is kept"
            ) from error
        except KeyboardInterrupt:
            raise CommandError(
                "stopped; what was finished is kept, run the same command again to continue", returncode=130
            ) from None
        if self._json:
            self.stdout.write(json.dumps(document, indent=2, allow_nan=False))

    def run(self, **options):
        """Do the work and return the JSON document."""
        raise NotImplementedError
