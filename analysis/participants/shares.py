"""A share of answers with an interval that allows for several answers of one participant."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student_t

from analysis.errors import NotAssessable

__all__ = ["Share", "share_of", "share_p"]


@dataclass(frozen=True)
class Share:
    """A share of `of` answers by `participants` people, 0..1, with its interval.

    effective: how many independent answers say as much; `of` where everybody answered once.
    """

    share: float
    low: float
    high: float
    of: int
    participants: int
    effective: float


def share_of(hit: np.ndarray, participant: np.ndarray, *, level: float, of_what: str = "answer") -> Share:
    """Share of True in `hit` (m,), answers of `participant` (m,), with Wilson's (1927) interval.

    Where people answered more than once, the number of answers is divided by the design effect (the clustered variance
    over the binomial one, at least 1) and the quantile is t with P - 1 degrees of freedom (Korn & Graubard 1998, Survey
    Methodology 24, 193-201, for Wilson's interval). With one person, or all answers alike, the design effect is 1.
    of_what: what an answer is, for the reason. Raises NotAssessable without answers.
    """
    count = len(hit)
    if count == 0:
        raise NotAssessable(f"the votes hold no {of_what}")
    share, of_person = float(np.mean(hit)), np.unique(participant, return_inverse=True)[1]
    people = int(of_person.max()) + 1
    effective = float(count)
    if 1 < people < count and 0 < share < 1:
        strayed = np.bincount(of_person, hit - share)
        clustered = float(strayed @ strayed) / count**2 * people / (people - 1)
        effective = count / max(1.0, clustered / (share * (1 - share) / (count - 1)))
    quantile = student_t.ppf((1 + level) / 2, _degrees(people, count))
    centre = share + quantile**2 / (2 * effective)
    margin = quantile * np.sqrt(share * (1 - share) / effective + quantile**2 / (4 * effective**2))
    scale = 1 + quantile**2 / effective
    low, high = (centre - margin) / scale, (centre + margin) / scale
    return Share(share, float(max(low, 0)), float(min(high, 1)), count, people, effective)


def share_p(found: Share, expected: float) -> float:
    """Two-sided p of the share being `expected`: the score test that the interval inverts."""
    error = np.sqrt(expected * (1 - expected) / found.effective)
    return float(2 * student_t.sf(abs(found.share - expected) / error, _degrees(found.participants, found.of)))


def _degrees(people: int, count: int) -> float:
    return people - 1 if 1 < people < count else np.inf
