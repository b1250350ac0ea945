"""How each screening rule judges the participants of a crowd: what their votes weigh, and why, in a few words.

Every function takes a crowd and returns the verdicts of those who have counted votes, in their order.
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import binom

from analysis.errors import NotConverged
from analysis.participants.crowd import FAST_MS, Crowd
from analysis.participants.latent_class import CHARACTERS
from analysis.participants.likelihood_outliers import Z_LIMIT
from analysis.ranking.counts import TIE
from analysis.ranking.result import holm

__all__ = [
    "CANNOT_JUDGE",
    "DOWN_WEIGHT",
    "KEEP",
    "REMOVE",
    "Verdict",
    "judge_as_given",
    "judge_everybody",
    "judge_lapse",
    "judge_likelihood",
    "judge_sides",
    "judge_speed",
    "judge_ties",
    "judge_verification",
]

KEEP, DOWN_WEIGHT, REMOVE, CANNOT_JUDGE = "keep", "down-weight", "remove", "cannot judge"
_SIGNIFICANCE = 0.05
# Largest share of preferences for one side of somebody who looks at the videos.
_MOST_ON_A_SIDE = 0.75
_FEWEST_TIMED = 5
_FEWEST_TO_COMPARE = 10
# Iglewicz & Hoaglin (1993), How to Detect and Handle Outliers: modified z-scores beyond 3.5 are outliers. Where all
# take about as long, that alone would remove people who are hardly faster than others.
_FASTEST_Z = -3.5
_FASTEST_SHARE = 0.5
# Of the way from the others' share of ties to nothing but ties.
_MOST_TIED = 0.9
# A smaller weight is none: the participant would count as one without counting.
_LEAST_WEIGHT = 0.01


@dataclass(frozen=True)
class Verdict:
    """About one participant: what their votes weigh (0 to 1), `decision` in a word, `reason` in a few."""

    weight: float
    decision: str
    reason: str


def judge_as_given(crowd: Crowd) -> list[Verdict]:
    verdicts = []
    for votes, aside in zip(crowd.n_votes[crowd.voted], crowd.set_aside[crowd.voted], strict=True):
        said = f"{aside} of {_of(int(votes) + aside, 'vote')} set aside by the table" if aside else "counted as given"
        verdicts.append(Verdict(1.0, KEEP, said))
    return verdicts


def judge_everybody(crowd: Crowd) -> list[Verdict]:
    return [Verdict(1.0, KEEP, "every test vote counts") for _ in range(crowd.voted.sum())]


def judge_verification(crowd: Crowd) -> list[Verdict]:
    return [_verified(int(asked), int(hit)) for asked, hit in _verification_answers(crowd)]


def _verified(asked: int, hit: int) -> Verdict:
    if asked == 0:
        return Verdict(1.0, CANNOT_JUDGE, "no verification pairs")
    if hit < asked:
        return Verdict(0.0, REMOVE, _wrong(asked, hit))
    return Verdict(1.0, KEEP, _right(asked))


def judge_likelihood(crowd: Crowd) -> list[Verdict]:
    verdicts = []
    for z in crowd.z_likelihood:
        if np.isnan(z):
            verdicts.append(Verdict(1.0, CANNOT_JUDGE, "too few preferences or other participants to judge by"))
        elif z < Z_LIMIT:
            said = f"preferences improbable under the model of the others (z = {z:.1f}, limit {Z_LIMIT})"
            verdicts.append(Verdict(0.0, REMOVE, said))
        else:
            verdicts.append(Verdict(1.0, KEEP, f"preferences fit the model of the others (z = {z:.1f})"))
    return verdicts


def judge_sides(crowd: Crowd) -> list[Verdict]:
    left, right, _ = crowd.answers[crowd.voted].astype(int).T
    verdicts = []
    for chosen, votes, p in zip(left, left + right, crowd.side_p, strict=True):
        if votes == 0:
            verdicts.append(Verdict(1.0, CANNOT_JUDGE, "no preference, only ties"))
            continue
        side, most = ("left", chosen) if 2 * chosen >= votes else ("right", votes - chosen)
        said = f"{side} in {most} of {_of(votes, 'preference')}"
        # Holm's first step: what even a wholly one-sided person could reach.
        if 2.0 ** (1 - votes) * len(left) > _SIGNIFICANCE and p > _SIGNIFICANCE:
            verdicts.append(
                Verdict(1.0, CANNOT_JUDGE, f"{said}: too few to tell among {_of(len(left), 'participant')}")
            )
        elif p <= _SIGNIFICANCE and most > _MOST_ON_A_SIDE * votes:
            verdicts.append(Verdict(0.0, REMOVE, f"{said} (adjusted p {_p(p)})"))
        else:
            verdicts.append(Verdict(1.0, KEEP, said))
    return verdicts


def judge_speed(crowd: Crowd) -> list[Verdict]:
    timed, fast, median = (values[crowd.voted] for values in (crowd.timed, crowd.fast, crowd.median_ms))
    judged = timed >= _FEWEST_TIMED
    usual, z = _robust_z(np.log(np.maximum(median, 1.0)), judged)
    verdicts = []
    for k in range(len(timed)):
        if timed[k] == 0:
            verdicts.append(Verdict(1.0, CANNOT_JUDGE, "no response times"))
            continue
        typical = f"median answer after {median[k]:,.0f} ms"
        if not judged[k]:
            verdicts.append(Verdict(1.0, CANNOT_JUDGE, f"{typical}, of only {_of(timed[k], 'timed answer')}"))
        elif 2 * fast[k] >= timed[k]:
            said = f"{fast[k]} of {timed[k]} answers faster than {FAST_MS} ms, which nobody can be"
            verdicts.append(Verdict(0.0, REMOVE, said))
        elif z[k] < _FASTEST_Z and median[k] < _FASTEST_SHARE * np.exp(usual):
            said = f"{typical}, the crowd's {np.exp(usual):,.0f} ms (robust z = {z[k]:.1f})"
            verdicts.append(Verdict(0.0, REMOVE, said))
        else:
            verdicts.append(Verdict(1.0, KEEP, typical))
    return verdicts


def _robust_z(values: np.ndarray, judged: np.ndarray) -> tuple[float, np.ndarray]:
    """Median of the judged, and each one's distance from it in median absolute deviations, scaled; 0 without spread."""
    if judged.sum() < _FEWEST_TO_COMPARE:
        return np.nan, np.zeros(len(values))
    usual = float(np.median(values[judged]))
    spread = float(np.median(np.abs(values[judged] - usual))) / 0.6745
    return usual, (values - usual) / spread if spread > 0 else np.zeros(len(values))


