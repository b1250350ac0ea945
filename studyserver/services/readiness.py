"""The gate before people enter: a study that the check refuses does not open."""

from studyserver.errors import StudyNotReady
from studyserver.findings import REFUSED
from studyserver.models import Study
from studyserver.selectors import study_facts
from studyserver.study_check import check

__all__ = ["study_require_ready"]


def study_require_ready(*, study: Study, pilot: bool = False) -> None:
    """Raise StudyNotReady with every reason why the study cannot open, and what to do about each."""
    refused = [finding for finding in check(study_facts(study), pilot=pilot) if finding.level == REFUSED]
    if refused:
        reasons = " ".join(f"{item.rule}: {item.found} {item.advice}" for item in refused)
        raise StudyNotReady(f"study {study.slug!r} cannot open. {reasons}")
