"""How intervals narrow as votes come in: measured on parts of the votes, and what more votes would give."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.stats import t as student_t

from analysis.errors import AnalysisError, InvalidOption
from analysis.options import check_level, check_seed
from analysis.ranking.counts import code_votes
from analysis.ranking.fit import fit_bradley_terry
from analysis.ranking.result import BradleyTerryResult
from analysis.votes import counted_votes, validate_votes

__all__ = ["WidthCurve", "width_against_votes"]

ORDERS = ("presented_at", "random")
# Half of the logit distance between 60 : 40 and 40 : 60: an interval this narrow tells 60 : 40 from 50 : 50.
_TELLS_60_FROM_50 = float(np.log(0.6 / 0.4))
_PARTS = 9
_SMALLEST_PART = 1 / 16


@dataclass(frozen=True, eq=False)
class WidthCurve:
    """Half-widths, in logits, of the intervals of differences between two conditions.

    order: "presented_at" (the first votes in time) or "random" (votes of random participants). points: measured, by
    rising number of votes: votes, participants, half_width (median over all pairs of conditions), widest. n_votes,
    half_width: of all votes. target: the half-width aimed at; needed: votes for it where widths shrink with the square
    root of the votes, as long as new votes come from new participants.
    """

    order: str
    level: float
    cluster: str | None
    points: pd.DataFrame = field(repr=False)
    n_votes: int
    n_participants: int
    half_width: float
    target: float
    needed: int

    def expected(self, votes: np.ndarray) -> np.ndarray:
        """Half-width at so many votes, by the square root from that of all votes."""
        return self.half_width * np.sqrt(self.n_votes / np.asarray(votes, dtype=float))


def width_against_votes(
    votes: pd.DataFrame,
    *,
    target: float | None = None,
    level: float = 0.95,
    cluster: str | None = "participant",
    ties: str = "davidson",
    order: str | None = None,
    seed: int = 0,
) -> WidthCurve:
    """Measure half-widths on growing parts of the votes.

    target: in logits; without it ln 1.5, at which 60 : 40 is told from 50 : 50. order: "presented_at" or "random";
    None takes the first where every vote has its time. seed: of the random order of participants. cluster, ties: as
    `fit_bradley_terry` takes them. Parts on which scores or intervals do not exist are left out.
    Raises InvalidOption, and what `fit_bradley_terry` raises on all votes.
    """
    check_level(level)
    check_seed(seed)
    target = _TELLS_60_FROM_50 if target is None else target
    if not 0 < target < np.inf:
        raise InvalidOption(f"target is {target!r}; expected a half-width in logits above 0")
    table = counted_votes(validate_votes(votes))
    timed = "presented_at" in table and bool(table["presented_at"].notna().all())
    order = order or ("presented_at" if timed else "random")
    if order not in ORDERS or (order == "presented_at" and not timed):
        raise InvalidOption(
            f"order is {order!r}; expected 'random', or 'presented_at' where every vote has the time in that column"
        )
    whole = fit_bradley_terry(table, ties=ties, cluster=cluster)
    arrival, ends = _arrivals(table, order, seed)
    rows = []
    for end in ends[:-1]:
        part = table.iloc[arrival[:end]]
        try:
            result = fit_bradley_terry(code_votes(part), ties=ties, cluster=cluster)
        except AnalysisError:
            continue
        if len(result.conditions) == len(whole.conditions):
            rows.append(_point(result, level))
    rows.append(_point(whole, level))
    points = pd.DataFrame(rows, columns=["votes", "participants", "half_width", "widest"])
    half_width = float(points["half_width"].iloc[-1])
    return WidthCurve(
        order=order,
        level=level,
        cluster=cluster,
        points=points,
        n_votes=whole.n_votes,
        n_participants=whole.n_participants,
        half_width=half_width,
        target=float(target),
        needed=int(np.ceil(whole.n_votes * (half_width / target) ** 2)),
    )


def _arrivals(table: pd.DataFrame, order: str, seed: int) -> tuple[np.ndarray, list[int]]:
    """Rows in the order of their arrival, and how many the parts hold."""
    shares = np.geomspace(_SMALLEST_PART, 1, _PARTS)
    if order == "presented_at":
        arrival = np.argsort(table["presented_at"].to_numpy(), kind="stable")
        ends = np.unique(np.rint(shares * len(table)).astype(int))
        return arrival, [int(end) for end in ends if end]
    people = table["participant"].cat.codes.to_numpy()
    # By label and not by row: the order of the rows changes nothing.
    present = np.unique(people)
    turn = np.empty(present.max() + 1, dtype=int)
    turn[np.random.default_rng(seed).permutation(present)] = np.arange(len(present))
    arrival = np.argsort(turn[people], kind="stable")
    ends = np.cumsum(np.bincount(turn[people], minlength=len(present)))
    whole = np.unique(np.clip(np.rint(shares * len(present)).astype(int), 2, None))
    return arrival, [int(ends[count - 1]) for count in whole if count <= len(present)]


def _point(result: BradleyTerryResult, level: float) -> tuple[int, int, float, float]:
    errors = result.compare(None, level=level)["standard_error"].to_numpy()
    widths = errors * student_t.ppf((1 + level) / 2, result.degrees_of_freedom)
    return result.n_votes, result.n_participants, float(np.median(widths)), float(widths.max())
