"""From a request to a finished stimulus set."""

import dataclasses
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from attacks import Attack, create_attack
from attacks.metrics import TargetMetric, create_metric
from stimuli.clip import Clip
from stimuli.closed_loop import ClosedLoop
from stimuli.delivery import DeliveryProfile, get_profile
from stimuli.errors import InvalidRequest, Unreachable
from stimuli.gain import GainRule, common_form
from stimuli.manifest import Manifest, read_manifest
from stimuli.metering import MeteredMetric
from stimuli.passes import encode_plain, measure_delivered
from stimuli.progress import Progress
from stimuli.records import SourceWork, describe_set, matched_record
from stimuli.request import StimulusRequest, collect_sources
from stimuli.sources import SourceFile, open_sources
from stimuli.store import SetFolder, fingerprint, writing_errors
from stimuli.verification import IMPAIRMENT, impair
from stimuli.video import av_versions, codec_string

__all__ = ["GenerationResult", "generate_stimulus_set"]

# Raised when a change of this package changes what it makes: older results are then made again.
_PIPELINE = 1


@dataclass(frozen=True)
class GenerationResult:
    """The set's manifest, and how many results this run made and found finished."""

    manifest: Manifest
    made: int
    reused: int


def generate_stimulus_set(
    request: StimulusRequest, *, metric: TargetMetric | None = None, show_progress: bool = False
) -> GenerationResult:
    """Make, or complete, the set of `request` in its folder.

    `metric` is used instead of building `request.metric` (for one's own network). An attack that cannot reach the gain
    is recorded in the manifest's `unreachable`, all else is still made. A killed run leaves finished stimuli, which the
    next run trusts and keeps.

    Raises: StimuliError or AttackError, one sentence each.
    """
    request.check()
    paths = collect_sources(request.sources)
    attacks = [(spec.condition, create_attack(spec.name, **spec.options)) for spec in request.attacks]
    _refuse_twins(attacks)
    metered = MeteredMetric(metric or create_metric(request.metric, _device(request.device), request.weights))
    identity = {
        "metric": metered.name,
        "gain": request.gain,
        "match": request.match,
        "delivery": request.delivery,
        "rounding": request.rounding,
        "seed": request.seed,
        "max_frames": request.max_frames,
    }
    with writing_errors(request.out), SetFolder.open(request.out, identity) as folder:
        sources = open_sources(paths, folder)
        with Progress(len(sources) * (2 + len(attacks)), show=show_progress) as progress:
            return _Generation(request, metered, attacks, folder, progress).run(sources)


