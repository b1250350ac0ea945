"""`manage.py list_metrics`: what target metrics there are and which can be used on this machine now."""

import dataclasses

from attacks.metrics import list_metrics, metric_status
from studyserver.management.base import LabCommand

__all__ = ["Command"]


class Command(LabCommand):
    help = "List the target metrics: what each needs, and what is usable on this machine now."

    def run(self, **options):
        rows = [(info, metric_status(info)) for info in list_metrics()]
        width = max(len(info.name) for info, _ in rows)
        for info, status in rows:
            direction = "lower is better" if info.lower_better else "higher is better"
            low, high = info.score_range
            self.say(f"{info.name:<{width}}  {info.title} ({direction}, {low:g} to {high:g})")
            self.say(f"{'':<{width}}  {'usable now' if status.usable else 'missing: ' + status.missing}")
        self.say()
        self.say("Any other no-reference metric of pyiqa is named pyiqa:<name>. pyiqa is for noncommercial use only.")
        return {
            "metrics": [
                {
                    "name": info.name,
                    "title": info.title,
                    "citation": info.citation,
                    "lower_better": info.lower_better,
                    "score_range": list(info.score_range),
                    "scope": info.scope,
                    "licence": info.licence,
                    "needs": list(info.needs),
                    **dataclasses.asdict(status),
                }
                for info, status in rows
            ]
        }
