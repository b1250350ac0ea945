"""`manage.py list_metrics`: what target metrics there are and which can be used on this machine now."""

import textwrap

from attacks.metrics import list_metrics, metric_status
from studyserver.management.base import LabCommand

__all__ = ["Command"]

_WIDTH = 100
_HEADINGS = (
    "Usable on this machine now",
    "Usable where there is a network: the file is downloaded at first use",
    "Missing a file that is published elsewhere",
    "Missing a Python package",
)


class Command(LabCommand):
    help = "List the target metrics: what each needs, and what is usable on this machine now."

    def run(self, **options):
        rows = [(info, metric_status(info)) for info in list_metrics()]
        margin = max(len(info.name) for info, _ in rows) + 2
        for index, heading in enumerate(_HEADINGS):
            group = [(info, status) for info, status in rows if _group(status) == index]
            if group:
                self.say(f"{heading}:")
                for info, status in group:
                    self._describe(info, status, margin)
                self.say()
        self._paragraph(
            "A missing file goes to the place that --json names, or into the folder that the environment variable "
            "METRIC_WEIGHTS_DIR names; a metric's own file can also be given with --weights FILE. docs/metrics.md "
            "says more."
        )
        self._paragraph(
            "Any other no-reference metric of pyiqa is named pyiqa:<name>. pyiqa is for noncommercial use only."
        )
        return {"metrics": [_document(info, status) for info, status in rows]}

    def _describe(self, info, status, margin):
        direction = "lower is better" if info.lower_better else "higher is better"
        scope = f"; windows of {info.window} frames" if info.scope == "clip" else ""
        gpu = "; needs a GPU in practice" if info.gpu else ""
        lines = [info.title, "{}, {:.4g} to {:.4g}{}{}".format(direction, *info.score_range, scope, gpu)]
        if status.file:
            lines.append(f"missing: {status.file.name} ({status.file.origin})")
        elif status.missing:
            lines.append(f"missing: {status.missing}")
        label = f"  {info.name}"
        for line in lines:
            self._paragraph(line, label.ljust(margin + 2), " " * (margin + 2))
            label = ""

    def _paragraph(self, text, first="", following=""):
        self.say(
            textwrap.fill(
                text,
                _WIDTH,
                initial_indent=first,
                subsequent_indent=following,
                break_long_words=False,
                break_on_hyphens=False,
            )
        )


def _group(status):
    if status.usable:
        return 0
    if status.file:
        return 1 if status.file.downloads else 2
    return 3


def _document(info, status):
    return {
        "name": info.name,
        "title": info.title,
        "citation": info.citation,
        "lower_better": info.lower_better,
        "score_range": list(info.score_range),
        "scope": info.scope,
        "window": info.window,
        "preprocessing": info.preprocessing,
        "licence": info.licence,
        "gpu": info.gpu,
        "needs": list(info.needs),
        "files": [
            {
                "name": file.name,
                "aliases": list(file.aliases),
                "origin": file.origin,
                "downloads": file.downloads,
                "path": str(file.path),
                "found": file.path.is_file(),
            }
            for file in info.files
        ],
        "usable": status.usable,
        "missing": status.missing,
    }
