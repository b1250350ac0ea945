"""The votes of a study: which count, and the table of all."""

from collections.abc import Iterable
from fractions import Fraction

from studyserver.models import Condition, Exclusion, Pair, Rule, Session, Stimulus, Study, Trial, Vote
from studyserver.rules import UseRule
from studyserver.selectors.rules import rule_in_force, rule_of, rule_version
from studyserver.selectors.studies import study_by_slug
from studyserver.verdicts import Answer, judge_session, judge_vote
from studyserver.vote_columns import vote_frame

__all__ = ["vote_reasons", "vote_table"]

SURPLUS = "surplus: the place had gone to somebody else"
_LATE = (Trial.State.EXPIRED,)
_OUT_OF_QUOTA = (*_LATE, Trial.State.SURPLUS)


def vote_reasons(
    study: Study,
    sessions: Iterable[Session] | None = None,
    *,
    surplus: bool = True,
    rule: Rule | UseRule | None = None,
) -> dict[int, str]:
    """Return for each vote (by its key) of a study, or of these sessions, why it does not count; empty where it does.

    Exclusions come first, then the rule of use (that in force, or `rule`), then surplus. Without `surplus` a vote
    whose place went to somebody else is not dropped for that. Under a rule that is not in force, surplus are late
    votes only: what the rule in force dropped, and whose place it gave away for that, counted under the other.
    """
    in_force = rule_in_force(study, Rule.Purpose.USE)
    rule = in_force if rule is None else rule
    present = isinstance(rule, Rule) and rule.version == in_force.version
    out_of_quota = _OUT_OF_QUOTA if present else _LATE
    rule = rule_of(rule) if isinstance(rule, Rule) else rule
    surplus = surplus and not rule.use_surplus
    excluded = {
        participant: f"excluded: {reason}"
        for participant, reason in Exclusion.objects.filter(participant__study=study, lifted_at=None).values_list(
            "participant", "reason"
        )
    }
    reasons = {}
    for session, votes in _answers(study, sessions).items():
        participant, state = session
        whole = excluded.get(participant) or judge_session(state, [answer for _, _, answer in votes], rule)
        for key, trial_state, answer in votes:
            reason = whole or judge_vote(answer, rule)
            reasons[key] = reason or (SURPLUS if surplus and trial_state in out_of_quota else "")
    return reasons


def _answers(study: Study, sessions: Iterable[Session] | None) -> dict[tuple, list[tuple[int, str, Answer]]]:
    """Return by participant and state of the session: key of the vote, state of its trial, and the answer."""
    impaired = set(
        Stimulus.objects.filter(source__study=study, condition__kind=Condition.Kind.VERIFICATION).values_list(
            "pk", flat=True
        )
    )
    seconds = {
        source: float(frames / Fraction(fps))
        for source, frames, fps in study.sources.values_list("pk", "frames", "fps")
    }
    votes = Vote.objects.filter(trial__pair__study=study)
    if sessions is not None:
        votes = votes.filter(trial__session__in=sessions)
    grouped: dict[tuple, list] = {}
    for row in votes.order_by("id").values_list(
        "pk",
        "trial__participant",
        "trial__session__state",
        "trial__state",
        "trial__kind",
        "choice",
        "response_ms",
        "presentation",
        "playback",
        "trial__mirrored",
        "trial__pair__kind",
        "trial__pair__first",
        "trial__pair__source",
    ):
        key, participant, state, trial_state, kind, choice, response_ms, presentation, playback, *pair = row
        mirrored, pair_kind, first, source = pair
        expected = None
        if pair_kind == Pair.Kind.VERIFICATION:
            expected = "right" if (first in impaired) != mirrored else "left"
        answer = Answer(kind, choice, expected, response_ms, presentation, playback, seconds[source])
        grouped.setdefault((participant, state), []).append((key, trial_state, answer))
    return grouped


def vote_table(slug: str, use_rule: int | None = None):
    """Return the vote table of a study as a pandas.DataFrame; columns are those of `vote_columns.COLUMNS`.

    Previews are left out. Rows that must not count carry `use` False and a reason; `use_rule` is the version of
    the rule that says which, that in force if None. Raises UnknownStudy and InvalidRule.
    """
    study = study_by_slug(slug)
    rule = (
        rule_in_force(study, Rule.Purpose.USE) if use_rule is None else rule_version(study, Rule.Purpose.USE, use_rule)
    )
    return vote_frame(study, vote_reasons(study, rule=rule), rule)
