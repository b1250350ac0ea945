"""Write the table of a study's participants."""

from pathlib import Path

from studyserver.database import database_ensure
from studyserver.export import write_table
from studyserver.management.base import LabCommand
from studyserver.participant_columns import COLUMNS
from studyserver.selectors import participant_table


class Command(LabCommand):
    help = "Write one row per participant of a study: outcome, device, reliability and the questionnaire."

    def add_arguments(self, parser):
        parser.add_argument("slug", metavar="SLUG", help="short name of the study")
        parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="ends in .csv, .json or .parquet")

    def run(self, *, slug, out, **_):
        database_ensure()
        result = write_table(participant_table(slug), COLUMNS, out)
        self.say(f"{result.rows} participants in {result.file}, columns explained in {result.dictionary}.")
        return {
            "study": slug,
            "participants": result.rows,
            "file": str(result.file),
            "dictionary": str(result.dictionary),
        }
