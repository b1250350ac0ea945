"""Does each participant agree with themselves? Circular triads: a over b, b over c, and c over a."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import chi2, norm

from analysis.errors import NotAssessable
from analysis.participants.judgements import LOW, Judgements
from analysis.ranking.counts import TIE

__all__ = ["CircularTriads", "circular_triads", "most_circular"]


@dataclass(frozen=True, eq=False)
class CircularTriads:
    """Circular ones among the closed triads: three conditions of which one participant decided all pairs on a source.

    circular, closed: numbers. share: circular / closed; 0.25 if everybody guessed. expected: number if everybody
    guessed. p: of so few or fewer by guessing. zeta: coefficient of consistence, 1 - circular / the most possible, over
    the `complete` tournaments (all pairs of at least three conditions decided); None without one.
    participants: one row each, by participant: participant, closed, circular, expected, zeta (NaN without a complete
    tournament), p; only people with closed triads.
    """

    closed: int
    circular: int
    share: float
    expected: float
    p: float
    zeta: float | None
    complete: int
    participants: pd.DataFrame


def circular_triads(first: Judgements) -> CircularTriads:
    """Count them in the first answers of each participant (`Judgements.first`); ties close no triad.

    Kendall & Babington Smith (1940), Biometrika 31, 324-345. Differs: their chi-square is for complete tournaments;
    here it has the first three moments of guesses on any T closed triads, T / 4, 3 T / 16 and 3 T / 32 - 3 Q / 8, where
    Q counts the sets of four conditions of which all pairs were decided. (Triads share a pair at most, and only three
    of one such set depend on each other.) For complete tournaments this is their test.
    Raises NotAssessable without closed triads.
    """
    decided = first.where(first.answer != TIE)
    tournament = np.unique(
        decided.participant * (decided.block.max(initial=0) + 1) + decided.block, return_inverse=True
    )[1]
    pairs = pd.DataFrame(
        {"tournament": tournament, "low": decided.low, "high": decided.high, "low_won": decided.answer == LOW}
    )
    chains = pairs.merge(
        pairs, left_on=["tournament", "high"], right_on=["tournament", "low"], suffixes=("_one", "_two")
    )
    triads = chains.merge(pairs, left_on=["tournament", "low_one", "high_two"], right_on=["tournament", "low", "high"])
    if len(triads) == 0:
        raise NotAssessable("nobody decided all three pairs of three conditions on one source, so no triad is closed")
    # Around the circle in one direction or the other: low over middle over high over low.
    circle = (triads["low_won_one"] == triads["low_won_two"]) & (triads["low_won_one"] != triads["low_won"])
    person = pd.Series(decided.participant).groupby(tournament).first()
    table = pd.DataFrame(
        {"closed": triads.groupby("tournament").size(), "circular": circle.groupby(triads["tournament"]).sum()}
    )
    table["fours"] = _closed_fours(triads, pairs).reindex(table.index, fill_value=0)
    met = pd.concat([pairs[["tournament", side]].set_axis(["tournament", "met"], axis=1) for side in ("low", "high")])
    conditions = met.drop_duplicates().groupby("tournament").size().loc[table.index]
    complete = (pairs.groupby("tournament").size().loc[table.index] == conditions * (conditions - 1) // 2).to_numpy()
    table["most"] = np.where(complete, most_circular(conditions.to_numpy()), 0)
    table["in_complete"] = np.where(complete, table["circular"], 0)
    total = table.sum()
    each = table.groupby(person.loc[table.index].to_numpy()).sum()
    return CircularTriads(
        closed=int(total["closed"]),
        circular=int(total["circular"]),
        share=float(total["circular"] / total["closed"]),
        expected=float(total["closed"] / 4),
        p=float(_p(total.to_frame().T)[0]),
        zeta=float(1 - total["in_complete"] / total["most"]) if total["most"] > 0 else None,
        complete=int(complete.sum()),
        participants=pd.DataFrame(
            {
                "participant": [first.participants[code] for code in each.index],
                "closed": each["closed"].to_numpy(),
                "circular": each["circular"].to_numpy(),
                "expected": each["closed"].to_numpy() / 4,
                "zeta": (1 - each["in_complete"] / each["most"].where(each["most"] > 0)).to_numpy(dtype=float),
                "p": _p(each),
            }
        ),
    )


def most_circular(conditions: np.ndarray) -> np.ndarray:
    """Most circular triads of a complete tournament: (n^3 - n) / 24 for odd n, (n^3 - 4 n) / 24 for even n."""
    return conditions * (conditions**2 - np.where(conditions % 2, 1, 4)) // 24


def _closed_fours(triads: pd.DataFrame, pairs: pd.DataFrame) -> pd.Series:
    """By tournament, the sets of four conditions of which all six pairs were decided."""
    fours = triads[["tournament", "low_one", "high_one", "high_two"]].merge(
        pairs[["tournament", "low", "high"]], left_on=["tournament", "high_two"], right_on=["tournament", "low"]
    )
    for other in ("low_one", "high_one"):
        fours = fours.drop(columns="low").merge(
            pairs[["tournament", "low", "high"]],
            left_on=["tournament", other, "high"],
            right_on=["tournament", "low", "high"],
        )
    return fours.groupby("tournament").size()


def _p(counts: pd.DataFrame) -> np.ndarray:
    """P(as few circular triads or fewer) where people guess, from columns circular, closed and fours."""
    circular, closed, fours = (counts[name].to_numpy(dtype=float) for name in ("circular", "closed", "fours"))
    variance, third = 3 * closed / 16, 3 * closed / 32 - 3 * fours / 8
    above = circular + 0.5 - closed / 4
    skewed = third != 0
    slope = np.divide(4 * variance, third, out=np.zeros_like(third), where=skewed)
    degrees = np.divide(8 * variance**3, third**2, out=np.ones_like(third), where=skewed)
    statistic = slope * above + degrees
    lower = np.where(third > 0, chi2.cdf(statistic, degrees), chi2.sf(statistic, degrees))
    return np.where(skewed, lower, norm.cdf(above / np.sqrt(variance)))
