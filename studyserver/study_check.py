"""The check before a study opens: rules over facts, a line each, and what the study will take."""

import math
from collections import Counter
from dataclasses import dataclass, replace
from decimal import Decimal

from analysis import clips_needed, half_width, votes_needed
from studyserver.findings import PASSED, REFUSED, WARNING, Finding, listed
from studyserver.quota import share_verification
from studyserver.set_check import SET_RULES
from studyserver.study_facts import StudyFacts

__all__ = ["Totals", "check", "planned_totals"]

_CODES = {
    "completion_code": "finished",
    "screened_out_code": "screened out",
    "no_consent_code": "no consent",
    "full_code": "full",
    "paused_code": "paused",
    "technical_code": "technical problem",
}


@dataclass(frozen=True)
class Totals:
    """What the whole study takes. megabytes: of one session, at most; load_seconds: of them at 40 Mb/s. cost: with the
    recruitment service's fee, if everybody finishes.
    """

    votes: int
    pairs_per_session: int
    participants: int
    minutes: int
    megabytes: float
    load_seconds: float
    cost: Decimal
    currency: str


def check(facts: StudyFacts, *, pilot: bool = False) -> tuple[Finding, ...]:
    """Every rule's finding. A pilot, or a demonstration, needs no clips for an interval: that is a warning then."""
    if not facts.test_pairs:
        found = "There are no pairs to show."
        return (Finding("Pairs", REFUSED, found, "Import a stimulus set with at least two conditions first."),)
    findings = [rule(facts) for rule in (*SET_RULES, *_RULES)]
    if pilot or facts.plan.demonstration:
        findings = [
            replace(item, level=WARNING) if item.rule == "Clips" and item.level == REFUSED else item
            for item in findings
        ]
    return tuple(findings)


def planned_totals(facts: StudyFacts) -> Totals:
    """What the study takes, from its settings."""
    plan = facts.plan
    shown = min(plan.pairs_per_session, facts.test_pairs)
    votes = plan.votes_per_pair * facts.test_pairs
    # A person sees a pair once, so a quota of ten needs ten people however few pairs there are.
    participants = max(math.ceil(votes / shown), plan.votes_per_pair) if shown else 0
    trials = plan.training_pairs + shown + plan.verification_pairs + plan.repeat_pairs + plan.null_pairs
    mean = sum(item.bytes for item in facts.stimuli) / len(facts.stimuli) if facts.stimuli else 0
    megabytes = 2 * trials * mean / 1e6
    cost = participants * plan.reward * (1 + plan.fee_percent / 100)
    return Totals(
        votes=votes,
        pairs_per_session=shown,
        participants=participants,
        minutes=facts.minutes,
        megabytes=round(megabytes, 1),
        load_seconds=round(megabytes * 8 / 40, 1),
        cost=cost.quantize(Decimal("0.01")),
        currency=plan.currency,
    )


def _clips(facts: StudyFacts) -> Finding:
    plan, clips = facts.plan, len(facts.sources)
    conditions = len({item.condition for item in facts.stimuli if item.kind != "verification"})
    design = {"conditions": conditions, "clip_effect": plan.clip_effect}
    width = half_width(clips=clips, votes=plan.votes_per_pair, **design)
    got = f"{clips} clips with {plan.votes_per_pair} votes per pair give ± {width:.2f} logits"
    if not plan.interval_width:
        return Finding("Clips", PASSED, f"{got}; no width was asked for.")
    needed = clips_needed(votes=plan.votes_per_pair, wanted=plan.interval_width, **design)
    if clips >= needed:
        return Finding("Clips", PASSED, f"{got}; ± {plan.interval_width:.2f} was asked, for which {needed} are enough.")
    votes = votes_needed(clips=clips, wanted=plan.interval_width, **design)
    more = f", ask {votes} votes per pair" if votes else " (no number of votes makes up for them)"
    advice = (
        f"Add {needed - clips} clips{more}, or accept a wider interval: set the wanted half-width to "
        f"{math.ceil(width * 100) / 100:.2f}."
    )
    return Finding(
        "Clips", REFUSED, f"{got}; ± {plan.interval_width:.2f} was asked, which needs {needed} clips.", advice
    )


def _verification(facts: StudyFacts) -> Finding:
    plan, there = facts.plan, facts.verification_pairs
    if not there:
        return Finding(
            "Verification pairs",
            REFUSED if plan.verification_pairs or plan.training_pairs else WARNING,
            "The set has none: nothing with an obvious answer to practise on or to check by.",
            "Make the set again; generate_stimuli adds a verification stimulus per source.",
        )
    if there < plan.verification_pairs:
        return Finding(
            "Verification pairs",
            REFUSED,
            f"A session hides {plan.verification_pairs} different ones, and there are {there}.",
            f"Lower the verification pairs of a session to {there}, or take a set with more sources.",
        )
    wanted = (plan.training_pairs, plan.verification_pairs)
    got = share_verification(there, *wanted)
    if got != wanted:
        return Finding(
            "Verification pairs",
            WARNING,
            f"{there}, for {wanted[0]} practice and {wanted[1]} hidden ones; a session gets {got[0]} and {got[1]}.",
            "Nobody sees a pair twice. Ask for fewer, or take a set with more sources.",
        )
    return Finding("Verification pairs", PASSED, f"{there}, of which a session hides {plan.verification_pairs}.")


