"""What the player is told: addresses and sizes, never a name, a condition, a kind or an answer."""

from fractions import Fraction

from django.urls import reverse

from studyserver.models import Session, Trial
from studyserver.selectors import session_progress, session_upcoming_trials

__all__ = ["player_state"]


def player_state(session: Session) -> tuple[Trial | None, dict | None]:
    """Return the session's current trial and the player's description of it and of the files to fetch next."""
    study = session.participant.study
    trials = session_upcoming_trials(session, 2)
    if not trials:
        return None, None
    current = trials[0]
    answered, total = session_progress(session)
    state = {
        "training": current.kind == Trial.Kind.TRAINING,
        "attempt": current.attempt,
        "number": answered + 1,
        "total": total,
        "allowTie": study.allow_tie,
        "trial": _trial_state(study.slug, current),
        "next": _trial_state(study.slug, trials[1]) if len(trials) > 1 else None,
    }
    return current, state


def _trial_state(slug: str, trial: Trial) -> dict:
    stimulus = trial.pair.first
    return {
        "token": trial.token,
        "left": reverse("media", args=[slug, trial.left_token]),
        "right": reverse("media", args=[slug, trial.right_token]),
        "width": stimulus.width,
        "height": stimulus.height,
        "fps": float(Fraction(stimulus.fps)),
    }
