"""The questions after the pairs, declared once: the page, the check of the answers, and the data dictionary."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext, override
from django.utils.translation import gettext_lazy as _

from studyserver.errors import InvalidAnswer

__all__ = ["MAX_COMMENT", "QUESTIONS", "Question", "data_dictionary", "read_answers"]

MAX_COMMENT = 1000


@dataclass(frozen=True)
class Question:
    """`options`: (value, text) of each answer; none for a free text. Every question may be left out."""

    name: str
    text: str
    options: tuple[tuple[str, str], ...] = ()


_SILENT = ("silent", _("prefer not to say"))

QUESTIONS = (
    Question(
        "age",
        _("How old are you?"),
        (
            ("18-24", _("18 to 24")),
            ("25-34", _("25 to 34")),
            ("35-44", _("35 to 44")),
            ("45-54", _("45 to 54")),
            ("55-64", _("55 to 64")),
            ("65", _("65 or older")),
            _SILENT,
        ),
    ),
    Question(
        "gender",
        _("What is your gender?"),
        (("female", _("female")), ("male", _("male")), ("other", _("another")), _SILENT),
    ),
    Question(
        "glasses",
        _("Did you wear the glasses or contact lenses that you need for the screen?"),
        (("worn", _("yes")), ("not-worn", _("no, I had none on")), ("not-needed", _("I need none")), _SILENT),
    ),
    Question(
        "colour_vision",
        _("Do you have a colour vision deficiency, such as red-green blindness?"),
        (("none", _("no")), ("deficient", _("yes")), ("unknown", _("I do not know")), _SILENT),
    ),
    Question(
        "lighting",
        _("How bright was the room?"),
        (("dark", _("dark")), ("dim", _("dim")), ("bright", _("bright")), ("sun", _("sunlight on the screen"))),
    ),
    Question(
        "screen",
        _("What kind of screen did you use?"),
        (
            ("laptop", _("that of a laptop")),
            ("monitor", _("a monitor on a desk")),
            ("television", _("a television set or projector")),
            ("mobile", _("that of a telephone or tablet")),
        ),
    ),
    Question(
        "smooth",
        _("Did the videos play smoothly?"),
        (("always", _("always")), ("mostly", _("mostly")), ("seldom", _("often not"))),
    ),
    Question("comment", _("Is there anything else that you want to tell us?")),
)


def read_answers(data: Mapping[str, str]) -> dict[str, str]:
    """Return the answers that were given, or raise InvalidAnswer with a sentence for each wrong one in `fields`."""
    answers, wrong = {}, {}
    for question in QUESTIONS:
        # Browsers send a line break as two characters and count it as one. No database keeps a NUL.
        answer = data.get(question.name, "").replace("\r\n", "\n").replace("\0", "").strip()
        if question.options and answer and answer not in dict(question.options):
            wrong[question.name] = gettext("Please choose one of the answers.")
        elif not question.options and len(answer) > MAX_COMMENT:
            wrong[question.name] = gettext(
                "At most %(most)d characters are stored, this is %(there)d. Please shorten it."
            ) % {"most": MAX_COMMENT, "there": len(answer)}
        elif answer:
            answers[question.name] = answer
    if wrong:
        raise InvalidAnswer(wrong)
    return answers


def data_dictionary() -> list[tuple[str, str, str]]:
    """Return (name, meaning, values) of each question, in English; a question without an answer has no entry."""
    with override("en"):
        return [
            (
                question.name,
                str(question.text),
                ", ".join(f"{value}: {text}" for value, text in question.options) or f"text, up to {MAX_COMMENT}",
            )
            for question in QUESTIONS
        ]
