"""Whether the votes determine finite scores, and if not, which conditions are to blame.

Bradley-Terry: the comparison graph must be strongly connected (Ford 1957, American Mathematical Monthly 64, 28-33).
Davidson: no direction may keep or raise the probability of every observed answer (recession direction), which a
linear programme decides.
"""

from typing import NoReturn

import numpy as np
from scipy.optimize import linprog
from scipy.sparse.csgraph import connected_components

from analysis.errors import DisconnectedConditions, SeparatedConditions

__all__ = ["require_finite_scores"]


def require_finite_scores(wins: np.ndarray, ties: np.ndarray | None, conditions: tuple[str, ...]) -> None:
    """Raise DisconnectedConditions or SeparatedConditions unless a finite maximum exists and is unique.

    wins: (n, n) votes for the row over the column (half votes for ties where they count so).
    ties: (n, n) symmetric, where they are modelled (Davidson; then at least one is positive), else None.
    """
    beaten = wins > 0
    if ties is None and connected_components(beaten, connection="strong")[0] == 1:
        return
    met = beaten if ties is None else beaten | (ties > 0)
    count, group = connected_components(met, directed=False)
    if count > 1:
        groups = tuple(_members(group == k, conditions) for k in range(count))
        parts = "; ".join(_listed(members) for members in groups)
        raise DisconnectedConditions(
            f"no votes compare these groups of conditions with each other, so they share no scale: {parts}; "
            "collect votes on pairs between the groups, or rank each group alone",
            groups,
        )
    if ties is None:
        _blame_weak_connection(beaten, conditions)
    else:
        _require_no_recession(beaten, ties > 0, conditions)


def _blame_weak_connection(beaten: np.ndarray, conditions: tuple[str, ...]) -> NoReturn:
    count, group = connected_components(beaten, connection="strong")
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


def _require_no_recession(beaten: np.ndarray, tied: np.ndarray, conditions: tuple[str, ...]) -> None:
    n = len(conditions)
    rows = []
    for i in range(n):
        for j in range(n):
            win, lose, tie = np.zeros((3, n + 1))
            win[i], win[j], lose[i], lose[j], tie[n] = 0.5, -0.5, -0.5, 0.5, 1
            if beaten[i, j]:
                rows += [win - lose, win - tie]
            if i < j and tied[i, j]:
                rows += [tie - win, tie - lose]
    rows = np.array(rows)
    # Scores may run to -1..1 along the direction; each observed answer may only gain on its alternatives.
    answer = linprog(
        -rows.sum(axis=0), A_ub=-rows, b_ub=np.zeros(len(rows)), bounds=[(-1, 1)] * (n + 1), method="highs"
    )
    if -answer.fun < 1e-7:
        return
    direction = answer.x[:n]
    top = _members(direction > direction.max() - 1e-7, conditions)
    raise SeparatedConditions(
        f"wins and ties fit ever better as scores run away from each other ({_listed(top)} upwards), so Davidson's "
        "model has no finite scores for these votes; collect more votes, or count ties as half wins with ties='half'",
        top,
    )


def _members(mask: np.ndarray, conditions: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(condition for condition, inside in zip(conditions, mask, strict=True) if inside)


def _listed(members: tuple[str, ...]) -> str:
    return "(" + ", ".join(members) + ")"
