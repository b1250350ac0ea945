"""Fill a study with model participants."""

import argparse
import dataclasses

from tqdm import tqdm

from studyserver.database import database_ensure
from studyserver.errors import StudyError
from studyserver.management.base import LabCommand, at_least
from studyserver.selectors import study_by_slug
from studyserver.simulation import simulate_votes
from studyserver.simulation_http import simulate_votes_http
from studyserver.simulation_personas import PERSONAS, read_personas
from studyserver.simulation_result import SimulationResult


def _people_or_share(text: str) -> int | float:
    if text.isdecimal():
        return int(text)
    try:
        share = float(text[:-1]) / 100 if text.endswith("%") else float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(f"must be a number of people (6) or a share (0.1 or 10%), got {text!r}")
    return share


def _personas(text: str) -> dict[str, float]:
    try:
        return read_personas(text)
    except StudyError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


class Command(LabCommand):
    help = "Let model participants vote through the same code as people; their votes are marked, with their own quota."

    def add_arguments(self, parser):
        parser.add_argument("slug", metavar="SLUG", help="short name of the study")
        parser.add_argument("--participants", type=at_least(0), required=True, metavar="N")
        parser.add_argument("--seed", type=int, required=True, metavar="S", help="the same seed gives the same votes")
        parser.add_argument(
            "--personas",
            type=_personas,
            default={},
            metavar="SHARES",
            help="kinds of people and their shares, as honest=0.8,lazy=0.1; who is left over is honest. "
            f"There are: {', '.join(PERSONAS)}",
        )
        parser.add_argument(
            "--spammers",
            type=_people_or_share,
            default=0,
            metavar="P",
            help="how many of them answer at random: a number of people (6), or a share (0.1 or 10%%)",
        )
        parser.add_argument(
            "--http",
            metavar="URL",
            help="go through this running server, as http://127.0.0.1:8000, which must use this command's data folder",
        )

    def run(self, *, slug, participants, seed, personas, spammers, http, **_):
        database_ensure()
        study = study_by_slug(slug)
        cohort = {
            "study": study,
            "participants": participants,
            "seed": seed,
            "personas": personas,
            "spammers": min(round(spammers * participants) if isinstance(spammers, float) else spammers, participants),
        }
        with tqdm(total=participants, desc="participants", unit="", disable=None) as bar:
            if http:
                result = simulate_votes_http(url=http, progress=bar.update, **cohort)
            else:
                result = simulate_votes(progress=bar.update, **cohort)
        self._tell(result, study.votes_per_pair)
        return {"study": slug, "seed": seed, **dataclasses.asdict(result)}

    def _tell(self, result: SimulationResult, quota: int) -> None:
        self.say(f"{result.participants} model participants ({result.spammers} at random), {result.votes} new votes.")
        if result.turned_away:
            self.say(
                f"{result.turned_away} found the quota of {quota} people per pair full and were turned away; raise the "
                "study's votes per pair to let more in."
            )
        names = ("entered", "finished", "screened_out", "left", "votes")
        rows = [
            [name, *(str(getattr(row, field)) for field in names), str(sum(row.votes_dropped.values()))]
            for name, row in result.personas.items()
        ]
        self.say_table(["persona", *(name.replace("_", " ") for name in names), "dropped by a rule"], rows)