def judge_ties(crowd: Crowd) -> list[Verdict]:
    ties, votes = crowd.answers[crowd.voted][:, 2].astype(int), crowd.n_votes[crowd.voted].astype(int)
    # One tie and one preference are added, so that a few votes without a tie do not make ties impossible.
    others = (ties.sum() - ties + 1) / (votes.sum() - votes + 2)
    p = holm(binom.sf(ties - 1, votes, others))
    least = binom.sf(votes - 1, votes, others) * len(votes)
    verdicts = []
    for k in range(len(votes)):
        said = f"{_of(ties[k], 'tie')} in {_of(votes[k], 'vote')}, the others' share {100 * others[k]:.0f} %"
        if least[k] > _SIGNIFICANCE and p[k] > _SIGNIFICANCE:
            verdicts.append(
                Verdict(1.0, CANNOT_JUDGE, f"{said}: too few votes to tell among {_of(len(votes), 'participant')}")
            )
        elif p[k] <= _SIGNIFICANCE and ties[k] / votes[k] > others[k] + _MOST_TIED * (1 - others[k]):
            verdicts.append(Verdict(0.0, REMOVE, f"{said} (adjusted p {_p(p[k])})"))
        else:
            verdicts.append(Verdict(1.0, KEEP, said))
    return verdicts


def judge_lapse(crowd: Crowd) -> list[Verdict]:
    classes = crowd.classes
    if not classes.converged:
        raise NotConverged(
            f"telling attentive participants from others did not converge in {classes.steps} steps; "
            "choose another screening rule"
        )
    verdicts = []
    only_ties = crowd.answers[crowd.voted][:, TIE] == crowd.n_votes[crowd.voted]
    evidence = zip(classes.membership, only_ties, _verification_answers(crowd), strict=True)
    for membership, tied, (asked, hit) in evidence:
        weight = float(membership[0])
        said = f"attentive with probability {weight:.2f}"
        if tied:
            # Which of the other characters somebody has who prefers nothing is a guess.
            said += ", no preference, only ties"
        elif (likely := CHARACTERS[int(membership.argmax())]) != CHARACTERS[0]:
            said += f", most likely {_SAID[likely]}"
        said += f"; {_verified(int(asked), int(hit)).reason}"
        if weight < _LEAST_WEIGHT:
            verdicts.append(Verdict(0.0, REMOVE, said))
        else:
            verdicts.append(Verdict(weight, KEEP if weight >= 0.5 else DOWN_WEIGHT, said))
    return verdicts


_SAID = {
    "random": "answers at random",
    "left": "always the left",
    "right": "always the right",
    "lapsing": "a guess in every other pair",
    "reversed": "answers the wrong way round",
}


def _verification_answers(crowd: Crowd) -> np.ndarray:
    """(P, 2) of those who voted: verification pairs, and how many were answered rightly."""
    return np.column_stack([crowd.asked.sum(axis=1), crowd.hit.sum(axis=1)])[crowd.voted]


def _wrong(asked: int, hit: int) -> str:
    return f"{asked - hit} of {_of(asked, 'verification pair')} wrong"


def _right(asked: int) -> str:
    return "the verification pair right" if asked == 1 else f"all {asked} verification pairs right"


def _of(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _p(value: float) -> str:
    return "below 0.001" if value < 0.001 else f"{value:.3f}"
