"""The rules that say whose votes count, and how much; a row of SCREENING_RULES is a rule.

A rule is data with a version: when what it decides changes, its version goes up. A new one is a function in
`screening_judges` and a row here; the command line, the report and the table in docs/screening.md take it from the row.
"""

from collections.abc import Callable
from dataclasses import dataclass

from analysis.participants.crowd import FAST_MS, Crowd
from analysis.participants.likelihood_outliers import Z_LIMIT
from analysis.participants.screening_judges import (
    Verdict,
    judge_as_given,
    judge_everybody,
    judge_lapse,
    judge_likelihood,
    judge_sides,
    judge_speed,
    judge_ties,
    judge_verification,
)

__all__ = ["SCREENING_RULES", "ScreeningRule"]


@dataclass(frozen=True)
class ScreeningRule:
    """A rule: `judge` gives the verdict of each participant of a crowd who has counted votes, in their order.

    everybody: whether votes that the table sets aside (`use` false) count all the same.
    """

    name: str
    version: int
    title: str
    description: str
    judge: Callable[[Crowd], list[Verdict]]
    everybody: bool = False


_ROWS = (
    ScreeningRule(
        "as-given",
        1,
        "As the table says",
        "Every vote counts that the table's column `use` does not set aside.",
        judge_as_given,
    ),
    ScreeningRule(
        "everybody",
        1,
        "Everybody",
        "Every test vote counts, those too that the table sets aside.",
        judge_everybody,
        everybody=True,
    ),
    ScreeningRule(
        "verification",
        1,
        "Verification pairs",
        "Participants with a wrong answer in a verification pair are removed.",
        judge_verification,
    ),
    ScreeningRule(
        "likelihood",
        1,
        "Improbable preferences",
        "Participants whose preferences the model of the others finds improbable (z of the log-likelihood below "
        f"{Z_LIMIT}) are removed.",
        judge_likelihood,
    ),
    ScreeningRule(
        "sides",
        1,
        "One side",
        "Participants are removed who chose one side in more than 3 of 4 preferences and more often than chance allows "
        "(binomial test, Holm's adjustment over participants, 0.05).",
        judge_sides,
    ),
    ScreeningRule(
        "speed",
        1,
        "Too fast",
        f"Participants are removed who gave at least half of their answers within {FAST_MS} ms, or whose median time "
        "is far below the crowd's (robust z of its logarithm below -3.5, and less than half).",
        judge_speed,
    ),
    ScreeningRule(
        "ties",
        1,
        "Nothing but ties",
        "Participants are removed whose share of ties is more than nine tenths of the way from the others' share to 1, "
        "and more than chance allows (binomial test, Holm's adjustment over participants, 0.05).",
        judge_ties,
    ),
    ScreeningRule(
        "lapse",
        1,
        "Weights by attention (recommended)",
        "Every participant's votes count as much as the participant is probably attentive, by their votes and "
        "verification answers together (latent classes).",
        judge_lapse,
    ),
)
SCREENING_RULES = {rule.name: rule for rule in _ROWS}
