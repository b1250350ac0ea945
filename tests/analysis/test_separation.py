"""Votes needed to tell conditions apart, beside statsmodels and simulated studies."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from analysis import fit_bradley_terry, votes_to_separate
from analysis.errors import InvalidOption
from analysis.ranking.counts import CodedVotes
from analysis.simulation import simulate_votes


@pytest.fixture(scope="module")
def votes():
    return simulate_votes(
        {"a": 0.5, "b": 0.3, "c": 0.0, "d": -0.2}, participants=15, votes_each=20, sources=5, seed=1, tie_strength=0.2
    )


@pytest.fixture(scope="module")
def result(votes):
    return fit_bradley_terry(votes)


@pytest.mark.slow
@pytest.mark.parametrize(("level", "power"), [(0.95, 0.8), (0.99, 0.9), (0.9, 0.5)])
def test_the_number_of_participants_equals_statsmodels(result, level, power):
    from statsmodels.stats.power import TTestPower

    table = votes_to_separate(result, level=level, power=power, pairs="all")
    assert len(table) == 6
    for row in table.iloc[::2].itertuples():
        effect = row.difference / row.standard_error / np.sqrt(15)
        # Of the two-sided test the tail on the side of the difference.
        options = {"alpha": (1 - level) / 2, "power": power, "alternative": "larger"}
        people = TTestPower().solve_power(effect_size=effect, **options)
        assert row.needed == pytest.approx(20 * people, abs=1)
        assert row.participants == pytest.approx(row.needed / 20, abs=1)
        assert row.more == max(row.needed - 300, 0)
        assert row.sources == 5


def test_independent_votes_follow_the_normal_formula(votes):
    table = votes_to_separate(fit_bradley_terry(votes, cluster=None))
    z = 1.9599639845 + 0.8416212336
    expected = 300 * (z * table["standard_error"] / table["difference"]) ** 2
    np.testing.assert_array_equal(table["needed"], np.ceil(expected))


def test_neighbours_in_rank_are_the_default(result):
    order = result.scores.sort_values(ascending=False).index
    table = votes_to_separate(result)
    assert list(zip(table["first"], table["second"], strict=True)) == list(pairwise(order))


def test_conclusions_about_new_sources_need_more_sources(votes):
    table = votes_to_separate(fit_bradley_terry(votes, cluster="two-way"))
    np.testing.assert_allclose(table["sources"], np.ceil(5 * table["needed"] / 300), atol=1)
    assert (table["sources"] > 5).any()


def test_no_number_of_votes_tells_equal_scores_apart(result):
    level = replace(result, estimates=np.array([0.0, 0.0, 1.0, -1.0]))
    table = votes_to_separate(level).set_index(["first", "second"])
    assert table.loc[("a", "b"), ["needed", "more", "participants"]].tolist() == [np.inf] * 3
    assert np.isfinite(table["needed"].drop(("a", "b"))).all()


@pytest.mark.parametrize("wrong", [{"level": 1}, {"power": 1}, {"power": 0.4}, {"pairs": "some"}])
def test_options_out_of_range_are_refused(result, wrong):
    with pytest.raises(InvalidOption, match=next(iter(wrong))):
        votes_to_separate(result, **wrong)


@pytest.mark.slow
def test_studies_of_the_size_that_is_needed_succeed_as_often_as_said():
    """Two conditions, 10 votes each, people who differ: the error and the size come from a large study."""
    rng = np.random.default_rng(8)

    def fitted(people):
        worth = rng.normal(0.25, 0.6, people)
        chosen = rng.random((people, 10)) < 1 / (1 + np.exp(-worth[:, None]))
        codes = np.zeros(10 * people, int)
        person = np.repeat(np.arange(people), 10)
        return fit_bradley_terry(
            CodedVotes.from_arrays(codes, codes + 1, 1 - chosen.ravel(), conditions=2, participant=person)
        )

    people = int(votes_to_separate(fitted(10_000)).loc[0, "participants"])
    told = [fitted(people).compare().loc[0] for _ in range(400)]
    succeeded = np.mean([row["p"] < 0.05 and row["first"] == "0" for row in told])
    assert succeeded == pytest.approx(0.8, abs=3 * np.sqrt(0.16 / 400))
