"""Whether the votes determine finite scores, and if not, which conditions are to blame.

Without modelled ties and left bias the comparison graph must be strongly connected (Ford 1957, American Mathematical
Monthly 64, 28-33). With them no direction may keep or raise the probability of every observed answer (recession
direction), which a linear programme decides.
"""

from typing import NoReturn

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array, vstack
from scipy.sparse.csgraph import connected_components

from analysis.errors import CovarianceUnavailable, DisconnectedConditions, SeparatedConditions
from analysis.ranking.counts import PairCounts
from analysis.ranking.families import TIED_FAMILIES

__all__ = ["require_finite_scores"]


def require_finite_scores(
    pairs: PairCounts, conditions: tuple[str, ...], *, family: str = "bradley-terry", ridge: float = 0.0
) -> tuple[str, ...]:
    """Raise DisconnectedConditions or SeparatedConditions unless a finite maximum exists and is unique.

    pairs: as the likelihood takes them (at least one tie where the family models ties). With a ridge separated
    conditions have finite scores: they are returned instead, () where there are none.
    """
    if not pairs.ordered and _everybody_beat_everybody(pairs):
        return ()
    beaten = _beaten(pairs)
    strong = _all_reach_all(beaten)
    if strong and not pairs.ordered:
        return ()
    _require_one_graph(pairs, conditions)
    if pairs.ordered:
        _require_left_bias(pairs)
        if strong and _both_answers_both_ways(pairs):
            return ()
    if ridge > 0:
        # The ridge holds the scores; what it does not hold must not run away by itself.
        if pairs.ordered or family in TIED_FAMILIES:
            _require_no_recession(pairs, family, conditions, held=True)
        try:
            _require_finite(pairs, beaten, family, conditions)
        except SeparatedConditions as separated:
            return separated.conditions
        return ()
    _require_finite(pairs, beaten, family, conditions)
    return ()


def _require_finite(pairs: PairCounts, beaten: np.ndarray, family: str, conditions: tuple[str, ...]) -> None:
    if pairs.ordered or family in TIED_FAMILIES:
        _require_no_recession(pairs, family, conditions)
    else:
        _blame_weak_connection(beaten, conditions)


def _everybody_beat_everybody(pairs: PairCounts) -> bool:
    """The common case, settled in a fraction of the time that a search takes."""
    n = pairs.n_conditions
    return len(pairs.first) == n * (n - 1) // 2 and bool(min(pairs.for_first.min(), pairs.for_second.min()) > 0)


def _beaten(pairs: PairCounts) -> np.ndarray:
    """(n, n): whether the row was preferred over the column at least once."""
    n = pairs.n_conditions
    beaten = np.zeros((n, n), dtype=bool)
    flat = beaten.ravel()
    flat[pairs.first * n + pairs.second] = pairs.for_first > 0
    # A pair shown both ways round is there twice, so that no win may be wiped out.
    flat[pairs.second * n + pairs.first] |= pairs.for_second > 0
    return beaten


def _all_reach_all(graph: np.ndarray) -> bool:
    """Whether a boolean (n, n) graph is strongly connected: the first node reaches all others and they reach it."""
    return _reaches_all(graph) and _reaches_all(graph.T)


def _reaches_all(graph: np.ndarray) -> bool:
    seen = np.zeros(len(graph), dtype=bool)
    seen[0] = True
    fresh = np.zeros(1, dtype=int)
    while len(fresh):
        found = graph[fresh].any(axis=0) & ~seen
        seen |= found
        fresh = np.flatnonzero(found)
    return bool(seen.all())


def _require_one_graph(pairs: PairCounts, conditions: tuple[str, ...]) -> None:
    n = len(conditions)
    shown = csr_array((np.ones(len(pairs.first), dtype=np.int8), (pairs.first, pairs.second)), shape=(n, n))
    count, group = connected_components(shown, directed=False)
    if count > 1:
        unseen = _members(
            np.bincount(pairs.first, minlength=n) + np.bincount(pairs.second, minlength=n) == 0, conditions
        )
        if unseen:
            raise DisconnectedConditions(
                f"no counted vote compares {_listed(unseen)} with anything; collect votes on pairs with "
                "them, or leave them out",
                tuple((condition,) for condition in unseen),
            )
        groups = tuple(_members(group == k, conditions) for k in range(count))
        parts = "; ".join(_listed(members) for members in groups)
        raise DisconnectedConditions(
            f"no votes compare these groups of conditions with each other, so they share no scale: {parts}; "
            "collect votes on pairs between the groups, or rank each group alone",
            groups,
        )


def _require_left_bias(pairs: PairCounts) -> None:
    """The left bias is an offset of every pair; scores that make the same offset would do as well."""
    n, first, second = pairs.n_conditions, pairs.first, pairs.second
    if np.isin(first * n + second, second * n + first).any():
        return
    # The scores nearest to an offset of 1 for every pair, from the normal equations.
    laplacian = np.diag((np.bincount(first, minlength=n) + np.bincount(second, minlength=n)).astype(float))
    laplacian[first, second] = laplacian[second, first] = -1
    offset = np.linalg.lstsq(laplacian, np.bincount(first, minlength=n) - np.bincount(second, minlength=n))[0]
    if np.abs(offset[first] - offset[second] - 1).max() < 1e-7:
        raise CovarianceUnavailable(
            "every pair was shown with the same conditions on the left, so a bias to the left cannot be told from the "
            "scores; show pairs both ways round, or fit without position"
        )


