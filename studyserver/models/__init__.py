"""Tables of the laboratory; the words are those of the design: study, source, condition, stimulus, pair,
participant, session, trial, vote."""

from studyserver.models.materials import Condition, Pair, Source, Stimulus
from studyserver.models.people import Exclusion, Invitation, Participant, Session, Withdrawal
from studyserver.models.studies import ConsentText, Rule, Study
from studyserver.models.trials import Trial, Vote

__all__ = [
    "Condition",
    "ConsentText",
    "Exclusion",
    "Invitation",
    "Pair",
    "Participant",
    "Rule",
    "Session",
    "Source",
    "Stimulus",
    "Study",
    "Trial",
    "Vote",
    "Withdrawal",
]
