"""Does the model describe the votes? Deviance against the saturated model, and the pairs that fit worst."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.sparse import csr_array
from scipy.special import xlogy
from scipy.stats import chi2, norm

from analysis.counts import LEFT, RIGHT, TIE, CodedVotes, PairCounts
from analysis.errors import InvalidOption
from analysis.families import TIED_FAMILIES, answer_slopes, probabilities
from analysis.fit import coded_votes, modelled_pairs
from analysis.likelihood import gaps
from analysis.result import BradleyTerryResult, holm

__all__ = ["GoodnessOfFit", "goodness_of_fit"]

# Below as many expected answers of a kind the chi-square distribution is a rough guide (Cochran 1954).
_FEW = 5


@dataclass(frozen=True, eq=False)
class GoodnessOfFit:
    """How far the votes are from the fitted model.

    deviance: twice the log-likelihood ratio of the saturated model (a share of its own for each answer to each pair
    that was shown; with position modelled, for each side it was shown on) to the fitted one.
    p: of the deviance as chi-square with `degrees_of_freedom`, for independent votes. p_clustered: of deviance /
    design_effect, which allows for the votes of one participant hanging together. Both None without degrees of freedom
    and with a ridge; p_clustered also with one participant.
    design_effect: how much larger the deviance is expected than with independent votes.
    thin_pairs: shown pairs with an answer that is expected less than 5 times, where the p are rough.
    residuals: one row per unordered pair: first, second, votes, expected and observed (share that prefers `first`, ties
    half), residual (their difference in standard errors), p, p_adjusted (Holm over the pairs), the largest residual
    first. Residuals are NaN where the model must fit the pair exactly.
    """

    deviance: float
    degrees_of_freedom: int
    p: float | None
    p_clustered: float | None
    design_effect: float | None
    thin_pairs: int
    residuals: pd.DataFrame


def goodness_of_fit(
    votes: pd.DataFrame | CodedVotes, result: BradleyTerryResult, *, weights: Mapping[str, float] | None = None
) -> GoodnessOfFit:
    """Test the model of `result` on the votes (and weights of participants) that it was fitted to.

    The correction is of first order (Rao & Scott 1984, Annals of Statistics 12, 46-60): the deviance is divided by the
    mean eigenvalue of the design effect, whose trace is the sum over participants of their squared residuals from the
    fit, with P / (P - 1). Residuals are adjusted for the fit (Haberman 1973, Biometrics 29, 205-220) and divided by
    the root of the same design effect.
    Differs: a tie in ties="half" is half an answer to each side, so p is too high there and p_clustered is the one to
    read; scores held by a ridge are no maximum, so there is no p.
    Raises InvalidOption where the result is of other votes, and as `fit_bradley_terry` does for a bad table.
    """
    coded = coded_votes(votes, weights)
    pooled = coded.pooled()
    pairs, family = modelled_pairs(pooled, ties=result.ties, model=result.model, position=result.position is not None)
    parameters = _parameters(result, family)
    _require_same_votes(coded, pairs, family, parameters, result)
    gap, tie = gaps(parameters, pairs), _tie(parameters, pairs, family)
    chances = np.column_stack(probabilities(family, gap, tie))
    kinds = 3 if family in TIED_FAMILIES else 2
    counted = np.column_stack([pairs.for_first, pairs.for_second, pairs.tied])
    expected = counted.sum(axis=1, keepdims=True) * chances
    deviance = max(2 * float(np.sum(xlogy(counted, counted) - xlogy(counted, np.where(expected > 0, expected, 1)))), 0)
    fitted = _fitted_directions(pairs, family, gap, tie, expected)
    degrees = len(gap) * (kinds - 1) - fitted.shape[1]
    effect = _design_effect(coded, pairs, chances, fitted, degrees) if degrees > 0 else None
    tested = degrees > 0 and result.ridge == 0
    return GoodnessOfFit(
        deviance=deviance,
        degrees_of_freedom=degrees,
        p=float(chi2.sf(deviance, degrees)) if tested else None,
        p_clustered=float(chi2.sf(deviance / effect, degrees)) if tested and effect is not None else None,
        design_effect=effect,
        thin_pairs=int((expected[:, :kinds] < _FEW).any(axis=1).sum()),
        residuals=_residuals(coded.conditions, pairs, counted, expected, fitted, effect),
    )


def _parameters(result: BradleyTerryResult, family: str) -> np.ndarray:
    """As `Estimate.parameters`: scores on the likelihood's scale, t, left bias."""
    per_unit = np.log(3) if result.unit == "jod" and result.model == "bradley-terry" else 1.0
    extra = [] if family not in TIED_FAMILIES else [np.log(result.tie_parameter)]
    if result.position is not None:
        extra.append(result.position.value)
    return np.array([*(result.estimates * per_unit), *extra])


def _tie(parameters: np.ndarray, pairs: PairCounts, family: str) -> float | None:
    return parameters[pairs.n_conditions] if family in TIED_FAMILIES else None


def _require_same_votes(
    coded: CodedVotes, pairs: PairCounts, family: str, parameters: np.ndarray, result: BradleyTerryResult
) -> None:
    same = coded.conditions == result.conditions
    if same:
        chances = probabilities(family, gaps(parameters, pairs), _tie(parameters, pairs, family))
        answers = (pairs.for_first, pairs.for_second, pairs.tied)
        found = sum(float(xlogy(answer, chance).sum()) for answer, chance in zip(answers, chances, strict=True))
        same = abs(found - result.log_likelihood) <= 1e-6 * max(abs(found), 1)
    if not same:
        raise InvalidOption("the result was not fitted to these votes; pass the votes and weights that were fitted")


