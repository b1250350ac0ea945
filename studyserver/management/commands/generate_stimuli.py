"""`manage.py generate_stimuli`: source clips and attacks in, a matched-strength stimulus set out."""

import dataclasses
import sys
from pathlib import Path

from django.core.management.base import CommandError

from stimuli import StimulusRequest, generate_stimulus_set, parse_attacks
from studyserver.management.base import LabCommand

__all__ = ["Command"]


class Command(LabCommand):
    help = (
        "Make adversarial versions of source clips that all fool a metric by the same gain on the delivered file. "
        "Safe to stop and to run again: finished stimuli are kept. Exit status 1 where an attack could not reach the "
        "gain; all others are made nevertheless."
    )

    def add_arguments(self, parser):
        parser.add_argument("sources", nargs="+", type=Path, metavar="SOURCE", help="video file, or a folder of them")
        parser.add_argument("--metric", required=True, help="target metric; see list_metrics")
        parser.add_argument(
            "--attacks",
            required=True,
            help="comma between attacks, colon before options: fgsm,ifgsm:iterations=4,ioi:keep=0.1; see list_attacks",
        )
        parser.add_argument("--gain", required=True, type=float, help="target relative gain, 0.1 is +10 %%")
        parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="folder of the set")
        parser.add_argument("--study", metavar="SLUG", help="import the finished set as this study")
        parser.add_argument("--match", default="clip", help="clip: one strength per clip and attack (default)")
        parser.add_argument(
            "--tolerance", type=float, default=0.02, help="allowed miss of the delivered gain, relative (default 0.02)"
        )
        parser.add_argument("--device", default="auto", help="cpu, cuda, or auto (default)")
        parser.add_argument("--delivery", default="h264", metavar="PROFILE", help="h264: near-lossless MP4 (default)")
        parser.add_argument("--weights", type=Path, metavar="FILE", help="local weights file of the metric")
        parser.add_argument("--max-frames", type=int, metavar="N", help="use the first N frames of each source")
        parser.add_argument("--chunk", type=int, metavar="N", help="frames in memory at a time (default: by size)")
        parser.add_argument("--seed", type=int, default=0, help="of the rounding pattern (default 0)")
        parser.add_argument(
            "--rounding", default="dither", help="dither (default) or nearest, for all conditions alike"
        )

    def run(self, *, sources, attacks, study, **options):
        names = [field.name for field in dataclasses.fields(StimulusRequest)]
        request = StimulusRequest(
            sources=tuple(sources),
            attacks=parse_attacks(attacks),
            command=tuple(sys.argv[1:]),
            **{name: options[name] for name in names if name in options},
        )
        if study:
            # Django's models load only with an import, never for a set that stays a folder. What would make the
            # import fail is said before hours of work, not after.
            from studyserver.database import database_ensure
            from studyserver.services import import_stimulus_set, study_check_slug

            study_check_slug(study)
            database_ensure()
        result = generate_stimulus_set(request, show_progress=options["verbosity"] > 0)
        manifest = result.manifest
        self.say(
            f"{request.out}: {len(manifest.stimuli)} stimuli of {len(manifest.sources)} sources "
            f"({result.made} results made now, {result.reused} found finished)."
        )
        for stimulus in manifest.stimuli:
            if stimulus.attack:
                self.say(
                    f"  {stimulus.source}, {stimulus.condition}: delivered gain {stimulus.gain_delivered:.4f} "
                    f"at strength {stimulus.strength:.5f}"
                )
        if study:
            import_stimulus_set(slug=study, folder=request.out)
            self.say(f"Imported as the study {study}.")
        self._unreachable = manifest.unreachable
        return {
            "out": str(request.out),
            "made": result.made,
            "reused": result.reused,
            "study": study,
            "manifest": manifest.to_document(),
        }

    def handle(self, *args, **options):
        super().handle(*args, **options)
        if self._unreachable:
            missed = "; ".join(f"{item.condition} on {item.source} ({item.reason})" for item in self._unreachable)
            raise CommandError(
                f"The gain was not reached by {missed}. Change --gain and choose another --out, or raise --tolerance; "
                "all else was made."
            )
