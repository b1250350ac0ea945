"""Fill a study with model participants."""

import dataclasses

from tqdm import tqdm

from studyserver.management.base import LabCommand, at_least
from studyserver.selectors import study_by_slug
from studyserver.simulation import simulate_votes


class Command(LabCommand):
    help = "Let model participants vote through the same code as people; their votes are marked, with their own quota."

    def add_arguments(self, parser):
        parser.add_argument("slug", metavar="SLUG", help="short name of the study")
        parser.add_argument("--participants", type=at_least(0), required=True, metavar="N")
        parser.add_argument("--seed", type=int, required=True, metavar="S", help="the same seed gives the same votes")
        parser.add_argument(
            "--spammers", type=at_least(0), default=0, metavar="P", help="how many of them answer at random"
        )

    def run(self, *, slug, participants, seed, spammers, **_):
        study = study_by_slug(slug)
        result = simulate_votes(
            study=study,
            participants=participants,
            seed=seed,
            spammers=min(spammers, participants),
            progress=lambda rows: tqdm(rows, desc="participants", unit="", disable=None),
        )
        self.say(f"{result.participants} model participants ({result.spammers} at random), {result.votes} new votes.")
        return {"study": slug, "seed": seed, **dataclasses.asdict(result)}
