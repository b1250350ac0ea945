"""Does the model describe the votes? Deviance against the saturated model, and the pairs that fit worst."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.sparse import csr_array
from scipy.special import xlogy
from scipy.stats import chi2, norm

from analysis.errors import InvalidOption
from analysis.ranking.counts import LEFT, RIGHT, TIE, CodedVotes, PairCounts, cell_codes
from analysis.ranking.families import TIED_FAMILIES, answer_slopes, probabilities
from analysis.ranking.fit import coded_votes, modelled_pairs
from analysis.ranking.likelihood import gaps
from analysis.ranking.result import BradleyTerryResult, holm

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
    fitted = _fitted(pairs, family, parameters)
    deviance = 2 * float(np.sum(xlogy(fitted.counted, fitted.counted) - xlogy(fitted.counted, fitted.above_zero)))
    kinds = 3 if family in TIED_FAMILIES else 2
    degrees = len(pairs.first) * (kinds - 1) - fitted.rank
    effect = _design_effect(coded, fitted, degrees) if degrees > 0 else None
    tested = degrees > 0 and result.ridge == 0
    return GoodnessOfFit(
        deviance=max(deviance, 0.0),
        degrees_of_freedom=degrees,
        p=float(chi2.sf(deviance, degrees)) if tested else None,
        p_clustered=float(chi2.sf(deviance / effect, degrees)) if tested and effect is not None else None,
        design_effect=effect,
        thin_pairs=int((fitted.expected[:, :kinds] < _FEW).any(axis=1).sum()),
        residuals=_residuals(coded.conditions, fitted, effect),
    )


@dataclass(frozen=True, eq=False)
class _Fitted:
    """The answers (K, 3) to the shown pairs as counted and as expected, and what the fit takes out of their difference.

    slopes: derivatives of the log-probability of each answer by the gap, t and the left bias, (K, 3) each; None where
    not modelled. directions (3 K, p): those of (counted - expected) / sqrt(expected) by the parameters. inverse (p, p):
    of directions' inner products. rank: how many directions there are.
    """

    pairs: PairCounts
    counted: np.ndarray
    expected: np.ndarray
    chances: np.ndarray
    slopes: tuple[np.ndarray, np.ndarray | None, np.ndarray | None]
    directions: csr_array
    inverse: np.ndarray
    rank: int

    @property
    def above_zero(self) -> np.ndarray:
        """Expected answers, and 1 for those that cannot be."""
        return np.where(self.expected > 0, self.expected, 1)


def _fitted(pairs: PairCounts, family: str, parameters: np.ndarray) -> _Fitted:
    gap, tie = gaps(parameters, pairs), _tie(parameters, pairs, family)
    chances = np.column_stack(probabilities(family, gap, tie))
    counted = np.column_stack([pairs.for_first, pairs.for_second, pairs.tied])
    expected = counted.sum(axis=1, keepdims=True) * chances
    by_gap, by_tie = answer_slopes(family, gap, tie)
    if tie is None:
        by_gap = by_gap * [1, 1, 0]
    slopes = (by_gap, by_tie, by_gap if pairs.ordered else None)
    n, root = pairs.n_conditions, np.sqrt(expected)
    columns, values = [np.repeat(pairs.first, 3), np.repeat(pairs.second, 3)], [root * by_gap, -root * by_gap]
    for extra in slopes[1:]:
        if extra is not None:
            columns.append(np.full(root.size, n + len(columns) - 2))
            values.append(root * extra)
    rows = np.tile(np.arange(root.size), len(columns))
    directions = csr_array(
        (np.concatenate([value.ravel() for value in values]), (rows, np.concatenate(columns))),
        shape=(root.size, n + len(columns) - 2),
    )
    sizes, vectors = np.linalg.eigh((directions.T @ directions).toarray())
    kept = sizes > 1e-9 * sizes[-1]
    inverse = (vectors[:, kept] / sizes[kept]) @ vectors[:, kept].T
    return _Fitted(pairs, counted, expected, chances, slopes, directions, inverse, int(kept.sum()))


def _parameters(result: BradleyTerryResult, family: str) -> np.ndarray:
    """As `Estimate.parameters`: scores on the likelihood's scale, t, left bias."""
    per_unit = np.log(3) if result.unit == "jod" and result.model == "bradley-terry" else 1.0
    extra = [] if family not in TIED_FAMILIES else [np.log(result.tie_parameter)]
    if result.position is not None:
        extra.append(result.position.value * per_unit)
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


