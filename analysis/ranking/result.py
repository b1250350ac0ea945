"""The fitted ranking: scores with their uncertainty, stated in one gauge."""

import difflib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.special import expit, ndtr, softmax
from scipy.stats import t as student_t

from analysis.errors import InvalidOption, UnknownCondition
from analysis.options import check_level
from analysis.ranking.counts import LEFT, RIGHT, TIE
from analysis.ranking.families import JOD_SD

__all__ = ["BradleyTerryResult", "Effect", "holm"]


@dataclass(frozen=True)
class Effect:
    """One estimated number, its standard error, and the two-sided p of its being 0 (NaN where votes show no spread)."""

    value: float
    standard_error: float
    p: float


@dataclass(frozen=True, eq=False)
class BradleyTerryResult:
    """Scores of conditions, higher meaning preferred more often.

    model "bradley-terry": scores are log-strengths in logits; a difference d means that the first is preferred with
    probability 1 / (1 + exp(-d)): with ties="half" a tie counts half in it, with "davidson" it is the probability among
    decided votes, with "rao-kupper" the probability of a judgement without the threshold for ties.
    model "thurstone": scores are in JOD (a difference of 1 means 75 %), P = Phi(d / 1.4826).
    Scores, standard errors and intervals of single conditions hold in the stated `gauge`; differences do not depend
    on it.

    estimates (n,), estimate_covariance (n, n): in the order of `conditions`; `scores` and `covariance` are the same
    with labels. cells (3 n^2,): the counted votes by `counts.cell_codes`, whatever their weights.
    tie_parameter: Davidson's nu or Rao and Kupper's theta (0 and 1 where nobody tied), None with ties="half";
    tie_log_error: standard error of its logarithm, None where it was not estimated, NaN where votes show no spread.
    position: bias to the left, added to the score of the condition on the left, in the same unit; None where it was not
    modelled. tie_position_covariance: of log(tie_parameter) and the bias, None unless both were estimated.
    ridge: the fit maximised log L - ridge / 2 * sum of squared scores. held_by_ridge: conditions whose scores would be
    infinite without it. degrees_of_freedom: of the t quantiles; infinite for independent votes.
    log_likelihood: without the ridge. unit: of the scores, "logit" or "jod".
    """

    conditions: tuple[str, ...]
    estimates: np.ndarray
    estimate_covariance: np.ndarray
    cells: np.ndarray
    model: str
    ties: str
    tie_parameter: float | None
    tie_log_error: float | None
    position: Effect | None
    tie_position_covariance: float | None
    ridge: float
    held_by_ridge: tuple[str, ...]
    cluster: str | None
    degrees_of_freedom: float
    n_votes: int
    n_ties: int
    n_participants: int
    n_sources: int
    log_likelihood: float
    iterations: int
    unit: str
    gauge: str = "sum of scores = 0"

    @cached_property
    def scores(self) -> pd.Series:
        """Scores by condition."""
        return pd.Series(self.estimates, index=self._index, name="score")

    @cached_property
    def covariance(self) -> pd.DataFrame:
        """Covariance of the scores, conditions by conditions."""
        return pd.DataFrame(self.estimate_covariance, index=self._index, columns=self._index.rename(None))

    @cached_property
    def tallies(self) -> pd.DataFrame:
        """Counted votes of each condition: columns wins, losses, ties."""
        n = len(self.conditions)
        table = self.cells.reshape(n, n, 3)
        tallies = table.sum(axis=1) + table.sum(axis=0)[:, [RIGHT, LEFT, TIE]]
        return pd.DataFrame(tallies, index=self._index, columns=["wins", "losses", "ties"])

    @cached_property
    def standard_errors(self) -> pd.Series:
        """Standard errors of the scores in the stated gauge."""
        return pd.Series(np.sqrt(np.diag(self.estimate_covariance)), index=self._index, name="standard_error")

    @cached_property
    def preference(self) -> Callable[[np.ndarray], np.ndarray]:
        """Probability that the first is preferred, as a function of the difference of scores."""
        if self.model == "thurstone":
            return lambda difference: ndtr(difference / JOD_SD)
        per_unit = np.log(3) if self.unit == "jod" else 1.0
        return lambda difference: expit(difference * per_unit)

    def anchored(self, condition: str) -> "BradleyTerryResult":
        """The same fit with the score of `condition` at zero, its uncertainty passed on to the others.

        These are the coefficients and standard errors of a regression with `condition` as the reference category.
        """
        self._require(condition)
        shift = np.eye(len(self.conditions))
        shift[:, self.conditions.index(condition)] -= 1
        return replace(
            self,
            estimates=shift @ self.estimates,
            estimate_covariance=shift @ self.estimate_covariance @ shift.T,
            gauge=f"score of {condition} = 0",
        )

    def in_jod(self) -> "BradleyTerryResult":
        """The same fit in units of JOD: a difference of 1 means 75 %. Logits are divided by ln 3.

        Bradley-Terry scores stay Bradley-Terry scores; model="thurstone" fits Thurstone's Case V itself, from which
        they differ by a few hundredths.
        """
        if self.unit == "jod":
            return self
        bias, shared, size = self.position, self.tie_position_covariance, np.log(3)
        return replace(
            self,
            estimates=self.estimates / size,
            estimate_covariance=self.estimate_covariance / size**2,
            position=None if bias is None else Effect(bias.value / size, bias.standard_error / size, bias.p),
            tie_position_covariance=None if shared is None else shared / size,
            unit="jod",
        )

    def worths(self) -> pd.DataFrame:
        """Strengths exp(score in logits), scaled to sum to one: columns worth, standard_error (delta method).

        As Bradley & Terry (1952) and Davidson (1970) print them. Raises InvalidOption for model="thurstone".
        """
        if self.model == "thurstone":
            raise InvalidOption("Thurstone's model has scores and no worths; fit with model='bradley-terry'")
        per_unit = np.log(3) if self.unit == "jod" else 1.0
        worth = softmax(per_unit * self.estimates)
        slopes = per_unit * (np.diag(worth) - np.outer(worth, worth))
        error = np.sqrt(np.diag(slopes @ self.estimate_covariance @ slopes.T))
        return pd.DataFrame({"worth": worth, "standard_error": error}, index=self._index)

    def interval(self, level: float = 0.95) -> pd.DataFrame:
        """Confidence interval of each score: columns low and high."""
        margin = self._quantile(level) * self.standard_errors
        return pd.DataFrame({"low": self.scores - margin, "high": self.scores + margin})

    def compare(self, method: str | None = "holm", *, level: float = 0.95) -> pd.DataFrame:
        """All pairs, the higher score first: difference, its standard error, two-sided test, and preference.

        method: "holm" adjusts p for the number of pairs (Holm 1979); None leaves `p_adjusted` equal to `p`.
        Columns: first, second, difference, standard_error, statistic, p, p_adjusted, probability (that the first is
        preferred), low and high (its interval at `level`, not adjusted).
        """
        if method not in ("holm", None):
            raise InvalidOption(f"method is {method!r}; expected 'holm' or None")
        order = self.scores.sort_values(ascending=False, kind="stable").index
        pairs = list(combinations(order, 2))
        table = self._differences(pairs, level)
        table["p_adjusted"] = holm(table["p"].to_numpy()) if method == "holm" else table["p"]
        columns = ["difference", "standard_error", "statistic", "p", "p_adjusted", "probability", "low", "high"]
        return table[["first", "second", *columns]]

    def probability_against(self, reference: str = "reference", *, level: float = 0.95) -> pd.DataFrame:
        """How often each other condition is preferred over `reference`: columns probability, low, high."""
        self._require(reference)
        others = [condition for condition in self.scores.index if condition != reference]
        table = self._differences([(condition, reference) for condition in others], level)
        return table.set_index(pd.Index(others, name="condition"))[["probability", "low", "high"]]

    def probabilities(self) -> pd.DataFrame:
        """P(row preferred over column) for all pairs; 0.5 on the diagonal."""
        scores = self.scores.to_numpy()
        return pd.DataFrame(
            self.preference(scores[:, None] - scores[None, :]),
            index=self.scores.index,
            columns=self.scores.index.rename(None),
        )

    def to_frame(self, level: float = 0.95) -> pd.DataFrame:
        """Table by falling score: rank, score, standard_error, low, high, wins, losses, ties."""
        table = pd.concat([self.scores, self.standard_errors, self.interval(level), self.tallies], axis=1)
        table = table.sort_values("score", ascending=False, kind="stable")
        table.insert(0, "rank", np.arange(1, len(table) + 1))
        return table

    @property
    def _index(self) -> pd.Index:
        return pd.Index(self.conditions, name="condition")

    def _require(self, condition: str) -> None:
        if condition not in self.scores.index:
            near = difflib.get_close_matches(str(condition), list(self.scores.index), n=1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; the votes name {', '.join(self.scores.index)}"
            raise UnknownCondition(f"no counted vote names the condition {condition!r}{hint}")

    def _quantile(self, level: float) -> float:
        check_level(level)
        return float(student_t.ppf((1 + level) / 2, self.degrees_of_freedom))

    def _differences(self, pairs: list[tuple[str, str]], level: float) -> pd.DataFrame:
        first = self.scores.index.get_indexer([pair[0] for pair in pairs])
        second = self.scores.index.get_indexer([pair[1] for pair in pairs])
        scores, covariance = self.scores.to_numpy(), self.covariance.to_numpy()
        difference = scores[first] - scores[second]
        error = np.sqrt(covariance[first, first] + covariance[second, second] - 2 * covariance[first, second])
        margin = self._quantile(level) * error
        return pd.DataFrame(
            {
                "first": [pair[0] for pair in pairs],
                "second": [pair[1] for pair in pairs],
                "difference": difference,
                "standard_error": error,
                "statistic": difference / error,
                "p": 2 * student_t.sf(np.abs(difference / error), self.degrees_of_freedom),
                "probability": self.preference(difference),
                "low": self.preference(difference - margin),
                "high": self.preference(difference + margin),
            }
        )


def holm(p: np.ndarray) -> np.ndarray:
    """Step-down adjusted p-values, (m,) to (m,). Holm (1979), Scandinavian Journal of Statistics 6, 65-70."""
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty_like(p, dtype=float)
    adjusted[order] = np.minimum(stepped, 1)
    return adjusted
