"""Tables of the laboratory; the words are those of the design: study, source, condition, stimulus, pair,
participant, session, trial, vote."""

from studyserver.models.materials import Condition, Pair, Source, Stimulus
from studyserver.models.people import Participant, Session
from studyserver.models.studies import Study
from studyserver.models.trials import Trial, Vote

__all__ = ["Condition", "Pair", "Participant", "Session", "Source", "Stimulus", "Study", "Trial", "Vote"]
