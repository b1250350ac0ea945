"""Importing a stimulus set: its media under opaque names, its conditions, stimuli and pairs."""

import contextlib
import dataclasses
import errno
import itertools
import os
import shutil
import tempfile
from pathlib import Path

from django.conf import settings
from django.db import DataError, IntegrityError, transaction

from studyserver.errors import StimulusSetRefused
from studyserver.models import Condition, Pair, Source, Stimulus, Study
from studyserver.models.study_settings import new_token
from studyserver.selectors import file_sha256
from studyserver.services.studies import study_check_slug, study_records_ensure

__all__ = ["ImportResult", "import_stimulus_set"]

VERIFICATION_LABEL = "verification"


@dataclasses.dataclass(frozen=True)
class ImportResult:
    """What an import left in a study; `created` is False when everything was there already."""

    study: Study
    created: bool
    sources: int
    conditions: int
    stimuli: int
    test_pairs: int
    verification_pairs: int


def import_stimulus_set(
    *,
    slug: str,
    folder: Path | str,
    title: str | None = None,
    demonstration: bool = False,
    interval_width: float | None = None,
) -> ImportResult:
    """Make the study `slug` from a stimulus set, or check that it holds that set already.

    Media are hard-linked (copied where the file systems differ) under opaque names after their sha256 was
    checked against the manifest. Nothing is written to the database unless every file is in order. The same set
    again puts missing and changed files back and changes nothing else; another set for the same study raises
    StimulusSetRefused. interval_width: the study's wanted half-width in logits, 0 asks none; None: the default.
    """
    # Imported here: participants' pages never read a manifest.
    from stimuli import read_manifest

    study_check_slug(slug)
    folder = Path(folder)
    folder = folder.parent if folder.name == "manifest.json" else folder
    manifest = read_manifest(folder)
    digest = file_sha256(folder / "manifest.json")
    study = Study.objects.filter(slug=slug).first()
    if study and study.manifest_sha256 == digest:
        _put_back(study, manifest, folder)
        return _result(study, created=False)
    if study and study.manifest_sha256:
        raise StimulusSetRefused(
            f"study {slug!r} already holds another stimulus set; give the new one a study of its own"
        )
    files: dict[str, str] = {}
    try:
        for item in (*manifest.stimuli, *manifest.verification):
            files[item.id] = _keep(folder / item.file, item.sha256)
        with transaction.atomic():
            study = study or Study(slug=slug, title=title or slug.replace("-", " ").capitalize())
            study.demonstration = study.demonstration or demonstration
            study.manifest_sha256 = digest
            if interval_width is not None:
                study.interval_width = interval_width
            study.strength_match = manifest.gain.match
            study.target_metric = manifest.target_metric.name
            study.target_gain = manifest.gain.target
            study.target_linf = manifest.gain.linf
            study.gain_tolerance = manifest.gain.tolerance
            study.retention_floor = manifest.delivery.retention_floor
            study.save()
            study_records_ensure(study=study)
            _create_materials(study, manifest, files)
    except BaseException as error:
        for name in files.values():
            (settings.MEDIA_ROOT / name).unlink(missing_ok=True)
        if isinstance(error, (IntegrityError, DataError)):
            raise StimulusSetRefused(
                f"the manifest in {folder} holds what no study can ({error}); make the set again"
            ) from error
        raise
    return _result(study, created=True)


def _create_materials(study: Study, manifest, files: dict[str, str]) -> None:
    sources = {
        source.id: Source(
            study=study,
            name=source.id,
            sha256=source.sha256,
            width=source.width,
            height=source.height,
            frames=source.frames,
            fps=source.fps,
            delivered=_plain(source.delivered),
        )
        for source in manifest.sources
    }
    Source.objects.bulk_create(sources.values())
    conditions = _create_conditions(study, manifest)

    def stimulus(item, label: str, **measured) -> Stimulus:
        return Stimulus(
            source=sources[item.source],
            condition=conditions[label],
            manifest_id=item.id,
            media=files[item.id],
            sha256=item.sha256,
            bytes=item.bytes,
            bytes_encoded=item.bytes_encoded,
            width=item.width,
            height=item.height,
            frames=item.frames,
            fps=item.fps,
            **measured,
        )

    stimuli = [
        stimulus(
            item,
            item.condition,
            codec=item.codec,
            strength=item.strength,
            linf=item.linf,
            gain_frames=item.gain_frames,
            gain_delivered=item.gain_delivered,
            score_clean=item.score_clean,
            score_delivered=item.score_delivered,
            retention=item.retention,
            retention_luma=item.retention_luma,
            speed_matched=item.speed_matched,
            quality=_plain(item.quality),
        )
        for item in manifest.stimuli
    ]
    stimuli += [
        stimulus(item, VERIFICATION_LABEL, quality={"impairment": item.impairment}) for item in manifest.verification
    ]
    Stimulus.objects.bulk_create(stimuli)
    Pair.objects.bulk_create(
        pair
        for source in sources.values()
        for pair in _pairs(study, source, [stimulus for stimulus in stimuli if stimulus.source == source])
    )


