"""Between the records that finished work leaves in a set's folder and the manifest made of them."""

import dataclasses
import datetime
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import torch

from attacks.metrics import TargetMetric, list_metrics
from stimuli.clip import Clip
from stimuli.closed_loop import MatchedStimulus
from stimuli.delivery import AUTO, DeliveryProfile, get_profile
from stimuli.errors import Unreachable
from stimuli.ladder import below_floor
from stimuli.manifest import (
    FORMAT_VERSION,
    AttackRecord,
    ColourRecord,
    DeliveredRecord,
    DeliveryRecord,
    GainRecord,
    LpipsRecord,
    Manifest,
    MetricPasses,
    QualityRecord,
    SourceRecord,
    StimulusRecord,
    TargetMetricRecord,
    UnreachableRecord,
    VerificationRecord,
)
from stimuli.request import StimulusRequest
from stimuli.sources import SourceFile
from stimuli.verification import IMPAIRMENT
from stimuli.video import av_versions

__all__ = ["SourceWork", "describe_set", "matched_record", "unreachable_record"]


@dataclass
class SourceWork:
    """What is known of one source while its set is made: the records of its stimuli in the order of the manifest.

    clean_scores: of the clip's frames before any codec.
    """

    source: SourceFile
    clip: Clip
    clean_scores: list[float]
    profile: DeliveryProfile | None = None
    reference: dict = dataclasses.field(default_factory=dict)
    verification: dict = dataclasses.field(default_factory=dict)
    matched: list[dict] = dataclasses.field(default_factory=list)
    unreachable: list[dict] = dataclasses.field(default_factory=list)

    def below_floor(self, floor: float | None) -> tuple[str, ...]:
        """The conditions of which the delivered file keeps too little; none where there is no floor."""
        if floor is None:
            return ()
        return tuple(r["condition"] for r in self.matched if below_floor(r["retention_luma"], floor))


def matched_record(found: MatchedStimulus) -> dict:
    """What a folder keeps of a matched stimulus."""
    return {
        "strength": found.strength,
        "linf": found.linf,
        "gain_frames": found.gain_frames,
        "gain_delivered": found.gain_delivered,
        "scores": found.delivered.scores,
        "retention": found.retention,
        "retention_luma": found.retention_luma,
        "evaluations": found.evaluations,
        "encodes": found.encodes,
        "metric_cost": found.metric_cost,
        "matching_cost": found.matching_cost,
        "quality": dataclasses.asdict(found.delivered.quality),
    }


def unreachable_record(short: Unreachable, match: str) -> dict:
    """What a folder keeps of an attack that falls short; the best it did is in the unit of the match."""
    return {
        "best_gain": None if match == "linf" else short.best_gain,
        "best_linf": short.best_gain if match == "linf" else None,
        "strength": short.strength,
        "reason": str(short),
    }


def describe_set(
    request: StimulusRequest,
    metric: TargetMetric,
    lpips: LpipsRecord,
    works: Sequence[SourceWork],
    *,
    form: str,
    floor: float | None,
) -> Manifest:
    """The manifest of a set whose files are all in place. floor: of the retention, where the ladder chose."""
    settings = None if request.delivery == AUTO else get_profile(request.delivery).settings
    titles = {info.name: info.title for info in list_metrics()}
    return Manifest(
        format_version=FORMAT_VERSION,
        created_at=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        software={"python": platform.python_version(), "torch": torch.__version__, **av_versions()},
        command=request.command,
        seed=request.seed,
        device=str(metric.device),
        target_metric=TargetMetricRecord(
            metric.name,
            titles.get(metric.name, metric.name),
            metric.weights_sha256,
            tuple(metric.score_range),
            metric.lower_better,
            window=metric.window,
            files=metric.files,
        ),
        gain=GainRecord(request.gain, request.linf, request.tolerance, request.match, form),
        delivery=DeliveryRecord(request.delivery, settings, floor),
        rounding=request.rounding,
        speed_matched=request.speed_matched,
        sources=tuple(_source_record(work, floor) for work in works),
        stimuli=tuple(record for work in works for record in _stimulus_records(work, request.speed_matched)),
        unreachable=tuple(_unreachable_record(work, record) for work in works for record in work.unreachable),
        verification=tuple(_verification_record(work) for work in works),
        lpips=lpips,
    )


