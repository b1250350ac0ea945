"""Fill a study with model participants."""

import argparse
import dataclasses

from tqdm import tqdm

from studyserver.database import database_ensure
from studyserver.management.base import LabCommand, at_least
from studyserver.selectors import study_by_slug
from studyserver.simulation import simulate_votes


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


class Command(LabCommand):
    help = "Let model participants vote through the same code as people; their votes are marked, with their own quota."

    def add_arguments(self, parser):
        parser.add_argument("slug", metavar="SLUG", help="short name of the study")
        parser.add_argument("--participants", type=at_least(0), required=True, metavar="N")
        parser.add_argument("--seed", type=int, required=True, metavar="S", help="the same seed gives the same votes")
        parser.add_argument(
            "--spammers",
            type=_people_or_share,
            default=0,
            metavar="P",
            help="how many of them answer at random: a number of people (6), or a share (0.1 or 10%%)",
        )

    def run(self, *, slug, participants, seed, spammers, **_):
        database_ensure()
        study = study_by_slug(slug)
        result = simulate_votes(
            study=study,
            participants=participants,
            seed=seed,
            spammers=min(round(spammers * participants) if isinstance(spammers, float) else spammers, participants),
            progress=lambda rows: tqdm(rows, desc="participants", unit="", disable=None),
        )
        self.say(f"{result.participants} model participants ({result.spammers} at random), {result.votes} new votes.")
        if result.turned_away:
            self.say(
                f"{result.turned_away} found the quota of {study.votes_per_pair} people per pair full and were turned "
                "away; raise the study's votes per pair to let more in."
            )
        return {"study": slug, "seed": seed, **dataclasses.asdict(result)}
