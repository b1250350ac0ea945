"""The quiz about the instructions: its questions, which of them a session gets, and the scoring."""

import random
from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from studyserver.errors import InvalidAnswer
from studyserver.models import Session, Study

__all__ = ["Question", "quiz_of", "right_answers", "score"]


@dataclass(frozen=True)
class Question:
    """`options`: (value, text) of each answer; `section`: the heading of the instructions that has the answer.

    `right` never leaves the server.
    """

    name: str
    text: str
    options: tuple[tuple[str, str], ...]
    right: str
    section: str


_TASK = Question(
    "task",
    _("What do you decide about each pair?"),
    (
        ("scene", _("which scene is more interesting")),
        ("picture", _("which video has the better picture quality")),
        ("length", _("which video is longer")),
        ("sound", _("which video has the better sound")),
    ),
    "picture",
    "task",
)
_ENDING = Question(
    "ending",
    _("When do you answer?"),
    (
        ("first", _("as soon as the first video begins")),
        ("half", _("after half of the time")),
        ("whole", _("after both videos have been shown to the end")),
    ),
    "whole",
    "task",
)
_FAULTS = Question(
    "faults",
    _("One video is clean; the other shows the same with grain, blocks or flicker. Which one looks better?"),
    (
        ("faulty", _("the one with grain, blocks or flicker")),
        ("clean", _("the clean one")),
        ("neither", _("that depends on the scene")),
    ),
    "clean",
    "look",
)
_NONE_SEEN = Question(
    "none",
    _("You have watched both videos with care and see no difference. What do you answer?"),
    (
        ("left", _("always the same side")),
        ("tie", _("“no visible difference”")),
        ("leave", _("nothing: I leave the page")),
    ),
    "tie",
    "look",
)
_UNSURE = Question(
    "unsure",
    _("You have watched both videos with care and are not sure. What do you answer?"),
    (
        ("left", _("always the same side")),
        ("impression", _("the one that looks better by my first impression")),
        ("leave", _("nothing: I leave the page")),
    ),
    "impression",
    "look",
)


def quiz_of(session: Session, attempt: int) -> list[Question]:
    """Return the questions of a session's try, drawn and put in order by its seed; each try has its own order."""
    study = session.participant.study
    drawn = random.Random(f"quiz {session.seed}").sample(_bank(study), study.quiz_questions)
    order = random.Random(f"quiz {session.seed} {attempt}")
    return [
        Question(
            question.name,
            question.text,
            tuple(order.sample(question.options, len(question.options))),
            question.right,
            question.section,
        )
        for question in order.sample(drawn, len(drawn))
    ]


def score(questions: list[Question], data: Mapping[str, str]) -> dict:
    """Return a try as a session keeps it: the answers, which are right, and whether all are.

    Raises InvalidAnswer, with the names of the questions without one of the offered answers in `fields`.
    """
    answers = {question.name: data.get(question.name, "") for question in questions}
    missing = [
        question.name
        for question in questions
        if answers[question.name] not in [value for value, _ in question.options]
    ]
    if missing:
        raise InvalidAnswer({name: _("Please choose an answer.") for name in missing})
    right = {question.name: answers[question.name] == question.right for question in questions}
    return {"answers": answers, "right": right, "passed": all(right.values())}


def right_answers() -> dict[str, str]:
    """Return the right option of every question of the bank by its name, for model participants."""
    return {question.name: question.right for question in (_TASK, _ENDING, _FAULTS, _NONE_SEEN, _UNSURE)}


def _bank(study: Study) -> list[Question]:
    return [_TASK, _ENDING, _FAULTS, _NONE_SEEN if study.allow_tie else _UNSURE]
