"""Writes: every change of the database goes through these functions, atomic and keyword-only."""

from studyserver.services.answers import (
    session_answer_questionnaire,
    session_answer_quiz,
    session_calibrate,
    session_check_device,
    session_give_up_device,
    session_pass_setup,
)
from studyserver.services.difference_images import difference_image_ensure
from studyserver.services.exclusions import exclusion_lift, participant_exclude
from studyserver.services.invitations import invitations_create
from studyserver.services.payments import sessions_mark_paid, sessions_mark_unpaid
from studyserver.services.places import (
    places_ensure,
    places_reclaim,
    places_release,
    places_settle,
    places_vacate,
)
from studyserver.services.presentation import TROUBLES, presentation_for, session_presentation_fall_back
from studyserver.services.previews import preview_delete
from studyserver.services.readiness import study_require_ready
from studyserver.services.rules import rule_set
from studyserver.services.sessions import session_note_submission, session_renew_lease, session_start
from studyserver.services.steps import session_advance, session_end
from studyserver.services.stimulus_sets import ImportResult, import_stimulus_set
from studyserver.services.studies import (
    study_check_pairs,
    study_check_slug,
    study_close,
    study_open,
    study_pause,
    study_pilot,
    study_records_ensure,
    study_set_design,
)
from studyserver.services.votes import VoteResult, trial_present, vote_record
from studyserver.services.withdrawal import session_withdraw

__all__ = [
    "TROUBLES",
    "ImportResult",
    "VoteResult",
    "difference_image_ensure",
    "exclusion_lift",
    "import_stimulus_set",
    "invitations_create",
    "participant_exclude",
    "places_ensure",
    "places_reclaim",
    "places_release",
    "places_settle",
    "places_vacate",
    "presentation_for",
    "preview_delete",
    "rule_set",
    "session_advance",
    "session_answer_questionnaire",
    "session_answer_quiz",
    "session_calibrate",
    "session_check_device",
    "session_end",
    "session_give_up_device",
    "session_note_submission",
    "session_pass_setup",
    "session_presentation_fall_back",
    "session_renew_lease",
    "session_start",
    "session_withdraw",
    "sessions_mark_paid",
    "sessions_mark_unpaid",
    "study_check_pairs",
    "study_check_slug",
    "study_close",
    "study_open",
    "study_pause",
    "study_pilot",
    "study_records_ensure",
    "study_require_ready",
    "study_set_design",
    "trial_present",
    "vote_record",
]
