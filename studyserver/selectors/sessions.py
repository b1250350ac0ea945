"""Reads about one session: what its participant sees next, and how far they are."""

from django.db.models import Q

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
    open_trials = (
        session.trials.filter(vote=None)
        .exclude(kind=Trial.Kind.TRAINING, state=Trial.State.EXPIRED)
        .select_related("pair__source", "pair__first__condition", "pair__second__condition")
    )
    practice = open_trials.filter(kind=Trial.Kind.TRAINING).order_by("position", "attempt")[:count]
    rest = open_trials.exclude(kind=Trial.Kind.TRAINING).order_by("position")[:count]
    return [*practice, *rest][:count]


def session_current_trial(session: Session) -> Trial | None:
    """Return the trial to answer now, None when all of the session's step are answered."""
    # Asked anew: a session in the caller's hands may be a step behind.
    state = Session.objects.values_list("state", flat=True).get(pk=session.pk)
    practice = state == Session.State.TRAINING
    if not practice and state != Session.State.ACTIVE:
        return None
    trial = next(iter(session_upcoming_trials(session, 1)), None)
    return trial if trial and (trial.kind == Trial.Kind.TRAINING) == practice else None


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
