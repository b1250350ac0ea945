"""Write the vote table of a study."""

from pathlib import Path

from studyserver.database import database_ensure
from studyserver.export import write_vote_table
from studyserver.management.base import LabCommand
from studyserver.selectors import vote_table


class Command(LabCommand):
    help = "Write the vote table of a study, pseudonymous, with a data dictionary beside it."

    def add_arguments(self, parser):
        parser.add_argument("slug", metavar="SLUG", help="short name of the study")
        parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="ends in .csv, .json or .parquet")

    def run(self, *, slug, out, **_):
        database_ensure()
        result = write_vote_table(vote_table(slug), out)
        self.say(f"{result.votes} votes in {result.file}, columns explained in {result.dictionary}.")
        return {"study": slug, "votes": result.votes, "file": str(result.file), "dictionary": str(result.dictionary)}
