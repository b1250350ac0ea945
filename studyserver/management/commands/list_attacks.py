"""`manage.py list_attacks`: what attacks there are and what they can be told."""

import dataclasses

from attacks import list_attacks, value_text
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
                f"    {info.access}, gradients per frame {info.iterations}, strength {strength.text(strength.default)} "
                f"(usually {strength.text(strength.low)} to {strength.text(strength.high)}; {strength.unit})"
            )
            if info.same_at_one_iteration:
                self.say(f"    with iterations=1: the same picture as {info.same_at_one_iteration}")
            for option in info.options:
                self.say(f"    {option.name}={value_text(option.default)}  ({option.accepts})  {option.description}")
            for variant in info.variants:
                self.say(f"    with {variant}")
            self.say()
        self.say("Options follow the name: generate_stimuli … --attacks fgsm,ifgsm:iterations=4,ioi:keep=0.1")
        self.say("--attacks all takes every attack with its defaults; --attacks paper those of the IOI paper's")
        self.say("one-iteration comparison, without those that would be the same picture as another.")
        return {"attacks": [dataclasses.asdict(info) for info in attacks]}