def _both_answers_both_ways(pairs: PairCounts) -> bool:
    """Some pair got both answers in both orders: then a bias can run away no more than the scores."""
    n = pairs.n_conditions
    both = (pairs.for_first > 0) & (pairs.for_second > 0)
    one, other = pairs.first[both], pairs.second[both]
    return bool(np.isin(one * n + other, other * n + one).any())


def _blame_weak_connection(beaten: np.ndarray, conditions: tuple[str, ...], *, ties: bool = False) -> NoReturn:
    """Name who never lost, or never won; ties: whether a tie too would have joined them to the others."""
    lost, won = ("lost to or tied with", "won against or tied with") if ties else ("lost to", "won against")
    count, group = connected_components(beaten, connection="strong")
    outside = group[:, None] != group[None, :]
    lost_outside = (beaten & outside).any(axis=0)
    won_outside = (beaten & outside).any(axis=1)
    said, named = [], []
    sizes = np.bincount(group)
    # Of two groups one is said: that the one never lost is that the other never won.
    blamed = [int(sizes.argmin())] if count == 2 and sizes[0] != sizes[1] else range(count)
    for k in blamed:
        inside = group == k
        members = _members(inside, conditions)
        one = len(members) == 1
        who = members[0] if one else "the group " + _listed(members)
        rest = "another condition" if one else "a condition outside it"
        if not lost_outside[inside].any():
            said.append(f"{who} never {lost} {rest}")
        elif not won_outside[inside].any():
            said.append(f"{who} never {won} {rest}")
        else:
            continue
        named.extend(members)
    raise SeparatedConditions(
        f"{' and '.join(said)}, so no finite scores fit these votes; "
        "collect more votes on those pairs, or leave those conditions out",
        tuple(named),
    )


def _require_no_recession(pairs: PairCounts, family: str, conditions: tuple[str, ...], *, held: bool = False) -> None:
    """Each row is a gain that an observed answer must not lose: (scores, t, left bias) along the direction.

    held: with the scores held in place.
    """
    n, shown = len(conditions), len(pairs.first)
    ones, rows = np.ones(shown), np.arange(shown)
    columns = np.concatenate([pairs.first, pairs.second, np.full(shown, n + 1)])
    signed = np.concatenate([ones, -ones, ones * pairs.ordered])
    gap = csr_array((signed, (np.tile(rows, 3), columns)), shape=(shown, n + 2))
    tie = csr_array((ones, (rows, np.full(shown, n))), shape=(shown, n + 2))
    won, lost, tied = (count > 0 for count in (pairs.for_first, pairs.for_second, pairs.tied))
    if family == "davidson":
        alone = (gap, gap / 2 - tie), (-gap, -gap / 2 - tie), (tie - gap / 2, tie + gap / 2)
    elif family == "rao-kupper":
        alone = (gap - tie,), (-gap - tie,), (tie - gap, tie + gap, tie)
    else:
        alone = (gap,), (-gap,), (gap, -gap)
    gains = vstack([part[seen] for parts, seen in zip(alone, (won, lost, tied), strict=True) for part in parts])
    # Scores may run to -1..1 along the direction; each observed answer may only gain on its alternatives.
    answer = linprog(
        -gains.sum(axis=0),
        A_ub=-gains,
        b_ub=np.zeros(gains.shape[0]),
        bounds=[(0, 0) if held else (-1, 1)] * n + [(-1, 1)] * 2,
        method="highs",
    )
    if -answer.fun < 1e-7:
        return
    direction = answer.x[:n]
    top = _members(direction > direction.max() - 1e-7, conditions)
    joined = _beaten(pairs.halved())
    if not held and not _all_reach_all(joined):
        # No other model of ties would help.
        _blame_weak_connection(joined, conditions, ties=bool(pairs.tied.any()))
    remedy = ", or count ties as half wins with ties='half'" if family in TIED_FAMILIES else ""
    if not won.any() and not lost.any():
        raise SeparatedConditions(
            "every vote is a tie, so nothing tells the conditions apart and no finite tie parameter fits; collect more "
            "votes, or ask without ties",
            conditions,
        )
    if np.ptp(direction) < 1e-7:
        raise SeparatedConditions(
            "the same side, or a tie, was chosen in every vote, so no finite left bias or tie parameter fits these "
            f"votes; collect more votes, or fit without position{remedy}",
            top,
        )
    raise SeparatedConditions(
        f"the answers fit ever better as scores run away from each other ({_listed(top)} upwards), so this model has "
        f"no finite scores for these votes; collect more votes{remedy}",
        top,
    )


def _members(mask: np.ndarray, conditions: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(condition for condition, inside in zip(conditions, mask, strict=True) if inside)


def _listed(members: tuple[str, ...]) -> str:
    return "(" + ", ".join(members) + ")"
