"""The vote table: one list of columns makes the table, its header and its data dictionary."""

from collections.abc import Container
from dataclasses import dataclass
from fractions import Fraction

from studyserver.columns import Column, dictionary_of, frame_of, moment
from studyserver.models import Participant, Rule, Session, Study, Trial, Vote
from studyserver.rules import UseRule, read_rule
from studyserver.verdicts import judge_playback

__all__ = ["COLUMNS", "data_dictionary", "loaded_votes", "vote_frame"]


@dataclass(frozen=True)
class _Facts:
    """One vote with what the whole table knows about its participant and under which rule it is judged."""

    vote: Vote
    study: Study
    version: int
    rule: UseRule
    reason: str

    @property
    def trial(self) -> Trial:
        return self.vote.trial

    @property
    def session(self) -> Session:
        return self.vote.trial.session

    @property
    def played_well(self) -> bool:
        source = self.trial.pair.source
        seconds = float(source.frames / Fraction(source.fps))
        return not judge_playback(self.vote.playback, self.rule, self.vote.presentation, seconds)

    @property
    def in_step_share(self) -> float | None:
        offsets = self.vote.playback.get("offsets") or {}
        counted = sum(offsets.values())
        near = sum(count for frames, count in offsets.items() if abs(int(frames)) <= self.rule.max_offset_frames)
        return near / counted if counted else None

    def both(self, field: str) -> int | None:
        """Sum of a figure of the left and the right video, None where neither was measured."""
        sides = [self.vote.playback.get(side, {}).get(field) for side in ("left", "right")]
        measured = [round(value) for value in sides if value is not None]
        return sum(measured) if measured else None


def _measured(name: str, dtype: str, description: str) -> Column:
    """A figure of the playback record, empty where it was not measured."""

    def value(facts: _Facts):
        figure = facts.vote.playback.get(name)
        return round(figure) if figure is not None and dtype == "Int64" else figure

    return Column(name, dtype, description, value)


COLUMNS = (
    Column(
        "participant",
        "string",
        "Pseudonym; the same person within this study only.",
        lambda f: f.trial.participant.code,
    ),
    Column("source", "string", "Clean clip that both videos were made from.", lambda f: f.trial.pair.source.name),
    Column("left", "string", "Condition shown on the left.", lambda f: f.trial.left.condition.label),
    Column("right", "string", "Condition shown on the right.", lambda f: f.trial.right.condition.label),
    Column(
        "choice", "string", "Better-looking side: left, right, or tie (no visible difference).", lambda f: f.vote.choice
    ),
    Column("target_metric", "string", "Metric that the attacks aimed at.", lambda f: f.study.target_metric),
    Column(
        "kind",
        "string",
        "test; training (with feedback, comes first); verification (obvious answer); repeat; null (identical videos).",
        lambda f: f.trial.kind,
    ),
    Column(
        "expected", "string", "Right answer of training and verification pairs, else empty.", lambda f: f.trial.expected
    ),
    Column(
        "response_ms",
        "Int64",
        "Milliseconds from the end of the first playback to the answer.",
        lambda f: f.vote.response_ms,
    ),
    Column(
        "presented_at",
        "string",
        "When the server first sent the pair (UTC, ISO 8601).",
        lambda f: moment(f.trial.presented_at),
    ),
    Column("voted_at", "string", "When the answer arrived (UTC, ISO 8601).", lambda f: moment(f.vote.voted_at)),
    Column("session", "string", "Visit; one per participant.", lambda f: f"{f.trial.participant.code}-1"),
    Column("session_outcome", "string", "Step that the session is at, or how it ended.", lambda f: f.session.state),
    Column(
        "consent_version",
        "Int64",
        "Version of the consent text that the participant agreed to.",
        lambda f: f.session.consent_version,
    ),
    Column(
        "position", "Int64", "Order in the session, from 1; training pairs have their own.", lambda f: f.trial.position
    ),
    Column("attempt", "Int64", "Showing of the training pair, from 1.", lambda f: f.trial.attempt),
    Column("origin", "string", "real, pilot or simulated participant.", lambda f: f.trial.origin),
    Column(
        "presentation",
        "string",
        "How the pair was shown: side-by-side, sequential or toggle.",
        lambda f: f.vote.presentation,
    ),
    Column(
        "playback_ok",
        "boolean",
        "Both videos played as the rule of use asks: watched, without too many stalls or dropped frames, in step.",
        lambda f: f.played_well,
    ),
    _measured("device_pixel_ratio", "Float64", "Screen pixels per CSS pixel."),
    _measured("scale", "Float64", "Screen pixels per video pixel; 1 is exact."),
    _measured("refresh_hz", "Float64", "Refresh rate of the screen in hertz, as measured."),
    _measured("first_frame_ms", "Int64", "Milliseconds from the start to the first frame shown."),
    _measured("play_ms", "Int64", "Milliseconds from the start to the end of the playback that counts."),
    _measured("plays", "Int64", "Complete playbacks before the answer."),
    _measured("out_of_step", "Int64", "Playbacks thrown away because the two videos were apart."),
    Column("stalls", "Int64", "Stalls of both videos together.", lambda f: f.both("stalls")),
    Column("dropped", "Int64", "Frames dropped, of both videos together.", lambda f: f.both("dropped")),
    Column(
        "in_step_share",
        "Float64",
        "Share of the frames in which the two videos were as near as the rule of use asks; empty where not measured.",
        lambda f: f.in_step_share,
    ),
    _measured("hidden", "Int64", "How often the page was hidden during playback."),
    _measured("switches", "Int64", "How often the participant switched between the two; toggle only."),
    Column(
        "excluded", "boolean", "The researcher excluded the participant.", lambda f: f.reason.startswith("excluded")
    ),
    Column("use", "boolean", "False where the vote should not count, see reason.", lambda f: not f.reason),
    Column(
        "reason",
        "string",
        "Why a vote should not count: the first reason there is.",
        lambda f: f.reason,
        free_text=True,
    ),
    Column("use_rule", "Int64", "Version of the rule of use that says so; 0 is the default.", lambda f: f.version),
)


