"""`manage.py list_attacks`: what attacks there are and what they can be told."""

import dataclasses

from attacks import list_attacks
from studyserver.management.base import LabCommand

__all__ = ["Command"]


class Command(LabCommand):
    help = "List the attacks with their options and usual strengths."

    def run(self, **options):
        attacks = list_attacks()
        for info in attacks:
            strength = info.strength
            self.say(f"{info.name}  {info.title}")
            self.say(f"    {info.citation}")
            self.say(
                f"    {info.access}, gradients per frame {info.iterations}, strength {255 * strength.default:.3g}/255 "
                f"(usually {255 * strength.low:.3g}/255 to {255 * strength.high:.3g}/255)"
            )
            for option in info.options:
                self.say(
                    f"    {option.name}={option.default:.4g}  ({option.low:g} to {option.high:g})  {option.description}"
                )
            for variant in info.variants:
                self.say(f"    variant {variant}")
            self.say()
        self.say("Options follow the name: generate_stimuli … --attacks fgsm,ifgsm:iterations=4,ioi:keep=0.1")
        return {"attacks": [dataclasses.asdict(info) for info in attacks]}
