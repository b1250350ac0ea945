"""The order of a session's steps, and the page that belongs to each."""

from studyserver.models import Session, Study

__all__ = ["ENDED", "HOLDS_PLACES", "PAGES", "next_state"]

State = Session.State

PAGES = {
    State.INSTRUCTIONS: "instructions",
    State.SETUP: "setup",
    State.CALIBRATION: "calibration",
    State.TRAINING: "trial",
    State.QUIZ: "quiz",
    State.ACTIVE: "trial",
    State.QUESTIONNAIRE: "questionnaire",
    State.COMPLETED: "done",
    State.SCREENED_OUT: "ended",
    State.FULL: "ended",
    State.TECHNICAL: "ended",
}
ENDED = (State.COMPLETED, State.SCREENED_OUT, State.FULL, State.TECHNICAL)
# Places are taken before the practice, so that nobody practises in vain.
HOLDS_PLACES = (State.TRAINING, State.QUIZ, State.ACTIVE)

_ORDER = (*(state for state in PAGES if state not in ENDED), State.COMPLETED)


def next_state(study: Study, state: str) -> str:
    """Return the step after `state`; steps that the study does not want are passed over."""
    wanted = {
        State.SETUP: study.check_environment,
        State.CALIBRATION: study.calibration != Study.Calibration.OFF,
        State.TRAINING: study.training_pairs > 0,
        State.QUIZ: study.quiz_questions > 0,
        State.QUESTIONNAIRE: study.questionnaire,
    }
    later = _ORDER[_ORDER.index(State(state)) + 1 :]
    return next(step for step in later if wanted.get(step, True))
