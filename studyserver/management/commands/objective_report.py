"""`manage.py objective_report`: the objective quality of each attack at the matched gain, as a paper prints it."""

import textwrap
from pathlib import Path

from analysis import text_table, write_quality_report
from stimuli import read_manifest
from studyserver.management.base import LabCommand
from studyserver.objective_quality import objective_tables

__all__ = ["Command"]


class Command(LabCommand):
    help = (
        "Print the objective quality of every attack in stimulus sets, mean and 95 % interval over sources: SSIM, "
        "PSNR, VIF, LPIPS, temporal instability, MAE*. Sets of another metric, target or delivery get their own table."
    )

    def add_arguments(self, parser):
        parser.add_argument("sets", nargs="+", type=Path, metavar="SET", help="folder of a stimulus set")
        parser.add_argument(
            "--out", type=Path, metavar="DIR", help="folder for objective.csv, objective.md and objective.tex"
        )

    def run(self, *, sets, out, **options):
        tables = objective_tables(read_manifest(path) for path in sets)
        for table in tables:
            self.say(textwrap.fill(table.quality.table.caption, 120))
            self.say()
            self.say(text_table(table.quality.table))
            self.say()
            for item in table.unreachable:
                self.say(f"Not reached: {item['condition']} on {item['source']}: {item['reason']}")
            if table.without_lpips:
                self.say(f"No LPIPS: {table.without_lpips}.")
        files = write_quality_report([table.quality for table in tables], out) if out else []
        if files:
            self.say(f"Written: {', '.join(map(str, files))}")
        return {"tables": [table.to_document() for table in tables], "files": [str(path) for path in files]}
