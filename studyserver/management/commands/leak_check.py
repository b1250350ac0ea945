"""Test that a participant cannot tell conditions or answers from what their browser receives."""

import dataclasses

from django.core.management.base import CommandError
from tqdm import tqdm

from studyserver.database import database_ensure
from studyserver.leak import leak_check
from studyserver.management.base import LabCommand, at_least
from studyserver.selectors import study_by_slug


class Command(LabCommand):
    help = (
        "Go through a study as participants' browsers do, and fail where a condition, a kind of pair or an answer can "
        "be told from what they receive. The visits are marked previews, and are deleted afterwards."
    )

    def add_arguments(self, parser):
        parser.add_argument("slug", metavar="SLUG", help="short name of the study")
        parser.add_argument(
            "--visits", type=at_least(1), default=4, metavar="N", help="how many; more find weaker leaks (default 4)"
        )
        parser.add_argument(
            "--url",
            metavar="URL",
            help="go through this running server, as http://127.0.0.1:8000, which must use this command's data folder",
        )

    def handle(self, *args, **options):
        super().handle(*args, **options)
        # After the document of --json, which names the leaks.
        if self._found:
            raise CommandError(f"leaks found: {self._found}; participants can tell what they should not")

    def run(self, *, slug, visits, url, **_):
        database_ensure()
        study = study_by_slug(slug)
        with tqdm(total=visits, desc="visits", unit="", disable=None) as bar:
            report = leak_check(study=study, url=url, visits=visits, progress=bar.update)
        for line in report.leaks:
            self.say(f"LEAK  {line}")
        for line in report.remarks:
            self.say(f"note  {line}")
        self.say(
            f"{len(report.leaks) or 'No'} leak{'s' * (len(report.leaks) != 1)} in {report.replies} replies of "
            f"{report.visits} visits ({report.trials} pairs, {report.files} videos)."
        )
        self._found = len(report.leaks)
        return {"study": slug, **dataclasses.asdict(report)}
