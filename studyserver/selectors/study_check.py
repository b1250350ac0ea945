"""What the check before opening reads: the study's rows, and its files as they lie in the media folder."""

import functools
import hashlib
import os
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from django.conf import settings
from django.db.models import Count, Q

from studyserver.models import Pair, Stimulus, Study
from studyserver.selectors.studies import session_outline
from studyserver.study_facts import COLOUR_TAGS, FileFacts, Plan, SourceFacts, StimulusFacts, StudyFacts

__all__ = ["file_sha256", "plan_of", "study_facts"]


def study_facts(study: Study, *, read_contents: bool = False) -> StudyFacts:
    """Return what the rules of the check read; with `read_contents` every byte of every file is read for its sha256."""
    kinds = study.pairs.aggregate(
        **{kind: Count("pk", filter=Q(kind=kind)) for kind in (Pair.Kind.TEST, Pair.Kind.VERIFICATION, Pair.Kind.NULL)}
    )
    stimuli = Stimulus.objects.filter(source__study=study).select_related("source", "condition")
    return StudyFacts(
        plan=plan_of(study),
        sources=tuple(
            SourceFacts(name, delivered.get("colour") or {}, tuple(delivered.get("below_floor") or ()))
            for name, delivered in study.sources.values_list("name", "delivered")
        ),
        stimuli=tuple(_stimulus(stimulus, read_contents) for stimulus in stimuli.order_by("source", "condition")),
        test_pairs=kinds[Pair.Kind.TEST],
        verification_pairs=kinds[Pair.Kind.VERIFICATION],
        null_pairs=kinds[Pair.Kind.NULL],
        invitations=study.invitations.filter(used_at=None).count(),
        minutes=session_outline(study).minutes,
        sha256_read=read_contents,
    )


def plan_of(study: Study) -> Plan:
    """Return the settings that the check reads; amounts of a study that was not stored yet are made decimals."""
    values = {item.name: getattr(study, item.name) for item in fields(Plan)}
    return Plan(**values | {name: Decimal(values[name]) for name in ("reward", "partial_reward", "fee_percent")})


def file_sha256(path: Path) -> str:
    """Return the sha256 of a file in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _stimulus(stimulus: Stimulus, read_contents: bool) -> StimulusFacts:
    return StimulusFacts(
        source=stimulus.source.name,
        condition=stimulus.condition.label,
        kind=stimulus.condition.kind,
        bytes=stimulus.bytes,
        sha256=stimulus.sha256,
        width=stimulus.width,
        height=stimulus.height,
        frames=stimulus.frames,
        seconds=float(stimulus.frames / Fraction(stimulus.fps)),
        gain=stimulus.gain_delivered,
        linf=stimulus.linf,
        retention=stimulus.retention if stimulus.retention_luma is None else stimulus.retention_luma,
        file=_file(settings.MEDIA_ROOT / stimulus.media, read_contents),
    )


@dataclass(frozen=True)
class _Place:
    """A file by what changes when its contents do; where it lies plays no part."""

    device: int
    inode: int
    bytes: int
    changed: int
    path: Path = field(compare=False)


def _file(path: Path, read_contents: bool) -> FileFacts:
    try:
        status = path.stat()
    except OSError:
        return FileFacts(bytes=None, sha256=None)
    facts = _looked_into(_Place(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, path))
    return replace(facts, sha256=file_sha256(path)) if read_contents and os.access(path, os.R_OK) else facts


@functools.lru_cache(maxsize=4096)
def _looked_into(place: _Place) -> FileFacts:
    # Imported here: participants' pages never decode anything.
    from stimuli import inspect_delivered
    from stimuli.errors import InvalidSource

    try:
        found = inspect_delivered(place.path)
    except InvalidSource as error:
        return FileFacts(bytes=place.bytes, sha256=None, fault=str(error).rstrip("."))
    return FileFacts(
        bytes=place.bytes,
        sha256=None,
        width=found.width,
        height=found.height,
        seconds=found.seconds,
        colour={tag: getattr(found, tag) for tag in COLOUR_TAGS},
    )