class _Generation:
    """One run over an open folder."""

    def __init__(
        self,
        request: StimulusRequest,
        metric: MeteredMetric,
        attacks: Sequence[tuple[str, Attack]],
        folder: SetFolder,
        progress: Progress,
    ) -> None:
        self._request, self._metric, self._attacks = request, metric, attacks
        self._folder, self._progress = folder, progress
        self._profile: DeliveryProfile = get_profile(request.delivery)
        self._metric_inputs = _metric_inputs(metric)
        self._made = self._reused = 0

    def run(self, sources: Sequence[SourceFile]) -> GenerationResult:
        works = [self._begin(source) for source in sources]
        # One formula for the whole set, so it waits for the delivered reference of every source.
        form = common_form(self._metric, [work.reference["scores"] for work in works])
        for work in works:
            self._match_all(work, form)
            self._pad(work)
        manifest = self._finish(works, form)
        return GenerationResult(manifest, self._made, self._reused)

    def _begin(self, source: SourceFile) -> SourceWork:
        """The two stimuli that need no attack: the reference and the verification stimulus."""
        clip = Clip.open(
            source.path,
            source.info,
            max_frames=self._request.max_frames,
            chunk=self._request.chunk,
            device=self._metric.device,
        )

        def reference(path):
            clean = encode_plain(clip, path, self._profile, self._progress, self._metric)
            delivered = measure_delivered(clip, path, self._metric, self._progress)
            return {
                "scores": delivered.scores,
                "clean_scores": clean,
                "quality": dataclasses.asdict(delivered.quality),
                "codec": codec_string(path),
            }

        def verification(path):
            encode_plain(clip, path, self._profile, self._progress, None, impair)
            return {}

        return SourceWork(
            source,
            clip,
            self._once(source, clip, {"reference": self._metric_inputs}, reference),
            self._once(source, clip, {"verification": IMPAIRMENT}, verification),
        )

    def _match_all(self, work: SourceWork, form: str) -> None:
        clip = work.clip
        scratch = self._folder.temporary / "loop"
        scratch.mkdir()
        loop = ClosedLoop(
            clip,
            self._metric,
            rule=GainRule(self._metric.lower_better, self._metric.score_range, form),
            target=self._request.gain,
            tolerance=self._request.tolerance,
            profile=self._profile,
            rounding=self._request.rounding,
            seed=self._request.seed,
            clean_scores=work.reference["clean_scores"],
            reference=self._folder.path / work.reference["file"],
            reference_scores=work.reference["scores"],
            work=scratch,
            progress=self._progress,
        )
        for condition, attack in self._attacks:
            described = {"name": attack.info.name, "options": dict(attack.options)}
            inputs = {
                "attack": described,
                "metric": self._metric_inputs,
                "gain": self._request.gain,
                "tolerance": self._request.tolerance,
                "match": self._request.match,
                "form": form,
                "rounding": self._request.rounding,
                "seed": self._request.seed,
            }

            def match(path, condition=condition, attack=attack):
                found = loop.match(attack, condition)
                found.path.replace(path)
                return matched_record(found) | {"codec": codec_string(path)}

            record = self._once(work.source, clip, inputs, match)
            record = record | {"condition": condition, "attack": described}
            (work.unreachable if "best_gain" in record else work.matched).append(record)
        shutil.rmtree(scratch)

    def _once(self, source: SourceFile, clip: Clip, inputs: dict, make: Callable) -> dict:
        """The record of these inputs: found finished, or made now and kept."""
        key = fingerprint(
            {
                **inputs,
                "source": source.sha256,
                "frames": clip.frames,
                "delivery": self._profile.settings,
                "pipeline": _PIPELINE,
                "torch": torch.__version__,
                **av_versions(),
            }
        )
        record = self._folder.load(key)
        if record is None:
            path = self._folder.temporary / f"{key}{self._profile.suffix}"
            try:
                record = self._folder.commit(key, make(path), path)
            except Unreachable as short:
                record = self._folder.commit(
                    key, {"best_gain": short.best_gain, "strength": short.strength, "reason": str(short)}
                )
            self._made += 1
        else:
            self._reused += 1
        self._progress.done()
        return record

    def _pad(self, work: SourceWork) -> None:
        work.reference, work.verification, *work.matched = self._folder.pad(
            [work.reference, work.verification, *work.matched]
        )

    def _finish(self, works: Sequence[SourceWork], form: str) -> Manifest:
        """Write the manifest, unless the one that is there says the same."""
        manifest = describe_set(self._request, self._metric, self._profile, works, form)
        document = manifest.to_document()
        earlier = self._folder.read_document()
        incidental = ("created_at", "command", "device")
        if earlier is None or any(earlier.get(key) != document[key] for key in document if key not in incidental):
            self._folder.finish(document)
        return read_manifest(self._folder.path)


def _refuse_twins(attacks: Sequence[tuple[str, Attack]]) -> None:
    """`ifgsm` and its default spelt out, `ifgsm:iterations=10`, would be a video compared with itself."""
    labels: dict[str, str] = {}
    for label, attack in attacks:
        same = labels.setdefault(f"{attack.info.name} {sorted(attack.options.items())}", label)
        if same != label:
            raise InvalidRequest(f"{same} and {label} are the same attack, a default spelt out; give one of them.")


def _device(name: str) -> str:
    if name != "auto":
        return name
    return "cuda" if torch.cuda.is_available() else "cpu"


def _metric_inputs(metric: MeteredMetric) -> dict:
    """What tells this metric from another; without a weights file, its score of a fixed noise picture does."""
    inputs = {"name": metric.name, "lower_better": metric.lower_better, "score_range": list(metric.score_range)}
    if metric.weights_sha256:
        return inputs | {"weights": metric.weights_sha256}
    noise = torch.rand((1, 3, 256, 256), generator=torch.Generator().manual_seed(0)).to(metric.device)
    return inputs | {"score_of_noise": f"{metric.values(noise)[0]:.5g}"}
