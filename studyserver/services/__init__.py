"""Writes: every change of the database goes through these functions, atomic and keyword-only."""

from studyserver.services.places import places_ensure, places_reclaim, places_release, places_settle
from studyserver.services.sessions import session_renew_lease, session_start
from studyserver.services.steps import session_advance, session_end
from studyserver.services.stimulus_sets import ImportResult, import_stimulus_set
from studyserver.services.studies import (
    study_check_pairs,
    study_check_slug,
    study_close,
    study_open,
    study_pause,
    study_records_ensure,
    study_set_design,
)
from studyserver.services.votes import VoteResult, trial_present, vote_record

__all__ = [
    "ImportResult",
    "VoteResult",
    "import_stimulus_set",
    "places_ensure",
    "places_reclaim",
    "places_release",
    "places_settle",
    "session_advance",
    "session_end",
    "session_renew_lease",
    "session_start",
    "study_check_pairs",
    "study_check_slug",
    "study_close",
    "study_open",
    "study_pause",
    "study_records_ensure",
    "study_set_design",
    "trial_present",
    "vote_record",
]
