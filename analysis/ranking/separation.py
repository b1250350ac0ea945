"""How many votes like these it takes to tell two conditions apart."""

from itertools import pairwise

import numpy as np
import pandas as pd
from scipy.special import nctdtr, stdtrit

from analysis.errors import InvalidOption
from analysis.options import check_choice, check_level
from analysis.ranking.result import BradleyTerryResult

__all__ = ["votes_to_separate"]

_SCOPES = ("neighbours", "all")
# Beyond that many times the present votes no study will go.
_MOST = 1e12


def votes_to_separate(
    result: BradleyTerryResult, *, level: float = 0.95, power: float = 0.8, pairs: str = "neighbours"
) -> pd.DataFrame:
    """Votes needed until a two-sided test of each difference succeeds with probability `power`.

    The true difference is taken to be the present one, and the votes to come to be like those at hand: the same mix of
    pairs, the same votes per participant, people of the same kind. The squared standard error then falls in proportion
    to the votes, and the degrees of freedom of the test grow with them. A present difference is itself uncertain, and
    the larger of many differences is overestimated: read the numbers as orders of magnitude. The test is of one pair,
    not adjusted for others.

    With cluster="source" or "two-way" the conclusion is about new sources, and the sources have to grow like the votes:
    more votes on the same sources leave the part of the error that comes from them.

    pairs: "neighbours" in rank, or "all". power: from 0.5 to below 1.
    Columns: first, second (the higher score first), difference, standard_error, n_votes (at hand), needed (in all,
    infinite where the present difference is 0), more (beyond those at hand, 0 where they are enough), participants and
    sources (how many the needed votes come from).
    Raises InvalidOption.
    """
    check_level(level)
    check_choice("pairs", pairs, _SCOPES)
    if not 0.5 <= power < 1:
        raise InvalidOption(f"power is {power!r}; expected a number from 0.5 to below 1, such as 0.8")
    table = result.compare(None)[["first", "second", "difference", "standard_error"]]
    if pairs == "neighbours":
        order = result.scores.sort_values(ascending=False, kind="stable").index
        following = dict(pairwise(order))
        table = table[table["second"] == table["first"].map(following)].reset_index(drop=True)
    apart = (table["difference"] / table["standard_error"]).to_numpy()
    times = _times_the_votes(apart, result.degrees_of_freedom, level, power)
    needed = np.ceil(times * result.n_votes)
    grows = result.cluster in ("source", "two-way")
    return table.assign(
        n_votes=result.n_votes,
        needed=needed,
        more=np.maximum(needed - result.n_votes, 0),
        participants=np.ceil(times * result.n_participants),
        sources=np.ceil(times * result.n_sources) if grows else float(result.n_sources),
    )


def _times_the_votes(apart: np.ndarray, degrees: float, level: float, power: float) -> np.ndarray:
    """By which factor the votes have to grow (or may shrink), for differences of `apart` standard errors; (m,)."""
    low, high = np.full(len(apart), np.log(1 / _MOST)), np.full(len(apart), np.log(_MOST))
    for _ in range(60):
        middle = (low + high) / 2
        enough = _power(apart, np.exp(middle), degrees, level) >= power
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return np.where(_power(apart, np.exp(high), degrees, level) >= power, np.exp(high), np.inf)


def _power(apart: np.ndarray, times: np.ndarray, degrees: float, level: float) -> np.ndarray:
    """Probability that the test of level 1 - `level` finds the difference on its side, at `times` the votes."""
    clusters = (degrees + 1) * times
    freedom = np.maximum(clusters - 1, 1.0)
    missed = nctdtr(freedom, apart * np.sqrt(times), stdtrit(freedom, (1 + level) / 2))
    # SciPy's noncentral t is no number in places where it is below 1e-250.
    return np.where(clusters >= 2, 1 - np.nan_to_num(missed, nan=0.0), 0.0)
