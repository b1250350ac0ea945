"""The table of participants: one list of columns makes the table, its header and its data dictionary."""

from collections import Counter
from dataclasses import dataclass, field

from studyserver.columns import Column, moment
from studyserver.models import Session
from studyserver.questionnaire import data_dictionary as questions

__all__ = ["COLUMNS", "ParticipantFacts"]


@dataclass
class ParticipantFacts:
    """One session with what its votes come to.

    `kinds`: votes by kind of trial; `choices`: choices in test and repeated pairs; `reasons`: why each vote that does
    not count does not, exclusions among them.
    """

    session: Session
    excluded: str
    kinds: Counter = field(default_factory=Counter)
    choices: Counter = field(default_factory=Counter)
    verification_right: int = 0
    repeats_agreed: int = 0
    null_ties: int = 0
    test_counted: int = 0
    reasons: Counter = field(default_factory=Counter)


def _environment(name: str, dtype: str, description: str) -> Column:
    return Column(name, dtype, description, lambda f: f.session.environment.get(name), free_text=dtype == "string")


def _calibration(name: str, description: str) -> Column:
    return Column(name, "Float64", description, lambda f: f.session.calibration.get(name))


def _moment(name: str, description: str) -> Column:
    return Column(name, "string", f"{description} (UTC, ISO 8601).", lambda f: moment(getattr(f.session, name)))


def _share(count: int, of: int) -> float | None:
    return count / of if of else None


def _minutes(session: Session) -> float | None:
    if session.first_pair_at is None or session.ended_at is None:
        return None
    return round((session.ended_at - session.first_pair_at).total_seconds() / 60, 2)


def _answer(name: str, meaning: str, values: str) -> Column:
    description = f"{meaning} ({values})"
    return Column(f"answer_{name}", "string", description, lambda f: f.session.answers.get(name), free_text=True)


COLUMNS = (
    Column("participant", "string", "Pseudonym, as in the vote table.", lambda f: f.session.participant.code),
    Column("origin", "string", "real, pilot or simulated participant.", lambda f: f.session.participant.origin),
    Column("outcome", "string", "Step that the session is at, or how it ended.", lambda f: f.session.state),
    Column("outcome_reason", "string", "Why it ended early.", lambda f: f.session.reason, free_text=True),
    Column(
        "consent_version",
        "Int64",
        "Version of the consent text that was agreed to.",
        lambda f: f.session.consent_version,
    ),
    Column("presentation", "string", "How pairs are shown to this person.", lambda f: f.session.presentation),
    _moment("consented_at", "When the person agreed to take part"),
    _moment("started_at", "When places were taken, before the practice"),
    _moment("first_pair_at", "When practice and quiz were over"),
    _moment("ended_at", "When the session ended"),
    Column("minutes", "Float64", "From the first pair after the practice to the end.", lambda f: _minutes(f.session)),
    Column("quiz_tries", "Int64", "Tries at the quiz.", lambda f: len(f.session.quiz)),
    Column("training_answers", "Int64", "Answers to practice pairs.", lambda f: f.kinds["training"]),
    Column("test_answers", "Int64", "Answers to test pairs.", lambda f: f.kinds["test"]),
    Column("test_counted", "Int64", "Those that count, by the rule of use.", lambda f: f.test_counted),
    Column("verification_answers", "Int64", "Answers to verification pairs.", lambda f: f.kinds["verification"]),
    Column(
        "verification_right_share",
        "Float64",
        "Share of them that are right.",
        lambda f: _share(f.verification_right, f.kinds["verification"]),
    ),
    Column(
        "repeat_answers", "Int64", "Answers to pairs shown again with sides exchanged.", lambda f: f.kinds["repeat"]
    ),
    Column(
        "repeat_agreement",
        "Float64",
        "Share of them that are the same as before.",
        lambda f: _share(f.repeats_agreed, f.kinds["repeat"]),
    ),
    Column("null_answers", "Int64", "Answers to pairs of one and the same video.", lambda f: f.kinds["null"]),
    Column("null_tie_share", "Float64", "Share of them that are ties.", lambda f: _share(f.null_ties, f.kinds["null"])),
    Column(
        "left_share",
        "Float64",
        "Share of the preferences (answers but ties) in test and repeated pairs that are for the left side.",
        lambda f: _share(f.choices["left"], f.choices["left"] + f.choices["right"]),
    ),
    Column(
        "tie_share",
        "Float64",
        "Share of the answers to test and repeated pairs that are ties.",
        lambda f: _share(f.choices["tie"], f.choices.total()),
    ),
    Column(
        "excluded", "string", "Why the researcher excluded the person, if so.", lambda f: f.excluded, free_text=True
    ),
    Column(
        "reason",
        "string",
        "Commonest reason why votes of this person do not count; empty where all do.",
        lambda f: f.reasons.most_common(1)[0][0] if f.reasons else "",
        free_text=True,
    ),
    _environment("screen_width", "Float64", "Width of the screen in CSS pixels."),
    _environment("screen_height", "Float64", "Height of the screen in CSS pixels."),
    _environment("device_pixel_ratio", "Float64", "Screen pixels per CSS pixel."),
    _environment("browser_zoom", "Float64", "Zoom of the browser; 1 is none."),
    _environment("refresh_hz", "Float64", "Refresh rate of the screen in hertz, as measured."),
    _environment("speed_mbps", "Float64", "Speed of the connection, in megabits per second."),
    _environment("browser", "string", "Browser and its version."),
    _environment("mobile", "boolean", "A telephone or tablet."),
    _calibration("px_per_cm", "Screen pixels per centimetre, by a bank card held to the screen."),
    _calibration("distance_cm", "Distance from the screen in centimetres, as the person says."),
    *(_answer(*question) for question in questions()),
)
