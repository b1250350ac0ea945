"""The gate before people enter: a study that the check refuses does not open."""

from studyserver.errors import StudyNotReady
from studyserver.findings import REFUSED
from studyserver.models import Study
from studyserver.selectors import study_facts
from studyserver.study_check import check

__all__ = ["study_require_ready"]


def study_require_ready(*, study: Study, pilot: bool = False) -> None:
    """Raise StudyNotReady with every reason why the study cannot open, and what to do about each.

    Every byte of a draft's files is read, as before anybody sees them; later only their sizes and headers are.
    """
    facts = study_facts(study, read_contents=study.status == Study.Status.DRAFT)
    refused = [finding for finding in check(facts, pilot=pilot) if finding.level == REFUSED]
    if refused:
        reasons = " ".join(f"{item.rule}: {item.found} {item.advice}" for item in refused)
        raise StudyNotReady(f"study {study.slug!r} cannot open. {reasons}")