def _design_effect(coded: CodedVotes, fitted: _Fitted, degrees: int) -> float | None:
    people, size = coded.n_participants, fitted.expected.size
    if people < 2:
        return None
    answers = csr_array(coded.count_by(coded.participant, people)) @ _answer_of_cell(fitted, coded)
    pair, answer = np.repeat(np.arange(size // 3), 3), np.arange(size)
    votes = answers @ csr_array((np.ones(size), (answer, pair)))
    expected = votes @ csr_array((np.ravel(fitted.chances), (pair, answer)))
    # A participant's answers less those expected, scaled as the directions are; then what the fit leaves of them.
    strayed = (answers - expected) @ csr_array((1 / np.sqrt(np.ravel(fitted.above_zero)), (answer, answer)))
    along = strayed @ fitted.directions
    left = (strayed * strayed).sum() - np.sum((along @ fitted.inverse) * along.toarray())
    effect = float(left) / degrees * people / (people - 1)
    return effect if effect > 0 else None


def _answer_of_cell(fitted: _Fitted, coded: CodedVotes) -> csr_array:
    """Matrix (3 n^2, 3 K): which answer to which shown pair a vote in a cell is; half to each where ties are halved."""
    pairs, n = fitted.pairs, len(coded.conditions)
    shown = np.arange(len(pairs.first))
    halved = not fitted.chances[:, TIE].any()
    rows, columns, parts = [], [], []
    ways = [(pairs.first, pairs.second, LEFT, RIGHT)]
    if not pairs.ordered:
        ways.append((pairs.second, pairs.first, RIGHT, LEFT))
    for left, right, for_left, for_right in ways:
        for choice, answer, part in (
            (LEFT, for_left, 1.0),
            (RIGHT, for_right, 1.0),
            *(((TIE, for_left, 0.5), (TIE, for_right, 0.5)) if halved else ((TIE, TIE, 1.0),)),
        ):
            rows.append(cell_codes(left, right, choice, n))
            columns.append(3 * shown + answer)
            parts.append(np.full(len(shown), part))
    entries = (np.concatenate(parts), (np.concatenate(rows), np.concatenate(columns)))
    return csr_array(entries, shape=(3 * n * n, 3 * len(shown)))


def _residuals(conditions: tuple[str, ...], fitted: _Fitted, effect: float | None) -> pd.DataFrame:
    pairs, counted, expected = fitted.pairs, fitted.counted, fitted.expected
    low, high = np.minimum(pairs.first, pairs.second), np.maximum(pairs.first, pairs.second)
    kept, group = np.unique(low * pairs.n_conditions + high, return_inverse=True)
    low, high = kept // pairs.n_conditions, kept % pairs.n_conditions
    forward = pairs.first < pairs.second
    # What an answer is worth for the one that comes first in the table.
    worth = np.where(forward[:, None], [1.0, 0.0, 0.5], [0.0, 1.0, 0.5])

    def over_pairs(values: np.ndarray) -> np.ndarray:
        return np.bincount(group, values.sum(axis=1), len(kept))

    votes, found, wanted = over_pairs(counted), over_pairs(worth * counted), over_pairs(worth * expected)
    centred = (worth - np.sum(worth * fitted.chances, axis=1, keepdims=True)) * expected
    variance = over_pairs(centred * worth)
    by_score, by_tie, by_bias = (None if slope is None else centred * slope for slope in fitted.slopes)
    along = over_pairs(np.where(forward[:, None], by_score, -by_score))
    parts = [(low, along), (high, -along)]
    for extra in (by_tie, by_bias):
        if extra is not None:
            parts.append((np.full(len(kept), pairs.n_conditions + len(parts) - 2), over_pairs(extra)))
    taken = sum(fitted.inverse[at, to] * size * other for at, size in parts for to, other in parts)
    free = variance - taken
    known = free > 1e-9 * variance
    error = np.sqrt(np.where(known, free, np.nan) * (1.0 if effect is None else effect))
    residual = (found - wanted) / error
    p = 2 * norm.sf(np.abs(residual))
    adjusted = np.full_like(p, np.nan)
    adjusted[known] = holm(p[known])
    names = np.array(conditions, dtype=object)
    table = pd.DataFrame(
        {
            "first": names[low],
            "second": names[high],
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
