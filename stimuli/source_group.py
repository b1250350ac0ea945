"""All stimuli of the sources that are matched together: one source, or all of a set that shares its strengths."""

import dataclasses
import itertools
import shutil
from collections.abc import Sequence
from pathlib import Path

from attacks.errors import NoChange, ZeroGradient
from stimuli.closed_loop import ClosedLoop
from stimuli.conditions import Condition
from stimuli.dataset_matching import match_dataset
from stimuli.delivery import LADDER, DeliveryProfile, get_profile
from stimuli.errors import Unreachable
from stimuli.gain import GainRule
from stimuli.ladder import PROBE_FRAMES, TOP, below_floor, choose_rung
from stimuli.passes import encode_plain, measure_delivered
from stimuli.records import SourceWork, matched_record, unreachable_record
from stimuli.run import Run
from stimuli.verification import IMPAIRMENT, impair
from stimuli.video import codec_string

__all__ = ["SourceGroup"]


class SourceGroup:
    """Fills the records of `works`.

    form: of the gain. floor: the retention that the delivery ladder must keep; None where the request names a profile.
    """

    def __init__(
        self, works: Sequence[SourceWork], conditions: Sequence[Condition], run: Run, *, form: str, floor: float | None
    ) -> None:
        self._works, self._conditions, self._run = works, conditions, run
        self._form, self._floor = form, floor
        self._scratch = run.folder.temporary / "loops"
        self._loops = [self._loop(work, self._folder(f"{index}")) for index, work in enumerate(works)]

    def make(self) -> None:
        """Deliver every source and condition, on a higher rung where a delivered file keeps too little."""
        for attempt in itertools.count():
            loops = []
            for index, (work, loop) in enumerate(zip(self._works, self._loops, strict=True)):
                work.profile = self._profile(work, loop)
                self._deliver_clean(work)
                work.matched, work.unreachable = [], []
                reference = self._run.folder.path / work.reference["file"]
                folder = self._folder(f"{index}-{attempt}")
                loops.append(loop.with_profile(work.profile, reference, work.reference["scores"], folder))
            for condition in self._conditions:
                self._match(condition, loops)
            if not any([self._climbs(work, loop) for work, loop in zip(self._works, self._loops, strict=True)]):
                break
            self._run.progress.more(len(self._works) * (2 + len(self._conditions)))
        shutil.rmtree(self._scratch)
        for work in self._works:
            work.reference, work.verification, *work.matched = self._run.folder.pad(
                [work.reference, work.verification, *work.matched]
            )
            for record in (work.reference, *work.matched):
                record["lpips"] = self._lpips(work, record)

    def _folder(self, name: str) -> Path:
        folder = self._scratch / name
        folder.mkdir(parents=True)
        return folder

    def _loop(self, work: SourceWork, folder: Path) -> ClosedLoop:
        """A loop that can search and probe; `with_profile` gives the one that delivers."""
        request, metric = self._run.request, self._run.metric
        linf = request.match == "linf"
        return ClosedLoop(
            work.clip,
            metric,
            rule=GainRule(metric.lower_better, metric.score_range, self._form),
            target=request.linf if linf else request.gain,
            tolerance=request.tolerance,
            match="linf" if linf else "clip",
            profile=TOP if self._floor else get_profile(request.delivery),
            rounding=request.rounding,
            seed=request.seed,
            clean_scores=work.clean_scores,
            reference=None,
            reference_scores=[],
            work=folder,
            progress=self._run.progress,
        )

    def _inputs(self, condition: Condition) -> dict:
        """What a condition's stimuli depend on, beside source and profile."""
        request = self._run.request
        # One strength for all: what becomes of one source depends on the others.
        members = sorted((work.source.sha256, work.clip.frames) for work in self._works)
        return ({"dataset": members} if request.match == "dataset" else {}) | {
            "attack": condition.describe(),
            "metric": self._run.metric_inputs,
            "gain": request.gain,
            "linf": request.linf,
            "tolerance": request.tolerance,
            "match": request.match,
            "form": self._form,
            "rounding": request.rounding,
            "seed": request.seed,
        }

    def _key(self, work: SourceWork, inputs: dict) -> str:
        return self._run.key(work.source, work.clip, work.profile, inputs)

    def _deliver_clean(self, work: SourceWork) -> None:
        """The two stimuli that need no attack: the reference and the verification stimulus."""
        run, clip, profile = self._run, work.clip, work.profile
        path = run.folder.temporary / f"clean{profile.suffix}"

        def reference():
            encode_plain(clip, path, profile, run.progress)
            delivered = measure_delivered(clip, path, run.metric, run.progress)
            record = {
                "scores": delivered.scores,
                "quality": dataclasses.asdict(delivered.quality),
                "codec": codec_string(path),
            }
            return [(record, path)]

        def verification():
            encode_plain(clip, path, profile, run.progress, impair)
            return [({}, path)]

        (work.reference,) = run.results([self._key(work, {"reference": run.metric_inputs})], reference)
        (work.verification,) = run.results([self._key(work, {"verification": IMPAIRMENT})], verification)

    def _lpips(self, work: SourceWork, record: dict) -> float | None:
        """Kept apart from the stimulus: weights that come to this machine later make nothing else again."""
        run = self._run
        if run.lpips.record.missing:
            return None
        inputs = {"lpips": run.lpips.record.files, "of": record["encoded_sha256"]}
        path = run.folder.path / record["file"]
        return run.known(
            run.key(work.source, work.clip, work.profile, inputs),
            lambda: {"lpips": run.lpips.measure(work.clip, path, run.progress)},
        )["lpips"]

    def _match(self, condition: Condition, loops: Sequence[ClosedLoop]) -> None:
        inputs = self._inputs(condition)
        if "dataset" in inputs:
            inputs["deliveries"] = sorted(
                ((work.source.sha256, work.profile.settings) for work in self._works), key=str
            )

        def make():
            try:
                if "dataset" in inputs:
                    found = match_dataset(loops, condition.attack, condition.label)
                else:
                    found = [loop.match(condition.attack, condition.label) for loop in loops]
            except Unreachable as short:
                return [(unreachable_record(short, self._run.request.match), None)] * len(loops)
            return [(matched_record(item) | {"codec": codec_string(item.path)}, item.path) for item in found]

        records = self._run.results([self._key(work, inputs) for work in self._works], make)
        for work, record in zip(self._works, records, strict=True):
            record = record | {"condition": condition.label, "attack": condition.describe()}
            (work.unreachable if "reason" in record else work.matched).append(record)

    def _profile(self, work: SourceWork, loop: ClosedLoop) -> DeliveryProfile:
        if self._floor is None:
            return get_profile(self._run.request.delivery)
        return choose_rung(
            self._conditions, lambda condition, profile: self._retention(work, loop, condition, profile), self._floor
        )

    def _retention_key(self, work: SourceWork, condition: Condition, profile: DeliveryProfile) -> str:
        inputs = self._inputs(condition) | {"retention_in": PROBE_FRAMES}
        return self._run.key(work.source, work.clip, profile, inputs)

    def _retention(
        self, work: SourceWork, loop: ClosedLoop, condition: Condition, profile: DeliveryProfile
    ) -> float | None:
        """What is known of a rung: the delivered file's retention, else that of a trial with a few frames."""

        def probe() -> dict:
            try:
                strength = loop.search_frames(condition.attack).strength
            except (Unreachable, NoChange, ZeroGradient):
                # Perhaps the whole clip reaches it; then its delivered file tells.
                return {"retention": None}
            rungs = [get_profile(name) for name in LADDER[LADDER.index(profile.name) :]]
            probes = loop.probe_retention(condition.attack, strength, PROBE_FRAMES, rungs)
            first = None
            # The next rung is asked for when this one keeps too little: the attack is run once for both.
            for rung, kept in probes:
                if first is None:
                    first = {"retention": kept}
                else:
                    self._run.known(self._retention_key(work, condition, rung), lambda kept=kept: {"retention": kept})
                if not below_floor(kept, self._floor):
                    break
            probes.close()
            return first

        return self._run.known(self._retention_key(work, condition, profile), probe)["retention"]

    def _climbs(self, work: SourceWork, loop: ClosedLoop) -> bool:
        """Keep what the delivered files tell about this rung; True where a higher one is to be tried."""
        if self._floor is None:
            return False
        conditions = {condition.label: condition for condition in self._conditions}
        kept = {record["condition"]: record["retention_luma"] for record in work.matched}
        if self._run.request.match != "dataset":
            # What was reached on frames and not through the encoder is the encoder's doing.
            missed = [record["condition"] for record in work.unreachable]
            kept |= {
                label: 0.0
                for label in missed
                if self._retention(work, loop, conditions[label], work.profile) is not None
            }
        for label, share in kept.items():
            self._run.learn(self._retention_key(work, conditions[label], work.profile), {"retention": share})
        return work.profile != TOP and any(below_floor(share, self._floor) for share in kept.values())
