"""How well the votes determine the ranks: simultaneous confidence intervals."""

import numpy as np
import pandas as pd

from analysis.options import check_level
from analysis.ranking.result import BradleyTerryResult

__all__ = ["rank_intervals"]


def rank_intervals(result: BradleyTerryResult, *, level: float = 0.95) -> pd.DataFrame:
    """Intervals that hold the true ranks of all conditions at once with probability `level`.

    Columns rank (of the estimate), low, high; index condition, by falling score. A condition's rank lies between
    1 + the number of conditions told apart as better and n - the number told apart as worse, in two-sided comparisons
    of all pairs with p adjusted by Holm's method: Mogstad, Romano, Shaikh & Wilhelm (2024), Review of Economic Studies
    91, 476-518; Al Mohamad, Goeman & van Zwet (2022), Biometrics 78, 238-247. Conditions of equal worth share all the
    ranks that they take up together.
    Differs: Holm's method on the p-values of pairs instead of resampled critical values; the side of each difference
    is read off the estimate (Shaffer 1980, Annals of Statistics 8, 1342-1347).
    Raises InvalidOption.
    """
    check_level(level)
    order = result.scores.sort_values(ascending=False, kind="stable").index
    pairs = result.compare("holm")
    apart = pairs[pairs["p_adjusted"] < 1 - level]
    n = len(order)
    # The first of a pair is the one with the higher score.
    better = apart["second"].value_counts().reindex(order, fill_value=0).to_numpy()
    worse = apart["first"].value_counts().reindex(order, fill_value=0).to_numpy()
    return pd.DataFrame({"rank": np.arange(1, n + 1), "low": 1 + better, "high": n - worse}, index=order)
