"""How a visit can end: the code and the way back of each outcome, and a sentence for why it ended early."""

from dataclasses import dataclass
from enum import Enum
from urllib.parse import quote

from django.utils.translation import gettext_lazy as _

from studyserver.models import Session, Study

__all__ = ["Outcome", "WayBack", "early_end_sentence", "way_back"]


class Outcome(Enum):
    """Each value is the field of a study with the outcome's code."""

    COMPLETED = "completion_code"
    SCREENED_OUT = "screened_out_code"
    FULL = "full_code"
    TECHNICAL = "technical_code"
    NO_CONSENT = "no_consent_code"
    PAUSED = "paused_code"


@dataclass(frozen=True)
class WayBack:
    """What a person takes back to the recruitment service; `address` is empty where there is none to follow."""

    code: str
    address: str


def way_back(study: Study, outcome: Outcome) -> WayBack:
    """Return the code of an outcome and the address that reports it.

    An address without a place for the code says "completed" to the service, so it is for those who completed only.
    """
    code = getattr(study, outcome.value)
    address = study.completion_url
    if "{code}" not in address and outcome is not Outcome.COMPLETED:
        address = ""
    return WayBack(code, address.replace("{code}", quote(code, safe="")))


# By the word that services give as the reason: a check of the device, a step, or a trouble of the player.
_REASONS = {
    "practice": _("Several answers to the practice pairs were not right; the study needs people who see them alike."),
    "quiz": _("The questions about the instructions were not all answered rightly."),
    "device": _("The study needs a computer with a mouse or a keyboard."),
    "codec": _("Your browser cannot play these videos, or not smoothly."),
    "screen": _("Your screen has fewer pixels than the videos need."),
    "zoom": _("Your screen or browser enlarges pages in a way that would blur the videos."),
    "window": _("Your window has fewer pixels than the videos need."),
    "refresh": _("Your screen shows too few pictures per second for these videos."),
    "connection": _("Your connection is too slow to load the videos in a reasonable time."),
    "out-of-step": _("Your computer could not play two videos in step."),
    "no-frame-times": _("Your browser does not tell which picture of a video it shows, and the study has to know."),
    "unplayable": _("Your browser could not play the videos."),
}
_STATES = {
    Session.State.SCREENED_OUT: _("The study needs a device or an experience that differs from yours."),
    Session.State.FULL: _("While you were getting ready, the last places went to others."),
    Session.State.TECHNICAL: _("The videos could not be shown on your device as they should."),
}


def early_end_sentence(session: Session) -> str:
    """Return, for its participant, why a session ended early; what no sentence stands for gets the state's."""
    word = session.reason
    # A check of the device comes with what was wrong with it: `screen-small`.
    return str(_REASONS.get(word) or _REASONS.get(word.split("-")[0]) or _STATES[session.state])
