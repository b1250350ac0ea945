"""What the player is told: addresses and sizes, never a name, a condition, a kind or an answer."""

from fractions import Fraction

from django.urls import reverse

from studyserver.models import Session, Trial
from studyserver.selectors import session_minutes_left, session_progress, session_upcoming_trials
from studyserver.services import trial_present
from studyserver.views.visit import page_of

__all__ = ["player_reply", "player_state"]

# Trials whose files are fetched while the current one is watched.
AHEAD = 3


def player_reply(session: Session) -> dict:
    """Return what the player is to do next: `{"location", "state"}`, one of the two null."""
    page = page_of(session)
    current, state = player_state(session) if page == "trial" else (None, None)
    # At the pairs and none left: the session was ended or withdrawn a moment ago, and its page knows where to go.
    if current is None:
        return {"location": reverse(page, args=[session.participant.study.slug]), "state": None}
    trial_present(trial=current)
    return {"location": None, "state": state}


def player_state(session: Session) -> tuple[Trial | None, dict | None]:
    """Return the session's current trial and the player's description of it and of the files to fetch next."""
    study = session.participant.study
    trials = session_upcoming_trials(session, 1 + AHEAD)
    if not trials:
        return None, None
    current = trials[0]
    answered, total = session_progress(session)
    state = {
        "training": current.kind == Trial.Kind.TRAINING,
        "attempt": current.attempt,
        "number": answered + 1,
        "total": total,
        "minutesLeft": session_minutes_left(session),
        "presentation": session.presentation,
        "allowTie": study.allow_tie,
        "allowReplay": study.allow_replay,
        "syncAttempts": study.sync_attempts,
        "trial": _trial_state(study.slug, current),
        "next": [_trial_state(study.slug, trial) for trial in trials[1:]],
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
        "frames": stimulus.frames,
    }
