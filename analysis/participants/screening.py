"""Whose votes count, and how much: one screening rule applied to a vote table, with the reason for each participant."""

import difflib
from dataclasses import dataclass, field

import pandas as pd

from analysis.errors import EverybodyRemoved, InvalidOption, InvalidVotes
from analysis.participants.crowd import Crowd, gather_crowd
from analysis.participants.screening_judges import REMOVE, Verdict
from analysis.participants.screening_rules import SCREENING_RULES, ScreeningRule
from analysis.votes import counted_votes, validate_votes

__all__ = ["SCREENING_RULES", "SET_ASIDE", "Screening", "apply_rule", "screen_participants"]

SET_ASIDE = "set aside"


@dataclass(frozen=True, eq=False)
class Screening:
    """The verdicts of a rule; `rule` and `version` name it, `title` and `description` say what it does.

    participants: a row for each participant with test votes, by label:
        n_votes: that count before the rule; n_verification, verification_right: pairs asked, and answered rightly
        p_honest: probability of being attentive, likely_class: most probable of latent_class.CHARACTERS
        z_likelihood: of the preferences under the scores of all others; below -2.33 improbable
        left_share: of preferences, side_p: of the share being 1/2, adjusted after Holm; tie_share: of votes
        median_ms: response time; weight: 0 to 1, of each vote in the ranking
        decision: "keep", "down-weight", "remove", "cannot judge" (kept: the rule has too little to go by), or
            "set aside" (the table's `use` is false for all votes); reason: why, in a few words
    Numbers that cannot be had are NaN.
    """

    rule: str
    version: int
    title: str
    description: str
    participants: pd.DataFrame = field(repr=False)

    @property
    def weights(self) -> dict[str, float]:
        """Participant to weight, for `fit_bradley_terry(screening.counted(table), weights=screening.weights)`."""
        return dict(zip(self.participants["participant"], self.participants["weight"], strict=True))

    def counted(self, table: pd.DataFrame) -> pd.DataFrame:
        """The rows of the validated table that was screened which count under the rule: those of weight above 0."""
        if SCREENING_RULES[self.rule].everybody and "use" in table:
            table = table.assign(use=True)
        kept = self.participants.loc[self.participants["weight"] > 0, "participant"]
        counted = counted_votes(table)
        return counted[counted["participant"].isin(kept).to_numpy()]


def screen_participants(votes: pd.DataFrame, rule: str) -> Screening:
    """Judge every participant of a vote table by one of SCREENING_RULES.

    votes: as `validate_votes` takes them. The verdict rests on the table alone: test votes whose `use` is not false,
    verification pairs, response times; with several target metrics, each has scores of its own.
    Raises InvalidOption (no such rule), InvalidVotes (nothing to judge), NotConverged, EverybodyRemoved.
    """
    if rule not in SCREENING_RULES:
        near = difflib.get_close_matches(str(rule), SCREENING_RULES, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"expected one of {', '.join(SCREENING_RULES)}"
        raise InvalidOption(f"there is no screening rule {rule!r}; {hint}")
    row = SCREENING_RULES[rule]
    return apply_rule(row, gather_crowd(validate_votes(votes), everybody=row.everybody))


def apply_rule(rule: ScreeningRule, crowd: Crowd) -> Screening:
    """The verdicts of a rule about a crowd that was gathered for it. Raises as `screen_participants` does."""
    if not crowd.voted.any():
        why = "every vote of kind `test` has `use` false" if crowd.set_aside.any() else "no vote is of kind `test`"
        raise InvalidVotes(f"no vote counts, so there is nobody to screen or to rank by: {why}")
    verdicts = iter(rule.judge(crowd))
    verdicts = [next(verdicts) if voted else _set_aside(crowd, k) for k, voted in enumerate(crowd.voted)]
    columns = {name: [getattr(verdict, name) for verdict in verdicts] for name in ("weight", "decision", "reason")}
    table = crowd.evidence.assign(**columns)
    screening = Screening(rule.name, rule.version, rule.title, rule.description, table)
    if not (table["weight"] > 0).any():
        removed = table[table["decision"] == REMOVE]
        commonest = removed["reason"].value_counts().index[0]
        raise EverybodyRemoved(
            f"the screening rule {rule.name!r} leaves nobody: it removes {_all(len(removed))}, most often because of "
            f"“{commonest}”; check the table, or choose another rule",
            screening,
        )
    return screening


def _set_aside(crowd: Crowd, person: int) -> Verdict:
    why = crowd.set_aside_for[person]
    count = crowd.set_aside[person]
    return Verdict(0.0, SET_ASIDE, f"all {count} votes set aside by the table{f': {why}' if why else ''}")


def _all(people: int) -> str:
    return "the only participant" if people == 1 else f"all {people:,} participants"