def _rate(rate: Fraction) -> str:
    return f"{rate.numerator}/{rate.denominator}"


def _file_fields(work: SourceWork, record: dict) -> dict:
    """What stimuli and verification stimuli share."""
    return {
        "source": work.source.id,
        "file": record["file"],
        "bytes": record["bytes"],
        "bytes_encoded": record["bytes_encoded"],
        "sha256": record["sha256"],
        "width": work.clip.width,
        "height": work.clip.height,
        "frames": work.clip.frames,
        "fps": _rate(work.clip.fps),
    }


def _source_record(work: SourceWork, floor: float | None) -> SourceRecord:
    info, clip = work.source.info, work.clip
    return SourceRecord(
        id=work.source.id,
        file=work.source.path.name,
        sha256=work.source.sha256,
        bytes=work.source.bytes,
        width=info.width,
        height=info.height,
        frames=clip.frames,
        fps=_rate(info.fps),
        pixel_aspect=_rate(info.pixel_aspect),
        colour=ColourRecord(**dataclasses.asdict(info.colour)),
        delivered=DeliveredRecord(
            width=clip.width,
            height=clip.height,
            colour=ColourRecord(**dataclasses.asdict(clip.colour)),
            profile=work.profile.name,
            settings=work.profile.settings,
            below_floor=work.below_floor(floor),
        ),
    )


def _speed_matched(record: dict, asked: bool) -> bool | None:
    """Whether one gradient per frame is enough, from what the attack really spent."""
    return max(record["metric_cost"]) <= 1 if asked and record["attack"] else None


def _stimulus_records(work: SourceWork, mark_speed: bool) -> list[StimulusRecord]:
    clean = work.clean_scores
    nothing = {
        "condition": "reference",
        "attack": None,
        "strength": 0.0,
        "linf": 0.0,
        "gain_frames": 0.0,
        "gain_delivered": 0.0,
        "retention": None,
        "retention_luma": None,
        "evaluations": 0,
        "encodes": 1,
        "metric_cost": (0, 0),
        "matching_cost": (0, 0),
    }
    copied = ("condition", "strength", "linf", "gain_frames", "gain_delivered", "retention", "retention_luma")
    return [
        StimulusRecord(
            **{key: record[key] for key in (*copied, "evaluations", "encodes", "codec")},
            **_file_fields(work, record),
            id=f"{work.source.id}--{record['condition']}",
            attack=AttackRecord(**record["attack"]) if record["attack"] else None,
            score_clean=sum(clean) / len(clean),
            score_delivered=sum(record["scores"]) / len(record["scores"]),
            metric_cost=MetricPasses(*record["metric_cost"]),
            matching_cost=MetricPasses(*record["matching_cost"]),
            speed_matched=_speed_matched(record, mark_speed),
            quality=QualityRecord(**record["quality"] | {"lpips": record["lpips"]}),
        )
        for record in (work.reference | nothing, *work.matched)
    ]


def _verification_record(work: SourceWork) -> VerificationRecord:
    return VerificationRecord(
        id=f"{work.source.id}--verification", impairment=IMPAIRMENT, **_file_fields(work, work.verification)
    )


def _unreachable_record(work: SourceWork, record: dict) -> UnreachableRecord:
    return UnreachableRecord(
        source=work.source.id,
        attack=AttackRecord(**record["attack"]),
        condition=record["condition"],
        **{key: record[key] for key in ("best_gain", "best_linf", "strength", "reason")},
    )
