"""Write who is paid what."""

from collections import Counter
from pathlib import Path

from studyserver.columns import frame_of
from studyserver.database import database_ensure
from studyserver.export import write_table
from studyserver.identifiers import read_identifiers
from studyserver.management.base import LabCommand
from studyserver.payment_columns import COLUMNS
from studyserver.selectors import payment_rows, study_by_slug


class Command(LabCommand):
    help = "Write the payment list of a study: each session's outcome, amount and reason, by the pay rule."

    def add_arguments(self, parser):
        parser.add_argument("slug", metavar="SLUG", help="short name of the study")
        parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="ends in .csv, .json or .parquet")
        parser.add_argument(
            "--ids",
            type=Path,
            metavar="FILE",
            help="CSV of the recruitment service with its identifiers of people; matched through the pseudonyms, "
            "written into the list and stored nowhere else",
        )
        parser.add_argument("--column", metavar="NAME", help="column of that file (default: the first)")

    def run(self, *, slug, out, ids, column, **_):
        database_ensure()
        study = study_by_slug(slug)
        identifiers = read_identifiers(ids, column) if ids else []
        rows = payment_rows(study, identifiers=identifiers)
        result = write_table(frame_of(COLUMNS, rows), COLUMNS, out)
        pays = Counter(row.pay for row in rows)
        due = sum(row.amount for row in rows if row.paid_at is None)
        self.say(
            f"{pays['full']} in full, {pays['partial']} in part, {pays['none']} nothing; "
            f"{due:.2f} {study.currency} not paid yet. List: {result.file}"
        )
        matched = sum(bool(row.identifier) for row in rows)
        if ids:
            self.say(f"{matched} of {len(set(identifiers))} identifiers belong to participants of this study.")
        return {
            "study": slug,
            "sessions": len(rows),
            **{pay: pays[pay] for pay in ("full", "partial", "none")},
            "due": f"{due:.2f}",
            "currency": study.currency,
            "identifiers": len(set(identifiers)),
            "matched": matched,
            "file": str(result.file),
            "dictionary": str(result.dictionary),
        }
