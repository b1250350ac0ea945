"""Say how many people, votes and clips a study needs."""

import contextlib

from tqdm import tqdm

from analysis import add_plan_arguments, run_plan
from studyserver.management.base import LabCommand


class Command(LabCommand):
    help = (
        "Plan a study: people, votes, clips, minutes and money for intervals of a wanted width, or to "
        "tell two attacks apart; or what a study of a given size will know. By formula, and with --simulate by model "
        "people. Needs no database."
    )

    def add_arguments(self, parser):
        add_plan_arguments(parser)

    def run(self, **options):
        studies = options["simulate"]
        shown = tqdm(total=studies, desc="studies", unit="", disable=None) if studies else contextlib.nullcontext()
        with shown as bar:
            return run_plan(options, say=self.say, progress=bar.update if bar else None)