def _fitted_directions(
    pairs: PairCounts, family: str, gap: np.ndarray, tie: float | None, expected: np.ndarray
) -> np.ndarray:
    """Orthonormal columns (3 K, parameters) that the fit takes out of (counted - expected) / sqrt(expected)."""
    by_gap, by_tie = answer_slopes(family, gap, tie)
    if family not in TIED_FAMILIES:
        by_gap = by_gap.copy()
        by_gap[:, TIE] = 0
    shown, n = len(gap), pairs.n_conditions
    design = np.zeros((shown, n))
    design[np.arange(shown), pairs.first], design[np.arange(shown), pairs.second] = 1, -1
    root = np.sqrt(expected)[:, :, None]
    columns = [root * by_gap[:, :, None] * design[:, None, :]]
    if by_tie is not None:
        columns.append(root * by_tie[:, :, None])
    if pairs.ordered:
        columns.append(root * by_gap[:, :, None])
    moved = np.concatenate(columns, axis=2).reshape(3 * shown, -1)
    basis, size, _ = np.linalg.svd(moved, full_matrices=False)
    return basis[:, size > 1e-9 * size[0]]


def _design_effect(
    coded: CodedVotes, pairs: PairCounts, chances: np.ndarray, fitted: np.ndarray, degrees: int
) -> float | None:
    people = coded.n_participants
    if people < 2:
        return None
    answers = csr_array(coded.count_by(coded.participant, people)) @ _answer_of_cell(pairs, coded, chances)
    shown = len(pairs.first)
    votes = answers @ csr_array((np.ones(3 * shown), (np.arange(3 * shown), np.repeat(np.arange(shown), 3))))
    total = np.asarray(votes.sum(axis=0)).ravel()
    spread = csr_array((np.ravel(chances), (np.repeat(np.arange(shown), 3), np.arange(3 * shown))))
    scale = np.sqrt(np.ravel(total[:, None] * chances))
    inverse = np.divide(1, scale, out=np.zeros_like(scale), where=scale > 0)
    # A participant's answers less those expected, scaled as the fitted directions are; then what the fit leaves.
    strayed = (answers - votes @ spread) @ csr_array((inverse, (np.arange(3 * shown),) * 2))
    left = strayed.multiply(strayed).sum() - np.sum((strayed @ fitted) ** 2)
    effect = float(left) / degrees * people / (people - 1)
    return effect if effect > 0 else None


def _answer_of_cell(pairs: PairCounts, coded: CodedVotes, chances: np.ndarray) -> csr_array:
    """Matrix (3 n^2, 3 K): which answer to which shown pair a vote in a cell is; half to each where ties are halved."""
    n, shown = len(coded.conditions), len(pairs.first)
    at = {}
    for k, (first, second) in enumerate(zip(pairs.first, pairs.second, strict=True)):
        at[first, second] = (k, False)
        if not pairs.ordered:
            at[second, first] = (k, True)
    split = chances.shape[1] == 3 and not chances[:, TIE].any()
    rows, columns, parts = [], [], []
    for (left, right), (k, swapped) in at.items():
        cell = 3 * (left * n + right)
        mine, other = 3 * k + (RIGHT if swapped else LEFT), 3 * k + (LEFT if swapped else RIGHT)
        rows += [cell + LEFT, cell + RIGHT]
        columns += [mine, other]
        parts += [1.0, 1.0]
        rows += [cell + TIE] * (2 if split else 1)
        columns += [mine, other] if split else [3 * k + TIE]
        parts += [0.5, 0.5] if split else [1.0]
    return csr_array((parts, (rows, columns)), shape=(3 * n * n, 3 * shown))


def _residuals(
    conditions: tuple[str, ...],
    pairs: PairCounts,
    counted: np.ndarray,
    expected: np.ndarray,
    fitted: np.ndarray,
    effect: float | None,
) -> pd.DataFrame:
    low, high = np.minimum(pairs.first, pairs.second), np.maximum(pairs.first, pairs.second)
    kept, group = np.unique(low * pairs.n_conditions + high, return_inverse=True)
    # What an answer is worth for the one that comes first in the table.
    worth = np.where((pairs.first == low)[:, None], [1.0, 0.0, 0.5], [0.0, 1.0, 0.5])

    def over_pairs(values: np.ndarray) -> np.ndarray:
        return np.bincount(group, values, len(kept))

    votes = over_pairs(counted.sum(axis=1))
    found, wanted = over_pairs((worth * counted).sum(axis=1)), over_pairs((worth * expected).sum(axis=1))
    total = expected.sum(axis=1, keepdims=True)
    centred = worth - (worth * expected).sum(axis=1, keepdims=True) / total
    variance = over_pairs((centred**2 * expected).sum(axis=1))
    taken = csr_array((np.ravel(centred * np.sqrt(expected)), (np.repeat(group, 3), np.arange(expected.size)))) @ fitted
    free = variance - np.sum(taken**2, axis=1)
    known = free > 1e-9 * variance
    error = np.sqrt(np.where(known, free, np.nan) * (1.0 if effect is None else effect))
    residual = (found - wanted) / error
    p = 2 * norm.sf(np.abs(residual))
    adjusted = np.full_like(p, np.nan)
    adjusted[known] = holm(p[known])
    names = np.array(conditions, dtype=object)
    table = pd.DataFrame(
        {
            "first": names[kept // pairs.n_conditions],
            "second": names[kept % pairs.n_conditions],
            "votes": votes,
            "expected": wanted / votes,
            "observed": found / votes,
            "residual": residual,
            "p": p,
            "p_adjusted": adjusted,
        }
    )
    order = np.argsort(-np.abs(residual), kind="stable")
    return table.iloc[order].reset_index(drop=True)
