"""Facts about a session turned, under a rule, into the reason why its votes do not count, or into what it is paid.

Reasons come in a fixed order, and the first is given: the session was not finished, verification pairs, one side,
ties; then, vote by vote, no playback record, stalls, dropped frames, too small, out of step, not watched, slow answer.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from studyserver.rules import PayRule, UseRule

__all__ = ["Answer", "PayVerdict", "judge_payment", "judge_playback", "judge_session", "judge_vote"]

_SIDES = ("left", "right")
# The pairs that are about the question of the study; who cannot see a difference there may say so.
_QUESTIONS = ("test", "repeat")
# All pairs answered, or the time of the session over.
_PAIRS_OVER = ("questionnaire", "completed")

# A browser lays pages out in 1/64 of a pixel: exact is 1 to within this.
_ROUNDING = 0.002


@dataclass(frozen=True, slots=True)
class Answer:
    """One vote as the rules see it: kind of trial, choice, the right one (None where there is none), how it played."""

    kind: str
    choice: str
    expected: str | None
    response_ms: int | None
    presentation: str
    playback: dict
    clip_seconds: float


def judge_session(state: str, answers: Iterable[Answer], rule: UseRule) -> str:
    """Return why none of a session's votes count, empty where they may. `state` is that of the session."""
    if rule.require_completed and state not in _PAIRS_OVER:
        return f"session not finished ({state})"
    answers = list(answers)
    shown = [answer for answer in answers if answer.kind == "verification"]
    right = sum(answer.choice == answer.expected for answer in shown)
    if right < rule.min_verification_right * len(shown):
        return f"participant answered {right} of {len(shown)} verification pairs rightly"
    choices = [answer.choice for answer in answers if answer.kind in _QUESTIONS]
    sides = [choice for choice in choices if choice != "tie"]
    most = max(sides.count(side) for side in _SIDES)
    if _too_many(most, sides, rule.max_side_share, rule):
        side = max(_SIDES, key=sides.count)
        return f"participant chose the {side} side in {most} of {len(sides)} preferences"
    ties = len(choices) - len(sides)
    if _too_many(ties, choices, rule.max_tie_share, rule):
        return f"participant saw no difference in {ties} of {len(choices)} pairs"
    return ""


def _too_many(count: int, of: list, share: float, rule: UseRule) -> bool:
    return len(of) >= rule.min_votes_for_shares and count > share * len(of)


def judge_vote(answer: Answer, rule: UseRule) -> str:
    """Return why this one vote does not count, empty where it does."""
    if reason := judge_playback(answer.playback, rule, answer.presentation, answer.clip_seconds):
        return f"playback: {reason}"
    if rule.max_answer_seconds and (answer.response_ms or 0) > 1000 * rule.max_answer_seconds:
        return f"answered after {answer.response_ms / 1000:.0f} s, later than {rule.max_answer_seconds:g} s"
    return ""


def judge_playback(certificate: dict, rule: UseRule, presentation: str, clip_seconds: float) -> str:
    """Return the first thing that spoils a playback, empty where it was good.

    The certificate is a cleaned one (studyserver.playback). Clips shown one after the other play for twice
    `clip_seconds`, and are never out of step. What every player measures is not good where it is missing.
    """
    for side in _SIDES:
        part = certificate.get(side)
        if part is None or not part.get("shown"):
            return f"no frames counted on the {side}"
        if part.get("stalls", 0) > rule.max_stalls:
            return f"{part['stalls']:g} stalls on the {side}"
        dropped = part.get("dropped", 0)
        if dropped > rule.max_dropped_share * (part["shown"] + dropped):
            return f"{dropped:g} frames dropped on the {side}"
    scale = certificate.get("scale", 0)
    if scale < rule.min_scale - _ROUNDING:
        return f"shown at {scale:.2f} of its size"
    sequential = presentation == "sequential"
    if not sequential and (reason := _judge_distance(certificate.get("offsets", {}), rule)):
        return reason
    length = clip_seconds * (2 if sequential else 1)
    played = certificate.get("play_ms", 0)
    if played < 1000 * length * rule.min_watch_share:
        return f"watched {played / 1000:.1f} s of {length:.1f} s"
    return ""


def _judge_distance(offsets: dict, rule: UseRule) -> str:
    counted = sum(offsets.values())
    if not counted and rule.min_share_in_step:
        return "not measured how far apart the videos were"
    in_step = sum(count for frames, count in offsets.items() if abs(int(frames)) <= rule.max_offset_frames)
    if in_step >= rule.min_share_in_step * counted:
        return ""
    frames = "frame" if rule.max_offset_frames == 1 else "frames"
    return f"more than {rule.max_offset_frames} {frames} apart in {counted - in_step:g} of {counted:g} frames"


@dataclass(frozen=True)
class PayVerdict:
    """What a session is paid: `full`, `partial` or `none`, and why."""

    pay: str
    reason: str


def judge_payment(state: str, began: bool, note: str, rule: PayRule) -> PayVerdict:
    """Return what a session is paid. `began`: a first pair was shown; `note`: why it ended early, if it did."""
    if state in _PAIRS_OVER:
        return PayVerdict("full", "reached the end of the pairs")
    if began and not rule.require_completed:
        return PayVerdict("full", "was shown pairs")
    ended = f"{state}: {note}" if note else state
    if state in rule.partial_outcomes:
        return PayVerdict("partial", ended)
    if state in ("screened-out", "technical", "full"):
        return PayVerdict("none", ended)
    return PayVerdict("none", "has not finished")
