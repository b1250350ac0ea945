"""How long people take to answer, and whether they take longer where the choice is closer."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import t as student_t

from analysis.errors import NotAssessable
from analysis.ranking.result import BradleyTerryResult, Effect

__all__ = ["ResponseTimes", "response_times"]


@dataclass(frozen=True)
class ResponseTimes:
    """Milliseconds from the end of the clips to the answer: quartiles over votes, and over participants' medians.

    by_distance: change of the natural logarithm of the time per unit of score between the two conditions, within
    participants; negative where clear pairs are answered faster (-0.2: 18 % less time per unit). None without a fit,
    or with fewer than two participants who met pairs of different distance.
    """

    votes: int
    participants: int
    lower_quartile: float
    median: float
    upper_quartile: float
    participants_lower_quartile: float
    participants_median: float
    participants_upper_quartile: float
    by_distance: Effect | None


def response_times(counted: pd.DataFrame, fit: BradleyTerryResult | None) -> ResponseTimes:
    """Of validated, counted votes; those without a time are left out. Raises NotAssessable without any."""
    if "response_ms" not in counted or not counted["response_ms"].notna().any():
        raise NotAssessable("the votes hold no response_ms")
    timed = counted[counted["response_ms"].notna().to_numpy()]
    taken = timed["response_ms"].to_numpy()
    medians = timed.groupby("participant", observed=True)["response_ms"].median().to_numpy()
    return ResponseTimes(
        len(timed),
        len(medians),
        *map(float, np.quantile(taken, [0.25, 0.5, 0.75])),
        *map(float, np.quantile(medians, [0.25, 0.5, 0.75])),
        by_distance=None if fit is None else _by_distance(timed, fit),
    )


def _by_distance(timed: pd.DataFrame, fit: BradleyTerryResult) -> Effect | None:
    """Least squares with a level of its own for each participant; standard error clustered by participant (CR1)."""
    left, right = (fit.scores.reindex(timed[side].astype(str)).to_numpy() for side in ("left", "right"))
    person = timed["participant"].cat.codes.to_numpy()
    person = np.unique(person, return_inverse=True)[1]
    votes = np.bincount(person)

    def within(values: np.ndarray) -> np.ndarray:
        return values - (np.bincount(person, values) / votes)[person]

    distance = within(np.abs(left - right))
    # An answer in the very moment that the clips end has no logarithm.
    log_time = within(np.log(np.maximum(timed["response_ms"].to_numpy(), 1.0)))
    spread = distance @ distance
    informative = np.unique(person[np.abs(distance) > 1e-9])
    if len(informative) < 2:
        return None
    slope = float(distance @ log_time / spread)
    by_person = np.bincount(person, distance * (log_time - slope * distance))
    people = len(informative)
    error = float(np.sqrt(by_person @ by_person * people / (people - 1)) / spread)
    if error == 0:
        return None
    return Effect(slope, error, float(2 * student_t.sf(abs(slope) / error, people - 1)))