def loaded_votes(study: Study, known: Container[int]) -> list[Vote]:
    """Return the votes of a study but those of previews, in the order of their arrival, ready to be looked at.

    Only votes in `known`, by key, are: what has come since those were asked for is for the next table. Pairs and
    sessions are loaded once each, not once per vote.
    """
    pairs = study.pairs.select_related("source", "first__condition", "second__condition").in_bulk()
    sessions = Session.objects.filter(participant__study=study).select_related("participant").in_bulk()
    rows = (
        Vote.objects.filter(trial__pair__study=study)
        .exclude(trial__origin=Participant.Origin.PREVIEW)
        .select_related("trial")
        .order_by("id")
    )
    votes = [vote for vote in rows if vote.pk in known]
    for vote in votes:
        vote.trial.pair = pairs[vote.trial.pair_id]
        vote.trial.session = sessions[vote.trial.session_id]
        vote.trial.participant = vote.trial.session.participant
    return votes


def vote_frame(study: Study, reasons: dict[int, str], rule: Rule):
    """Return all votes of a study but those of previews, one row each, in the order of their arrival.

    `reasons`: by key of a vote, why it does not count under `rule`, a version of the rule of use; votes that are
    not in it are left out.
    """
    votes = loaded_votes(study, reasons)
    mixed = any(vote.trial.origin == Participant.Origin.REAL for vote in votes) and not study.demonstration

    def reason(vote: Vote) -> str:
        # An exclusion is told before anything else, here as in every reason.
        if reasons[vote.pk].startswith("excluded"):
            return reasons[vote.pk]
        if vote.trial.origin == Participant.Origin.PILOT:
            return "pilot"
        if mixed and vote.trial.origin == Participant.Origin.SIMULATED:
            return "simulated participant beside real ones"
        return reasons[vote.pk]

    judge = read_rule(Rule.Purpose.USE, rule.settings)
    rows = [_Facts(vote, study, rule.version, judge, reason(vote)) for vote in votes]
    return frame_of(COLUMNS, rows)


def data_dictionary() -> list[dict[str, str]]:
    """Return name, type and meaning of every column of the vote table."""
    return dictionary_of(COLUMNS)
