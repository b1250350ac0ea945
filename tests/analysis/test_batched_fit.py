"""Many sets of counts at once: which of them have a finite maximum."""

from dataclasses import replace

import numpy as np
import pytest

from analysis import bootstrap_ranking
from analysis.errors import AnalysisError
from analysis.ranking.batched_fit import BatchedFit
from analysis.ranking.counts import CodedVotes
from analysis.ranking.existence import require_finite_scores
from analysis.ranking.fit import modelled_pairs
from analysis.ranking.likelihood import maximise_likelihood


@pytest.mark.slow
@pytest.mark.parametrize("ridge", [0.0, 0.5])
@pytest.mark.parametrize("position", [False, True])
@pytest.mark.parametrize("ties", ["davidson", "rao-kupper"])
def test_sparse_rows_are_judged_as_a_linear_programme_judges_them(ties, position, ridge):
    rng = np.random.default_rng(3)
    judged = []
    for _ in range(4):
        n = int(rng.integers(2, 5))
        cells = np.tile([3.0, 2.0, 1.0], (n, n, 1))
        cells[np.arange(n), np.arange(n)] = 0
        pairs, family = modelled_pairs(cells.ravel(), ties=ties, model="bradley-terry", position=position)
        labels = tuple(map(str, range(n)))
        fit = BatchedFit(labels, pairs, maximise_likelihood(pairs, family=family, ridge=ridge), ridge)
        rate = rng.uniform(0.1, 1.2)
        won, lost, tied = (rng.poisson(rate, size=(7, len(pairs.first))).astype(float) for _ in range(3))
        tied[:, 0] += ~tied.any(axis=1)
        found = ~np.isnan(fit.scores(won, lost, tied)[:, 0])
        for k, finite in enumerate(found):
            seen = (won + lost + tied)[k] > 0
            row = replace(
                pairs,
                **{name: getattr(pairs, name)[seen] for name in ("first", "second")},
                for_first=won[k, seen],
                for_second=lost[k, seen],
                tied=tied[k, seen],
            )
            try:
                require_finite_scores(row, labels, family=family, ridge=ridge)
            except AnalysisError:
                assert not finite
            else:
                assert finite
        judged.extend(found)
    assert 0 < np.mean(judged) < 1


@pytest.mark.parametrize("ties", ["davidson", "rao-kupper"])
def test_few_resamples_of_few_votes_need_the_linear_programme(ties, monkeypatch):
    """One takes ten times as long as all other work on a resample; for all of 1000 it took 10 s."""
    asked = []
    exact = BatchedFit._has_maximum
    monkeypatch.setattr(BatchedFit, "_has_maximum", lambda *call: asked.append(call) or exact(*call))
    rng = np.random.default_rng(0)
    left = rng.integers(8, size=200)
    right = (left + rng.integers(1, 8, size=200)) % 8
    choice = np.where(rng.random(200) < 0.3, 2, rng.integers(2, size=200))
    votes = CodedVotes.from_arrays(left, right, choice, conditions=8, participant=rng.integers(40, size=200))
    found = bootstrap_ranking(votes, ties=ties, position=True, resamples=200, seed=1)
    assert found.failed == 0
    assert len(asked) <= 5
