"""Bootstrap of a ranking: participants, sources or both drawn again, all refits at once."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from analysis.errors import CovarianceUnavailable, InvalidOption, TooManyFailedResamples
from analysis.options import check_choice, check_level, check_seed
from analysis.ranking.batched_fit import BatchedFit
from analysis.ranking.counts import CodedVotes, PairCounts
from analysis.ranking.covariance import require_spread
from analysis.ranking.existence import require_finite_scores
from analysis.ranking.fit import MODELS, TIES, coded_votes, modelled_pairs
from analysis.ranking.likelihood import inverse_information, maximise_likelihood

__all__ = ["OVER", "Bootstrap", "bootstrap_ranking"]

OVER = ("participant", "source", "both")
# Memory for one batch of resamples, in bytes.
_BATCH_BYTES = 32 * 2**20
# Counts with fewer non-zero entries than this share are multiplied as sparse ones.
_DENSE_SHARE = 0.05
_FAILED_SHARE = 0.05
_NAMES = {"participant": "participants", "source": "sources", "both": "participants and sources"}


@dataclass(frozen=True, eq=False)
class Bootstrap:
    """Scores of a ranking refitted to resamples of its votes, all in the gauge "sum of scores = 0".

    estimates: (n,) of all votes, in the order of `conditions`. distribution: (R, n), one row for each resample that
    has finite scores. over: what was drawn again. resamples: how many were drawn; failed: how many of them had no
    finite scores and are left out. unit: of the scores, "logit" or "jod".
    """

    conditions: tuple[str, ...]
    estimates: np.ndarray
    distribution: np.ndarray
    over: str
    seed: int
    resamples: int
    failed: int
    unit: str

    @cached_property
    def scores(self) -> pd.Series:
        """Scores of all votes by condition."""
        return pd.Series(self.estimates, index=self._index, name="score")

    @cached_property
    def standard_errors(self) -> pd.Series:
        """Standard deviation of each score over the resamples."""
        return pd.Series(self.distribution.std(axis=0, ddof=1), index=self._index, name="standard_error")

    def interval(self, level: float = 0.95, method: str = "percentile") -> pd.DataFrame:
        """Confidence interval of each score: columns low and high.

        method: "percentile", the quantiles of the distribution, or "basic", mirrored at the estimate (Davison & Hinkley
        1997, Bootstrap Methods and their Application, section 5.2).
        """
        low, high = _ends(self.distribution, self.estimates, level, method)
        return pd.DataFrame({"low": low, "high": high}, index=self._index)

    def compare(self, level: float = 0.95, method: str = "percentile") -> pd.DataFrame:
        """All pairs, the higher score first: how far apart they are, in the unit of the scores.

        Columns: first, second, difference, standard_error, low, high (of the difference), share_above (of the
        resamples in which the first was above the second).
        """
        order = np.argsort(-self.estimates, kind="stable")
        first, second = np.array(list(combinations(order, 2))).T
        spread = self.distribution[:, first] - self.distribution[:, second]
        difference = self.estimates[first] - self.estimates[second]
        low, high = _ends(spread, difference, level, method)
        labels = np.array(self.conditions, dtype=object)
        return pd.DataFrame(
            {
                "first": labels[first],
                "second": labels[second],
                "difference": difference,
                "standard_error": spread.std(axis=0, ddof=1),
                "low": low,
                "high": high,
                "share_above": (spread > 0).mean(axis=0),
            }
        )

    def rank_shares(self) -> pd.DataFrame:
        """In which share of the resamples each condition (row) had each rank (column, 1 the highest score)."""
        n = len(self.conditions)
        rank = np.argsort(np.argsort(-self.distribution, axis=1, kind="stable"), axis=1)
        counts = np.bincount((rank + n * np.arange(n)).ravel(), minlength=n * n).reshape(n, n)
        ranks = pd.RangeIndex(1, n + 1, name="rank")
        return pd.DataFrame(counts / len(self.distribution), index=self._index, columns=ranks)

    @property
    def _index(self) -> pd.Index:
        return pd.Index(self.conditions, name="condition")


def bootstrap_ranking(
    votes: pd.DataFrame | CodedVotes,
    *,
    over: str = "participant",
    resamples: int = 1000,
    seed: int,
    ties: str = "davidson",
    model: str = "bradley-terry",
    position: bool = False,
    ridge: float = 0.0,
    weights: Mapping[str, float] | None = None,
) -> Bootstrap:
    """Refit the ranking to `resamples` draws of whole participants or sources, with replacement.

    votes, ties, model, position, ridge, weights: as `fit_bradley_terry` takes them.
    over: "participant"; "source", for conclusions about new sources; "both", drawn independently, where a vote counts
        as often as its participant times as often as its source was drawn (the pigeonhole bootstrap, Owen 2007,
        Annals of Applied Statistics 1, 386-411). "both" errs on the safe side: it counts the chance of the single vote
        up to three times, so with few votes per participant its standard errors are up to 1.7 times too large; the
        two-way covariance of `fit_bradley_terry` is not.
    Percentile intervals are too narrow with fewer than about 30 participants (or sources); the t intervals of
    `fit_bradley_terry` allow for that.
    Resamples without finite scores (a condition that was not drawn, or never lost) are left out and counted; above 1
    in 20 that would be a biased selection, and TooManyFailedResamples is raised.
    Raises as `fit_bradley_terry` does besides.
    """
    for name, value, allowed in (("over", over, OVER), ("ties", ties, TIES), ("model", model, MODELS)):
        check_choice(name, value, allowed)
    check_seed(seed)
    if resamples < 2:
        raise InvalidOption(f"resamples is {resamples!r}; expected at least 2, such as 1000")
    if isinstance(ridge, str) or not 0 <= ridge < np.inf:
        raise InvalidOption(f"ridge is {ridge!r}; expected a finite number of at least 0")
    coded = coded_votes(votes, weights)
    pairs, family = modelled_pairs(coded.pooled(), ties=ties, model=model, position=position)
    require_finite_scores(pairs, coded.conditions, family=family, ridge=ridge)
    estimate = maximise_likelihood(pairs, family=family, ridge=ridge)
    fit = BatchedFit(coded.conditions, pairs, estimate, ridge)
    found, failed = [], 0
    for counts in _resampled_counts(coded, pairs, over, resamples, seed):
        halved = counts.halved() if estimate.tie is None else counts
        scores = fit.scores(halved.for_first, halved.for_second, halved.tied)
        finite = ~np.isnan(scores[:, 0])
        found.append(scores[finite])
        failed += len(scores) - len(found[-1])
        if failed > _FAILED_SHARE * resamples:
            raise TooManyFailedResamples(
                f"more than {_FAILED_SHARE:.0%} of the {resamples} resamples over {_NAMES[over]} have no finite scores "
                "(a condition is missing from them, or never wins or never loses); collect more votes, fit with a "
                "ridge such as ridge=1, or use the intervals of fit_bradley_terry",
                failed,
            )
    distribution = np.concatenate(found)
    n = len(coded.conditions)
    require_spread(np.cov(distribution.T), inverse_information(estimate, pairs)[:n, :n])
    return Bootstrap(
        conditions=coded.conditions,
        estimates=estimate.scores,
        distribution=distribution,
        over=over,
        seed=seed,
        resamples=resamples,
        failed=failed,
        unit="jod" if model == "thurstone" else "logit",
    )


def _resampled_counts(
    coded: CodedVotes, pairs: PairCounts, over: str, resamples: int, seed: int
) -> Iterator[PairCounts]:
    """Counts (r, K) on the pairs of `pairs`, batch by batch; the same whatever the size of the batches."""
    kinds = {"participant": (coded.participant, coded.n_participants), "source": (coded.source, coded.n_sources)}
    drawn = list(kinds.values()) if over == "both" else [kinds[over]]
    for name, (_, count) in zip(kinds if over == "both" else [over], drawn, strict=True):
        if count < 2:
            raise CovarianceUnavailable(
                f"the votes have one {name}, so there is nothing to draw from; collect votes with more, or resample "
                "the other"
            )
    codes, counts = zip(*drawn, strict=True)
    if over == "both":
        shared, cluster = np.unique(codes[0].astype(np.int64) * counts[1] + codes[1], return_inverse=True)
        members = np.divmod(shared, counts[1])
    else:
        cluster, members = codes[0], (np.arange(counts[0]),)
    table = _counts_by_cluster(coded, pairs, cluster, len(members[0]))
    streams = [np.random.default_rng(stream) for stream in np.random.SeedSequence(seed).spawn(len(drawn))]
    n, width = len(coded.conditions), len(pairs.first)
    batch = max(1, _BATCH_BYTES // (8 * (sum(counts) + len(members[0]) + 12 * width + 4 * n * n)))
    for start in range(0, resamples, batch):
        size = min(batch, resamples - start)
        times = [_times_drawn(stream, count, size) for stream, count in zip(streams, counts, strict=True)]
        weight = times[0] if len(times) == 1 else times[0][:, members[0]] * times[1][:, members[1]]
        answers = (weight @ table).reshape(size, -1, width).transpose(1, 0, 2)
        tied = answers[2] if len(answers) == 3 else np.zeros_like(answers[0])
        yield PairCounts(n, pairs.first, pairs.second, pairs.ordered, answers[0], answers[1], tied)


def _times_drawn(rng: np.random.Generator, clusters: int, size: int) -> np.ndarray:
    """How often each cluster comes up in as many draws as there are clusters: (size, clusters)."""
    drawn = rng.integers(clusters, size=(size, clusters))
    drawn += clusters * np.arange(size)[:, None]
    return np.bincount(drawn.ravel(), minlength=size * clusters).reshape(size, clusters).astype(float)


def _counts_by_cluster(
    coded: CodedVotes, pairs: PairCounts, cluster: np.ndarray, n_clusters: int
) -> np.ndarray | csr_array:
    """Votes (n_clusters, 2 K or 3 K): for the first of each pair, for the second and, where there are any, ties."""
    n, width = len(coded.conditions), len(pairs.first)
    cell = np.arange(3 * n * n)
    left, right, answer = cell // (3 * n), cell // 3 % n, cell % 3
    if not pairs.ordered:
        turned = left > right
        left, right = np.minimum(left, right), np.maximum(left, right)
        answer = np.where(turned & (answer < 2), 1 - answer, answer)
    place = np.zeros(n * n, dtype=np.int64)
    place[pairs.first * n + pairs.second] = np.arange(width)
    column = (answer * width + place[left * n + right])[coded.cell]
    kinds = 2 + bool((answer[coded.cell] == 2).any())
    weight = np.ones(len(column)) if coded.weight is None else coded.weight
    table = csr_array((weight, (cluster, column)), shape=(n_clusters, kinds * width))
    table.sum_duplicates()
    return table.toarray() if table.nnz > _DENSE_SHARE * n_clusters * kinds * width else table


def _ends(distribution: np.ndarray, estimates: np.ndarray, level: float, method: str) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper ends, each (m,), of distribution (R, m)."""
    check_level(level)
    check_choice("method", method, ("percentile", "basic"))
    low, high = np.quantile(distribution, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return (low, high) if method == "percentile" else (2 * estimates - high, 2 * estimates - low)
