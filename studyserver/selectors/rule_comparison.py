"""What two versions of a study's rule of use drop."""

from collections import Counter
from dataclasses import dataclass

from studyserver.dashboard.numbers import kind_of_reason
from studyserver.models import Participant, Rule, Study, Trial, Vote
from studyserver.selectors.votes import vote_reasons

__all__ = ["RuleComparison", "rule_compare"]


@dataclass(frozen=True)
class RuleComparison:
    """Votes on test pairs under two versions of a rule: `reasons` has (kind of reason, dropped by the first, by the
    second); `gained` count under the second only, `lost` under the first only.
    """

    votes: int
    counted: tuple[int, int]
    reasons: tuple[tuple[str, int, int], ...]
    gained: int
    lost: int


def rule_compare(study: Study, first: Rule, second: Rule) -> RuleComparison:
    """Return what two versions of the rule of use make of the votes on a study's test pairs, without previews.

    Whether a place went to somebody else meanwhile plays no part.
    """
    tests = set(
        Vote.objects.filter(trial__pair__study=study, trial__kind=Trial.Kind.TEST)
        .exclude(trial__origin=Participant.Origin.PREVIEW)
        .values_list("pk", flat=True)
    )
    before, after = (vote_reasons(study, surplus=False, rule=rule) for rule in (first, second))
    # While they are read, votes may come, and go with somebody who withdraws.
    tests &= before.keys() & after.keys()
    before, after = ({key: reasons[key] for key in tests} for reasons in (before, after))
    kinds = [Counter(kind_of_reason(reason) for reason in reasons.values() if reason) for reasons in (before, after)]
    names = sorted(kinds[0] | kinds[1], key=lambda name: (-max(kinds[0][name], kinds[1][name]), name))
    return RuleComparison(
        votes=len(tests),
        counted=(len(tests) - kinds[0].total(), len(tests) - kinds[1].total()),
        reasons=tuple((name, kinds[0][name], kinds[1][name]) for name in names),
        gained=sum(bool(before[key]) and not after[key] for key in tests),
        lost=sum(bool(after[key]) and not before[key] for key in tests),
    )
