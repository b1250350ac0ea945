"""Say whether a study is ready to open, rule by rule."""

from dataclasses import asdict

from django.core.management.base import CommandError

from studyserver.database import database_ensure
from studyserver.findings import REFUSED
from studyserver.management.base import LabCommand
from studyserver.selectors import study_by_slug, study_facts
from studyserver.study_check import check, planned_totals


class Command(LabCommand):
    help = (
        "Check a study before it opens: files and their contents, colour tags, strengths, retention, clips for the "
        "wanted interval width, settings; and say what it will take. Exit status 1 where it would not open."
    )

    def add_arguments(self, parser):
        parser.add_argument("study", metavar="SLUG", help="short name of the study")
        parser.add_argument("--pilot", action="store_true", help="check for a pilot: too few clips are a warning")
        parser.add_argument(
            "--sizes-only", action="store_true", help="compare the sizes of the files, without reading their contents"
        )

    def run(self, *, study, pilot, sizes_only, **_):
        database_ensure()
        study = study_by_slug(study)
        facts = study_facts(study, read_contents=not sizes_only)
        findings = check(facts, pilot=pilot)
        for item in findings:
            self.say(f"{item.level:8} {item.rule}: {item.found} {item.advice}".rstrip())
        totals = planned_totals(facts)
        self.say(
            f"It takes {totals.participants} people for {totals.votes} votes, about {totals.minutes} minutes and at "
            f"most {totals.megabytes:.0f} MB each; {totals.cost} {totals.currency} if all finish."
        )
        self._refused = [item.rule for item in findings if item.level == REFUSED]
        return {
            "study": study.slug,
            "ready": not self._refused,
            "findings": [asdict(item) for item in findings],
            "totals": {**asdict(totals), "cost": str(totals.cost)},
        }

    def handle(self, *args, **options):
        super().handle(*args, **options)
        if self._refused:
            raise CommandError(f"The study does not open as it is: {', '.join(self._refused)}.")
