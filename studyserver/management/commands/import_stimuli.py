"""Make a study from a stimulus set."""

from pathlib import Path

from studyserver.database import database_ensure
from studyserver.errors import StimulusSetRefused
from studyserver.management.base import LabCommand
from studyserver.services import import_stimulus_set, study_open


class Command(LabCommand):
    help = "Import a stimulus set made by generate_stimuli (here or elsewhere) as the stimuli of a study."

    def add_arguments(self, parser):
        parser.add_argument("folder", metavar="DIR", type=Path, help="folder with manifest.json and media/")
        parser.add_argument(
            "--study", required=True, metavar="SLUG", help="short name of the study; made if there is none"
        )
        parser.add_argument("--title", help="what participants read as the study's title")
        parser.add_argument(
            "--interval-width",
            type=float,
            metavar="LOGITS",
            help="half-width that intervals of a new study are to have (default 0.3); too few clips for it do not "
            "open; 0 asks none",
        )
        parser.add_argument("--open", action="store_true", help="let participants in at once, if check_study passes")

    def run(self, *, folder, study, title, open, interval_width, **_):
        if interval_width is not None and not 0 <= interval_width <= 5:
            raise StimulusSetRefused(f"--interval-width is from 0 to 5 logits, got {interval_width:g}")
        database_ensure()
        result = import_stimulus_set(slug=study, folder=folder, title=title, interval_width=interval_width)
        if open:
            study_open(study=result.study)
        self.say(
            f"Study {study!r} {'holds now' if result.created else 'already held'} {result.stimuli} stimuli of "
            f"{result.sources} sources: {result.test_pairs} test pairs, {result.verification_pairs} verification pairs."
        )
        if not open:
            self.say(f"Next: `check_study {study}`, or the study's check under /admin/, and open it there.")
        return {
            "study": study,
            "created": result.created,
            "status": result.study.status,
            "sources": result.sources,
            "conditions": result.conditions,
            "stimuli": result.stimuli,
            "test_pairs": result.test_pairs,
            "verification_pairs": result.verification_pairs,
        }
