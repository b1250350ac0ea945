"""What a researcher does to a study's status: open, pilot, pause, close."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib import messages

from studyserver import services
from studyserver.errors import StudyError
from studyserver.models import Study

__all__ = ["MOVES", "Move", "move_each", "moves_of"]

Status = Study.Status


@dataclass(frozen=True)
class Move:
    """A button: the service behind it, its text by the status that the study has, and the word when it is done."""

    name: str
    service: str
    texts: dict[str, str]
    done: str


MOVES = {
    move.name: move
    for move in (
        Move(
            "open",
            "study_open",
            {
                Status.DRAFT: "Open",
                Status.PILOT: "Open: end the pilot",
                Status.PAUSED: "Continue",
                Status.CLOSED: "Reopen",
            },
            "open",
        ),
        Move(
            "pilot",
            "study_pilot",
            {Status.DRAFT: "Start a pilot", Status.PAUSED: "Continue as a pilot"},
            "a pilot: people may enter, marked and counted apart",
        ),
        Move("pause", "study_pause", {Status.OPEN: "Pause", Status.PILOT: "Pause"}, "paused"),
        Move(
            "close",
            "study_close",
            {Status.OPEN: "Close", Status.PILOT: "Close", Status.PAUSED: "Close"},
            "closed",
        ),
    )
}


def moves_of(study: Study) -> list[tuple[str, str]]:
    """Return name and text of what can be done to a study now."""
    return [(name, move.texts[study.status]) for name, move in MOVES.items() if study.status in move.texts]


def move_each(model_admin, request, studies: Iterable[Study], move: Move) -> None:
    """Do it to every study, and tell the researcher how each went."""
    for study in studies:
        try:
            getattr(services, move.service)(study=study)
        except StudyError as error:
            model_admin.message_user(request, str(error), messages.ERROR)
        else:
            model_admin.message_user(request, f"{study.title}: {move.done}.", messages.SUCCESS)
