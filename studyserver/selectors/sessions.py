"""Reads about one session: what its participant sees next, and how far they are."""

from django.db.models import Case, F, Q, QuerySet, When

from studyserver.models import Session, Study, Trial

__all__ = [
    "session_current_trial",
    "session_for_key",
    "session_progress",
    "session_upcoming_trials",
    "trial_of_media",
]


def session_for_key(study: Study, key: str) -> Session | None:
    """Return the session of a cookie, if it belongs to the study."""
    return (
        Session.objects.select_related("participant__study").filter(participant__study=study, key=key).first()
        if key
        else None
    )


def session_upcoming_trials(session: Session, count: int = 4) -> list[Trial]:
    """Return the session's next unanswered trials in order, those of the practice first."""
    related = ("pair__source", "pair__first__condition", "pair__second__condition")
    return list(_to_answer(session).select_related(*related)[:count])


def session_current_trial(session: Session) -> Trial | None:
    """Return the trial to answer now, None when all of the session's step are answered."""
    # The state is asked anew: a session in the caller's hands may be a step behind.
    trial = _to_answer(session).annotate(step=F("session__state")).first()
    if trial is None:
        return None
    practice = trial.kind == Trial.Kind.TRAINING
    return trial if trial.step == (Session.State.TRAINING if practice else Session.State.ACTIVE) else None


def _to_answer(session: Session) -> QuerySet[Trial]:
    practice_first = Case(When(kind=Trial.Kind.TRAINING, then=0), default=1)
    return (
        session.trials.filter(vote=None)
        .exclude(kind=Trial.Kind.TRAINING, state=Trial.State.EXPIRED)
        .order_by(practice_first, "position", "attempt")
    )


def session_progress(session: Session) -> tuple[int, int]:
    """Return how many pairs are answered, and of how many; training does not count."""
    counted = session.trials.exclude(kind=Trial.Kind.TRAINING)
    return counted.filter(vote__isnull=False).count(), counted.count()


def trial_of_media(session: Session, token: str) -> Trial | None:
    """Return the session's trial with a video under that address."""
    return (
        session.trials.filter(Q(left_token=token) | Q(right_token=token))
        .select_related("pair__first", "pair__second")
        .first()
    )
