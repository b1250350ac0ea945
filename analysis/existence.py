"""Whether the votes determine finite scores, and if not, which conditions are to blame.

Without modelled ties and left bias the comparison graph must be strongly connected (Ford 1957, American Mathematical
Monthly 64, 28-33). With them no direction may keep or raise the probability of every observed answer (recession
direction), which a linear programme decides.
"""

from typing import NoReturn

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from analysis.counts import PairCounts
from analysis.errors import CovarianceUnavailable, DisconnectedConditions, SeparatedConditions
from analysis.families import TIED_FAMILIES

__all__ = ["require_finite_scores"]


def require_finite_scores(
    pairs: PairCounts, conditions: tuple[str, ...], *, family: str = "bradley-terry", ridge: float = 0.0
) -> tuple[str, ...]:
    """Raise DisconnectedConditions or SeparatedConditions unless a finite maximum exists and is unique.

    pairs: as the likelihood takes them (at least one tie where the family models ties). With a ridge separated
    conditions have finite scores: they are returned instead, () where there are none.
    """
    n = len(conditions)
    won, lost = pairs.for_first > 0, pairs.for_second > 0
    beaten = _graph(
        n,
        np.concatenate([pairs.first[won], pairs.second[lost]]),
        np.concatenate([pairs.second[won], pairs.first[lost]]),
    )
    strong, group = connected_components(beaten, connection="strong")
    if strong == 1 and not pairs.ordered:
        return ()
    _require_one_graph(pairs, conditions)
    if pairs.ordered:
        _require_left_bias(pairs)
        if strong == 1 and _both_answers_both_ways(pairs):
            return ()
    try:
        if not pairs.ordered and family not in TIED_FAMILIES:
            _blame_weak_connection(beaten, group, conditions)
        else:
            _require_no_recession(pairs, family, conditions)
    except SeparatedConditions as separated:
        if ridge > 0:
            return separated.conditions
        raise
    return ()


def _graph(n: int, rows: np.ndarray, columns: np.ndarray) -> csr_array:
    return csr_array((np.ones(len(rows), dtype=np.int8), (rows, columns)), shape=(n, n))


def _require_one_graph(pairs: PairCounts, conditions: tuple[str, ...]) -> None:
    count, group = connected_components(_graph(len(conditions), pairs.first, pairs.second), directed=False)
    if count > 1:
        groups = tuple(_members(group == k, conditions) for k in range(count))
        parts = "; ".join(_listed(members) for members in groups)
        raise DisconnectedConditions(
            f"no votes compare these groups of conditions with each other, so they share no scale: {parts}; "
            "collect votes on pairs between the groups, or rank each group alone",
            groups,
        )


def _require_left_bias(pairs: PairCounts) -> None:
    """The left bias is an offset of every pair; scores that make the same offset would do as well."""
    design = np.zeros((len(pairs.first), pairs.n_conditions))
    rows = np.arange(len(pairs.first))
    design[rows, pairs.first], design[rows, pairs.second] = 1, -1
    offset = np.linalg.lstsq(design, np.ones(len(rows)), rcond=None)[0]
    if np.abs(design @ offset - 1).max() < 1e-7:
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


def _blame_weak_connection(graph: csr_array, group: np.ndarray, conditions: tuple[str, ...]) -> NoReturn:
    beaten, count = graph.toarray() > 0, group.max() + 1
    outside = group[:, None] != group[None, :]
    lost_outside = (beaten & outside).any(axis=0)
    won_outside = (beaten & outside).any(axis=1)
    said, named = [], []
    for k in range(count):
        inside = group == k
        members = _members(inside, conditions)
        one = len(members) == 1
        who = members[0] if one else "the group " + _listed(members)
        rest = "another condition" if one else "a condition outside it"
        if not lost_outside[inside].any():
            said.append(f"{who} never lost to {rest}")
        elif not won_outside[inside].any():
            said.append(f"{who} never won against {rest}")
        else:
            continue
        named.extend(members)
    raise SeparatedConditions(
        f"{' and '.join(said)}, so no finite scores fit these votes; "
        "collect more votes on those pairs, or leave those conditions out",
        tuple(named),
    )


def _require_no_recession(pairs: PairCounts, family: str, conditions: tuple[str, ...]) -> None:
    """Each row is a gain that an observed answer must not lose: (scores, t, left bias) along the direction."""
    n, shown = len(conditions), len(pairs.first)
    gap = np.zeros((shown, n + 2))
    gap[np.arange(shown), pairs.first], gap[np.arange(shown), pairs.second] = 1, -1
    gap[:, n + 1] = pairs.ordered
    tie = np.zeros(n + 2)
    tie[n] = 1
    won, lost, tied = (count > 0 for count in (pairs.for_first, pairs.for_second, pairs.tied))
    if family == "davidson":
        alone = (gap, gap / 2 - tie), (-gap, -gap / 2 - tie), (tie - gap / 2, tie + gap / 2)
    elif family == "rao-kupper":
        alone = (gap - tie,), (-gap - tie,), (tie - gap, tie + gap, np.broadcast_to(tie, gap.shape))
    else:
        alone = (gap,), (-gap,), (gap, -gap)
    rows = np.concatenate(
        [part[seen] for parts, seen in zip(alone, (won, lost, tied), strict=True) for part in parts if seen.any()]
    )
    # Scores may run to -1..1 along the direction; each observed answer may only gain on its alternatives.
    answer = linprog(
        -rows.sum(axis=0), A_ub=-rows, b_ub=np.zeros(len(rows)), bounds=[(-1, 1)] * (n + 2), method="highs"
    )
    if -answer.fun < 1e-7:
        return
    direction = answer.x[:n]
    top = _members(direction > direction.max() - 1e-7, conditions)
    remedy = ", or count ties as half wins with ties='half'" if family in TIED_FAMILIES else ""
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
