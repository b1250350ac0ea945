"""Reads: nothing here changes the database."""

from studyserver.selectors.sessions import (
    session_current_trial,
    session_for_key,
    session_progress,
    session_upcoming_trials,
    trial_of_media,
)
from studyserver.selectors.studies import (
    SessionOutline,
    StudyCounts,
    pairs_with_progress,
    session_outline,
    study_by_slug,
    study_counts,
    study_has_places,
)
from studyserver.selectors.votes import vote_reasons, vote_table

__all__ = [
    "SessionOutline",
    "StudyCounts",
    "pairs_with_progress",
    "session_current_trial",
    "session_for_key",
    "session_outline",
    "session_progress",
    "session_upcoming_trials",
    "study_by_slug",
    "study_counts",
    "study_has_places",
    "trial_of_media",
    "vote_reasons",
    "vote_table",
]
