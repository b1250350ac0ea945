"""How long the rest of a session will take."""

import itertools
import math

from studyserver.models import Session, Trial
from studyserver.selectors.sessions import session_progress
from studyserver.selectors.studies import session_outline

__all__ = ["session_minutes_left"]

# So many pairs tell a person's pace; so many of the latest are looked at.
_LEAST, _LATEST = 3, 8


def session_minutes_left(session: Session) -> int:
    """Return the minutes that the rest of a session's pairs will take, at least 1.

    Counted from the person's own pace as soon as that is known (a pause does not count: the median of the
    latest pairs), until then from the outline that everybody is told.
    """
    answered, total = session_progress(session)
    times = list(
        session.trials.exclude(kind=Trial.Kind.TRAINING)
        .filter(vote__isnull=False)
        .order_by("-vote__voted_at")
        .values_list("vote__voted_at", flat=True)[: _LATEST + 1]
    )
    gaps = sorted((later - earlier).total_seconds() for later, earlier in itertools.pairwise(times))
    if len(gaps) >= _LEAST:
        seconds = gaps[len(gaps) // 2]
    else:
        seconds = session_outline(session.participant.study).seconds_per_pair
    return max(1, math.ceil((total - answered) * seconds / 60))