def _session(facts: StudyFacts) -> Finding:
    plan, shown = facts.plan, min(facts.plan.pairs_per_session, facts.test_pairs)
    if plan.repeat_pairs > shown:
        return Finding(
            "Session", REFUSED, f"{plan.repeat_pairs} repeats of {shown} pairs.", "Lower the repeat pairs of a session."
        )
    if plan.null_pairs > facts.null_pairs:
        advice = f"Lower the null pairs of a session to {facts.null_pairs}."
        return Finding("Session", REFUSED, f"{plan.null_pairs} null pairs, and there are {facts.null_pairs}.", advice)
    if facts.minutes > plan.max_minutes:
        found = f"About {facts.minutes} minutes, and sessions end after {plan.max_minutes}."
        return Finding("Session", WARNING, found, "Show fewer pairs, or raise the longest duration.")
    if plan.pairs_per_session > facts.test_pairs:
        found = f"{plan.pairs_per_session} pairs are wanted and there are {facts.test_pairs}: everybody sees all."
        return Finding("Session", WARNING, found, "Lower the pairs per session if that is not meant.")
    return Finding("Session", PASSED, f"{shown} test pairs, about {facts.minutes} minutes.")


def _sides(facts: StudyFacts) -> Finding:
    votes = facts.plan.votes_per_pair
    if votes % 2:
        found = f"{votes} votes per pair: one side has a vote more in every pair."
        return Finding("Sides", WARNING, found, "An even number shows each pair as often either way round.")
    return Finding("Sides", PASSED, f"{votes // 2} of {votes} votes of each pair either way round.")


def _presentation(facts: StudyFacts) -> Finding:
    plan, widest = facts.plan, max((item.width for item in facts.stimuli), default=0)
    if plan.presentation == "side-by-side" and widest > plan.max_side_width:
        return Finding(
            "Presentation",
            WARNING,
            f"Side by side, {widest} pixels wide each: {2 * widest} screen pixels, which few people have.",
            "Choose the presentation by size, or one after the other.",
        )
    same_place = plan.presentation == "auto" and widest > plan.max_side_width
    chosen = {"auto": "in the same place" if same_place else "side by side"}.get(plan.presentation, plan.presentation)
    return Finding("Presentation", PASSED, f"{chosen.capitalize()}, videos {widest} pixels wide.")


def _consent(facts: StudyFacts) -> Finding:
    if not facts.plan.consent_text.strip():
        return Finding("Consent", REFUSED, "The consent text is empty.", "Write what participants agree to.")
    return Finding("Consent", PASSED, f"{len(facts.plan.consent_text.split())} words.")


def _codes(facts: StudyFacts) -> Finding:
    codes = {field: getattr(facts.plan, field).strip() for field in _CODES}
    empty = [_CODES[field] for field, code in codes.items() if not code]
    if empty:
        return Finding("Codes", REFUSED, f"No code for {listed(empty)}.", "Give every outcome a code.")
    twice = {code for code, count in Counter(code.lower() for code in codes.values()).items() if count > 1}
    if twice:
        same = [_CODES[field] for field, code in codes.items() if code.lower() in twice]
        advice = "The recruitment service could not tell these people apart: give each outcome its own code."
        return Finding("Codes", REFUSED, f"The same code for {listed(same)}.", advice)
    if facts.plan.completion_url and "{code}" not in facts.plan.completion_url:
        advice = "Write {code} where the code stands in the address."
        return Finding("Codes", WARNING, "Only those who finish are sent back: the address holds no {code}.", advice)
    way = "they are sent back with it" if facts.plan.completion_url else "people copy it by hand"
    return Finding("Codes", PASSED, f"Every outcome has its own; {way}.")


def _payment(facts: StudyFacts) -> Finding:
    plan = facts.plan
    if not plan.reward:
        return Finding("Payment", WARNING, "The reward is 0.", "Set what a finished session is paid, if it is.")
    hourly = plan.reward * 60 / max(facts.minutes, 1)
    text = f"{plan.reward} {plan.currency} a session, {hourly:.2f} an hour; in part {plan.partial_reward}."
    return Finding("Payment", PASSED, text)


def _entry(facts: StudyFacts) -> Finding:
    plan = facts.plan
    if plan.demonstration:
        found = "A demonstration: simulated votes count like real ones."
        return Finding("Entry", WARNING, found, "Never for research: import the set again as another study.")
    needed = planned_totals(facts).participants
    if plan.invitation_only and facts.invitations < needed:
        found = f"By invitation only: {facts.invitations} are unused, and about {needed} people are needed."
        return Finding("Entry", WARNING, found, "Make invitations, or let people in without.")
    return Finding("Entry", PASSED, "By invitation only." if plan.invitation_only else "Everybody with the address.")


_RULES = (_clips, _verification, _session, _sides, _presentation, _consent, _codes, _payment, _entry)
