"""The fitted ranking: scores with their uncertainty, stated in one gauge."""

import difflib
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.special import expit
from scipy.stats import t as student_t

from analysis.errors import InvalidOption, UnknownCondition
from analysis.options import check_level

__all__ = ["BradleyTerryResult", "holm"]


@dataclass(frozen=True, eq=False)
class BradleyTerryResult:
    """Scores of conditions: log-strengths in logits, higher meaning preferred more often.

    A difference d between two scores means that the first is preferred with probability 1 / (1 + exp(-d)); with
    ties="half" a tie counts half in that probability, with ties="davidson" it is the probability among decided votes.
    Scores, standard errors and intervals of single conditions hold in the stated `gauge`; differences do not depend
    on it.

    scores: Series over conditions. covariance: DataFrame over conditions.
    tallies: DataFrame over conditions of the counted votes, columns wins, losses, ties.
    tie_parameter: Davidson's nu (0 where nobody tied), or None with ties="half".
    degrees_of_freedom: of the t quantiles; infinite for independent votes.
    """

    scores: pd.Series
    covariance: pd.DataFrame
    tallies: pd.DataFrame
    ties: str
    tie_parameter: float | None
    cluster: str | None
    degrees_of_freedom: float
    n_votes: int
    n_ties: int
    n_participants: int
    n_sources: int
    iterations: int
    converged: bool
    gauge: str = "sum of scores = 0"

    @property
    def standard_errors(self) -> pd.Series:
        """Standard errors of the scores in the stated gauge."""
        return pd.Series(np.sqrt(np.diag(self.covariance)), index=self.scores.index, name="standard_error")

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
            expit(scores[:, None] - scores[None, :]), index=self.scores.index, columns=self.scores.index.rename(None)
        )

    def to_frame(self, level: float = 0.95) -> pd.DataFrame:
        """Table by falling score: rank, score, standard_error, low, high, wins, losses, ties."""
        table = pd.concat([self.scores, self.standard_errors, self.interval(level), self.tallies], axis=1)
        table = table.sort_values("score", ascending=False, kind="stable")
        table.insert(0, "rank", np.arange(1, len(table) + 1))
        return table

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
                "probability": expit(difference),
                "low": expit(difference - margin),
                "high": expit(difference + margin),
            }
        )


def holm(p: np.ndarray) -> np.ndarray:
    """Step-down adjusted p-values, (m,) to (m,). Holm (1979), Scandinavian Journal of Statistics 6, 65-70."""
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty_like(p, dtype=float)
    adjusted[order] = np.minimum(stepped, 1)
    return adjusted
