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
from stimuli.delivery import DeliveryProfile
from stimuli.manifest import (
    FORMAT_VERSION,
    AttackRecord,
    ColourRecord,
    DeliveredRecord,
    DeliveryRecord,
    GainRecord,
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

__all__ = ["SourceWork", "describe_set", "matched_record"]


@dataclass
class SourceWork:
    """What is known of one source while its set is made: the records of its stimuli in the order of the manifest."""

    source: SourceFile
    clip: Clip
    reference: dict
    verification: dict
    matched: list[dict] = dataclasses.field(default_factory=list)
    unreachable: list[dict] = dataclasses.field(default_factory=list)


def matched_record(found: MatchedStimulus) -> dict:
    """What a folder keeps of a matched stimulus."""
    return {
        "strength": found.strength,
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


def describe_set(
    request: StimulusRequest,
    metric: TargetMetric,
    profile: DeliveryProfile,
    works: Sequence[SourceWork],
    form: str,
) -> Manifest:
    """The manifest of a set whose files are all in place."""
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
        ),
        gain=GainRecord(request.gain, request.tolerance, request.match, form),
        delivery=DeliveryRecord(request.delivery, profile.settings),
        rounding=request.rounding,
        sources=tuple(_source_record(work) for work in works),
        stimuli=tuple(record for work in works for record in _stimulus_records(work)),
        unreachable=tuple(_unreachable_record(work, record) for work in works for record in work.unreachable),
        verification=tuple(_verification_record(work) for work in works),
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


def _source_record(work: SourceWork) -> SourceRecord:
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
        delivered=DeliveredRecord(clip.width, clip.height, ColourRecord(**dataclasses.asdict(clip.colour))),
    )


def _stimulus_records(work: SourceWork) -> list[StimulusRecord]:
    clean = work.reference["clean_scores"]
    nothing = {
        "condition": "reference",
        "attack": None,
        "strength": 0.0,
        "gain_frames": 0.0,
        "gain_delivered": 0.0,
        "retention": None,
        "retention_luma": None,
        "evaluations": 0,
        "encodes": 1,
        "metric_cost": (0, 0),
        "matching_cost": (0, 0),
    }
    copied = ("condition", "strength", "gain_frames", "gain_delivered", "retention", "retention_luma")
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
            quality=QualityRecord(**record["quality"]),
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
        best_gain=record["best_gain"],
        strength=record["strength"],
        reason=record["reason"],
    )
