"""Write the vote table of a study."""

from pathlib import Path

from studyserver.database import database_ensure
from studyserver.export import write_table
from studyserver.management.base import LabCommand, at_least
from studyserver.selectors import vote_table
from studyserver.vote_columns import COLUMNS


class Command(LabCommand):
    help = "Write the vote table of a study, pseudonymous, with a data dictionary beside it."

    def add_arguments(self, parser):
        parser.add_argument("slug", metavar="SLUG", help="short name of the study")
        parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="ends in .csv, .json or .parquet")
        parser.add_argument(
            "--use-rule",
            type=at_least(1),
            metavar="VERSION",
            help="version of the rule of use that says which votes count (default: the newest)",
        )

    def run(self, *, slug, out, use_rule, **_):
        database_ensure()
        result = write_table(vote_table(slug, use_rule), COLUMNS, out)
        self.say(f"{result.rows} votes in {result.file}, columns explained in {result.dictionary}.")
        return {"study": slug, "votes": result.rows, "file": str(result.file), "dictionary": str(result.dictionary)}
