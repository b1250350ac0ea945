"""Whether a participant's browser can tell a condition, a kind of pair or an answer from what it receives."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from studyserver.leak_rules import Subject, differences_within_clip, telltales
from studyserver.leak_subjects import ADDRESS, addresses, file_subjects, trial_subjects
from studyserver.leak_visit import Visit, make_visit
from studyserver.leak_words import find_words
from studyserver.models import Study
from studyserver.services import preview_delete, study_check_pairs
from studyserver.simulation_browser import Browser, HttpBrowser, InProcessBrowser

__all__ = ["LeakReport", "leak_check"]


@dataclass(frozen=True)
class LeakReport:
    """One line per leak; `remarks` are what only those can tell who take a file apart, pictures included."""

    leaks: list[str]
    remarks: list[str]
    visits: int
    replies: int
    trials: int
    files: int


def leak_check(
    *,
    study: Study,
    url: str | None = None,
    visits: int = 4,
    progress: Callable[[int], object] = lambda visits: None,
    open_browser: Callable[[], Browser] | None = None,
) -> LeakReport:
    """Visit a study as marked previews, in this process or through the server at `url`, and look for leaks.

    The previews are deleted afterwards. Over HTTP the server must use the database and the secret key of this process.
    Raises StudyNotReady, ServerUnavailable, WalkStopped.
    """
    study_check_pairs(study)
    open_browser = open_browser or ((lambda: HttpBrowser(url)) if url else InProcessBrowser)
    made: list[Visit] = []
    try:
        for number in range(visits):
            made.append(make_visit(study, open_browser(), number))
            progress(1)
        return _report(study, made)
    finally:
        for visit in made:
            preview_delete(session=visit.session)


def _report(study: Study, visits: list[Visit]) -> LeakReport:
    replies = [reply for visit in visits for reply in visit.replies]
    trials = trial_subjects(visits)
    files = file_subjects(visits)
    subjects = [subject for subject, _ in files]
    leaks = [
        *find_words(study, replies),
        *telltales(trials, "kind"),
        *differences_within_clip(subjects, "condition", but=(ADDRESS,)),
        *telltales(subjects, "condition"),
        *_addresses_used_twice(visits),
    ]
    return LeakReport(
        leaks=leaks,
        remarks=_remarks(files),
        visits=len(visits),
        replies=len(replies),
        trials=len(trials),
        files=len(files),
    )


def _addresses_used_twice(visits: list[Visit]) -> list[str]:
    users = Counter(
        address for visit in visits for sides in addresses(visit).values() for address in set(sides.values())
    )
    shared = [address for address, uses in users.items() if uses > 1]
    if not shared:
        return []
    return [
        f"{len(shared)} addresses serve more than one pair, such as {shared[0]}: the same video can be recognised by "
        "its address"
    ]


def _remarks(files: list[tuple[Subject, dict[str, int]]]) -> list[str]:
    """Say which amounts differ between conditions of a clip."""
    seen: dict[tuple[str, str], set[int]] = {}
    for subject, amounts in files:
        for name, amount in amounts.items():
            seen.setdefault((subject.clip, name), set()).add(amount)
    names = sorted({name for (_, name), sizes in seen.items() if len(sizes) > 1})
    if not names:
        return []
    return [
        "inside the files these parts differ in size, as the pictures differ in how well they compress (visible only "
        f"to somebody who saves a file and takes it apart): {', '.join(names)}"
    ]
