"""Reads: nothing here changes the database."""

from studyserver.selectors.dashboard import Dashboard, default_origin, study_dashboard
from studyserver.selectors.dashboard_people import ExcludedPerson
from studyserver.selectors.dashboard_ranking import RankedCondition, Ranking
from studyserver.selectors.dashboard_votes import AnswerShare, PairVotes
from studyserver.selectors.device import device_facts
from studyserver.selectors.entry import (
    consent_text_of,
    invitation_for_token,
    session_for_code,
    session_for_withdrawal,
)
from studyserver.selectors.pace import session_minutes_left
from studyserver.selectors.participants import participant_table
from studyserver.selectors.payments import PaymentRow, StudyCost, payment_rows, study_cost
from studyserver.selectors.rule_comparison import RuleComparison, rule_compare
from studyserver.selectors.rules import rule_in_force, rule_of, rule_version
from studyserver.selectors.sampling import pairs_worth_asking
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
    study_language,
)
from studyserver.selectors.study_check import file_sha256, plan_of, study_facts
from studyserver.selectors.votes import vote_reasons, vote_table

__all__ = [
    "AnswerShare",
    "Dashboard",
    "ExcludedPerson",
    "PairVotes",
    "PaymentRow",
    "RankedCondition",
    "Ranking",
    "RuleComparison",
    "SessionOutline",
    "StudyCost",
    "StudyCounts",
    "consent_text_of",
    "default_origin",
    "device_facts",
    "file_sha256",
    "invitation_for_token",
    "pairs_with_progress",
    "pairs_worth_asking",
    "participant_table",
    "payment_rows",
    "plan_of",
    "rule_compare",
    "rule_in_force",
    "rule_of",
    "rule_version",
    "session_current_trial",
    "session_for_code",
    "session_for_key",
    "session_for_withdrawal",
    "session_minutes_left",
    "session_outline",
    "session_progress",
    "session_upcoming_trials",
    "study_by_slug",
    "study_cost",
    "study_counts",
    "study_dashboard",
    "study_facts",
    "study_has_places",
    "study_language",
    "trial_of_media",
    "vote_reasons",
    "vote_table",
]