def _create_conditions(study: Study, manifest) -> dict[str, Condition]:
    conditions = {
        item.condition: Condition(
            study=study,
            label=item.condition,
            kind=Condition.Kind.REFERENCE if item.attack is None else Condition.Kind.ATTACK,
            attack=_plain(item.attack),
        )
        for item in manifest.stimuli
    }
    if manifest.verification:
        conditions[VERIFICATION_LABEL] = Condition(
            study=study, label=VERIFICATION_LABEL, kind=Condition.Kind.VERIFICATION
        )
    Condition.objects.bulk_create(conditions.values())
    return conditions


def _pairs(study: Study, source: Source, stimuli: list[Stimulus]) -> list[Pair]:
    """All pairs of a source's conditions are test pairs; the reference against the impaired video verifies, and the
    reference against itself is the null pair.
    """

    def of_kind(*kinds: str) -> list[Stimulus]:
        return [stimulus for stimulus in stimuli if stimulus.condition.kind in kinds]

    references, impaired = of_kind(Condition.Kind.REFERENCE), of_kind(Condition.Kind.VERIFICATION)
    tests = itertools.combinations(of_kind(Condition.Kind.REFERENCE, Condition.Kind.ATTACK), 2)
    ordered = [(Pair.Kind.TEST, *pair) for pair in tests]
    ordered += [(Pair.Kind.VERIFICATION, *pair) for pair in itertools.product(references, impaired)]
    ordered += [(Pair.Kind.NULL, reference, reference) for reference in references]
    return [
        Pair(study=study, source=source, kind=kind, first=first, second=second)
        for kind, *pair in ordered
        for first, second in [sorted(pair, key=lambda stimulus: stimulus.pk)]
    ]


def _plain(value):
    """Return a manifest's record as what JSON stores."""
    return dataclasses.asdict(value) if dataclasses.is_dataclass(value) else value


def _put_back(study: Study, manifest, folder: Path) -> None:
    """Store the files again that are missing from the media folder, or are not what the manifest describes."""
    files = {item.id: item.file for item in (*manifest.stimuli, *manifest.verification)}
    for stimulus in Stimulus.objects.filter(source__study=study):
        kept = settings.MEDIA_ROOT / stimulus.media
        if not kept.is_file() or file_sha256(kept) != stimulus.sha256:
            _keep(folder / files[stimulus.manifest_id], stimulus.sha256, name=stimulus.media)


def _keep(path: Path, sha256: str, name: str = "") -> str:
    """Put a checked file into the media folder, under a new name that says nothing or `name`, and return the name."""
    settings.MEDIA_ROOT.mkdir(parents=True, exist_ok=True)
    if not path.is_file():
        raise StimulusSetRefused(f"{path} is missing; make the set again or copy its media folder as well")
    name = name or f"{new_token()}{path.suffix}"
    target = settings.MEDIA_ROOT / name
    handle, temporary = tempfile.mkstemp(dir=settings.MEDIA_ROOT, prefix=".import-")
    os.close(handle)
    try:
        os.unlink(temporary)
        try:
            os.link(path, temporary)
        except OSError as error:
            if error.errno not in (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP):
                raise
            shutil.copyfile(path, temporary)
        if file_sha256(Path(temporary)) != sha256:
            raise StimulusSetRefused(
                f"{path} is not the file that the manifest describes (its sha256 differs); copy it again"
            )
        os.rename(temporary, target)
    except OSError as error:
        raise StimulusSetRefused(f"cannot store {path}: {error.strerror}; nothing was imported") from error
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
    return name


def _result(study: Study, *, created: bool) -> ImportResult:
    return ImportResult(
        study=study,
        created=created,
        sources=study.sources.count(),
        conditions=study.conditions.count(),
        stimuli=Stimulus.objects.filter(source__study=study).count(),
        test_pairs=study.pairs.filter(kind=Pair.Kind.TEST).count(),
        verification_pairs=study.pairs.filter(kind=Pair.Kind.VERIFICATION).count(),
    )
