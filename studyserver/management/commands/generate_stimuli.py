"""`manage.py generate_stimuli`: source clips and attacks in, a matched-strength stimulus set out."""

import dataclasses
import sys
from pathlib import Path

from django.core.management.base import CommandError

from stimuli import StimulusRequest, generate_stimulus_set, parse_attacks
from studyserver.management.base import LabCommand
from studyserver.management.trained_files import add_trained_argument, trained_paths

__all__ = ["Command"]


class Command(LabCommand):
    help = (
        "Make adversarial versions of source clips that all fool a metric by the same gain on the delivered file. "
        "Safe to stop and to run again: finished stimuli are kept. Exit status 1 where an attack could not reach the "
        "target, or where no rung of the delivery ladder keeps enough of one; all others are made nevertheless."
    )

    def add_arguments(self, parser):
        parser.add_argument("sources", nargs="+", type=Path, metavar="SOURCE", help="video file, or a folder of them")
        parser.add_argument("--metric", required=True, help="target metric; see list_metrics")
        parser.add_argument(
            "--attacks",
            required=True,
            help="comma between attacks, colon before options: fgsm,ifgsm:iterations=4,ioi:keep=0.1; all; or paper, "
            "the one-iteration comparison of the IOI paper; all,-scoreboundary leaves one out; see list_attacks",
        )
        parser.add_argument("--gain", type=float, help="target relative gain, 0.1 is +10 %%")
        parser.add_argument(
            "--linf", type=float, metavar="LEVELS", help="with --match linf: target of the largest change, 8-bit levels"
        )
        parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="folder of the set")
        parser.add_argument("--study", metavar="SLUG", help="import the finished set as this study")
        parser.add_argument(
            "--match",
            default="clip",
            help="clip: the same gain by one strength per clip and attack (default); dataset: the same mean gain by "
            "one strength per attack; linf: the same largest change",
        )
        parser.add_argument(
            "--tolerance", type=float, default=0.02, help="allowed miss of the target, relative (default 0.02)"
        )
        parser.add_argument(
            "--speed-matched",
            action="store_true",
            help="mark the attacks that need more than one gradient per frame, as the papers' protocol does",
        )
        parser.add_argument("--device", default="auto", help="cpu, cuda, or auto (default)")
        parser.add_argument(
            "--delivery",
            default="h264",
            metavar="PROFILE",
            help="h264: near-lossless MP4 (default); h264-crf14, h264-crf10, h264-crf1, vp9-lossless; auto: the "
            "cheapest of these, source by source, that keeps every attack",
        )
        parser.add_argument(
            "--retention-floor",
            type=float,
            metavar="SHARE",
            help="with --delivery auto: share of every perturbation's luma that the delivered file must keep",
        )
        parser.add_argument("--weights", type=Path, metavar="FILE", help="local weights file of the metric")
        parser.add_argument(
            "--window",
            type=int,
            metavar="N",
            help="of a metric of clips: frames that are scored together (default: its own; 1: single frames)",
        )
        add_trained_argument(parser)
        parser.add_argument(
            "--transfer", action="store_true", help="allow trained files that were made for another metric"
        )
        parser.add_argument("--max-frames", type=int, metavar="N", help="use the first N frames of each source")
        parser.add_argument("--chunk", type=int, metavar="N", help="frames in memory at a time (default: by size)")
        parser.add_argument("--seed", type=int, default=0, help="of the rounding pattern (default 0)")
        parser.add_argument(
            "--rounding", default="dither", help="dither (default) or nearest, for all conditions alike"
        )

    def run(self, *, sources, attacks, study, trained, **options):
        names = [field.name for field in dataclasses.fields(StimulusRequest)]
        request = StimulusRequest(
            sources=tuple(sources),
            attacks=parse_attacks(attacks),
            trained=trained_paths(trained),
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
        result = generate_stimulus_set(request, show_progress=options["verbosity"] > 0, say=self.say)
        manifest = self._manifest = result.manifest
        self.say(
            f"{request.out}: {len(manifest.stimuli)} stimuli of {len(manifest.sources)} sources "
            f"({result.made} results made now, {result.reused} found finished)."
        )
        if manifest.delivery.retention_floor is not None:
            for source in manifest.sources:
                self.say(f"  {source.id}: delivered as {source.delivered.profile}")
        for stimulus in manifest.stimuli:
            if stimulus.attack:
                self.say(f"  {_line(stimulus)}")
        if study:
            import_stimulus_set(slug=study, folder=request.out)
            self.say(f"Imported as the study {study}.")
        return {
            "out": str(request.out),
            "made": result.made,
            "reused": result.reused,
            "study": study,
            "manifest": manifest.to_document(),
        }

    def handle(self, *args, **options):
        super().handle(*args, **options)
        faults = []
        if self._manifest.unreachable:
            missed = "; ".join(f"{i.condition} on {i.source} ({i.reason})" for i in self._manifest.unreachable)
            target = "--linf" if self._manifest.gain.match == "linf" else "--gain"
            if self._manifest.rounding == "nearest":
                target += " or take --rounding dither,"
            faults.append(
                f"The target was not reached by {missed}. Change {target} and choose another --out, or raise "
                f"--tolerance; all else was made."
            )
        below = [(source.id, source.delivered.below_floor) for source in self._manifest.sources]
        if any(conditions for _, conditions in below):
            named = "; ".join(f"{', '.join(conditions)} on {name}" for name, conditions in below if conditions)
            faults.append(
                f"Even the highest rung keeps less than {self._manifest.delivery.retention_floor:g} of "
                f"{named}. Raise the target, or lower --retention-floor, and choose another --out."
            )
        if faults:
            raise CommandError(" ".join(faults))


def _line(stimulus) -> str:
    text = (
        f"{stimulus.source}, {stimulus.condition}: delivered gain {stimulus.gain_delivered:.4f} "
        f"at strength {stimulus.strength:.5f}, largest change {stimulus.linf:.3g} levels"
    )
    return text + (", more than one gradient per frame" if stimulus.speed_matched is False else "")
