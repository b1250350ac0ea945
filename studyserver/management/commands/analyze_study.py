"""Rank the conditions of a study, or of a file of votes, and write the report."""

from pathlib import Path

from analysis import add_report_options, read_votes, report_options, write_report
from analysis.errors import InvalidVotes
from studyserver.management.base import LabCommand, at_least


class Command(LabCommand):
    help = "Rank the conditions of a study from its votes: tables, figures, methods and report.html."

    def add_arguments(self, parser):
        parser.add_argument("votes", metavar="SLUG|VOTES.csv", help="short name of a study here, or a CSV of votes")
        parser.add_argument(
            "--out", type=Path, required=True, metavar="DIR", help="folder for the report, made if missing"
        )
        add_report_options(parser)
        parser.add_argument(
            "--use-rule",
            type=at_least(1),
            metavar="VERSION",
            help="of a study: version of the rule of use that says which votes count (default: the newest)",
        )

    def run(self, *, votes, out, title, level, seed, use_rule, **options):
        given = report_options(options)
        table, name, file = self._votes(votes, use_rule)
        files = write_report(table, out, title=title or name, level=level, seed=seed, file=file, **given)
        self.say(files.document["answer"])
        self.say(f"Report: {files.report_html}")
        if files.boxes:
            self.say(files.boxes)
        return files.document

    def _votes(self, given: str, use_rule: int | None):
        """The vote table, its name and its file; what looks like a file is one, as a slug has neither dot nor slash."""
        if "." in given or "/" in given:
            if use_rule is not None:
                raise InvalidVotes("a file of votes has no versions of a rule; --use-rule is for a study's short name")
            return read_votes(given), Path(given).stem, Path(given)
        from studyserver.database import database_ensure
        from studyserver.selectors import study_by_slug, vote_table

        database_ensure()
        table = vote_table(given, use_rule)
        if len(table) == 0:
            raise InvalidVotes(
                f"the study {given!r} has no votes yet; open it to participants, or try simulate_votes {given}"
            )
        return table, study_by_slug(given).title, None
