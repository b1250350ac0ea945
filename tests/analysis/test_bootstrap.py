"""The batched bootstrap beside full refits, exact distributions and theory."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis import bootstrap_ranking, fit_bradley_terry
from analysis.errors import CovarianceUnavailable, InvalidOption, SeparatedConditions, TooManyFailedResamples
from analysis.ranking.counts import CodedVotes, code_votes
from analysis.simulation import simulate_votes

SCORES = {"a": 0.6, "b": 0.1, "c": 0.0, "d": -0.7}
OPTIONS = (
    {},
    {"ties": "half", "position": True},
    {"ties": "rao-kupper", "ridge": 0.5},
    {"model": "thurstone"},
    {"position": True},
)


def simulated(seed=3, *, scores=SCORES, participants=25, votes_each=20, sources=5, **options):
    return simulate_votes(
        scores, participants=participants, votes_each=votes_each, sources=sources, seed=seed, **options
    )


@pytest.fixture(scope="module")
def table():
    return simulated(tie_strength=0.3, left_bias=0.2, source_effect=0.3)


@pytest.fixture(scope="module")
def coded(table):
    return code_votes(table)


def refits(coded, weights, **options):
    """Scores of every weighting of the votes, one fit each."""
    return np.array(
        [fit_bradley_terry(coded.weighted(weight), cluster=None, **options).estimates for weight in weights]
    )


def apart(found, exact):
    """Distance of each found row from its nearest exact one, and which that is."""
    distance = np.abs(found[:, None] - exact).max(axis=2)
    return distance.min(axis=1), distance.argmin(axis=1)


@pytest.mark.parametrize(
    ("over", "options"),
    [
        ("source", {}),
        ("both", {"position": True}),
        *(pytest.param("both", options, marks=pytest.mark.slow) for options in OPTIONS[:-1]),
    ],
)
def test_every_resample_is_a_full_refit_of_the_votes_drawn(over, options):
    """With two clusters the distribution is known: nobody, once or twice, with the chances 1/4, 1/2, 1/4."""
    votes = code_votes(simulated(5, participants=2, votes_each=90, sources=2, tie_strength=0.3))
    drawn = np.array([[2, 0], [1, 1], [0, 2]])
    person, source = drawn[:, votes.participant], drawn[:, votes.source]
    weights = {"participant": person, "source": source, "both": [p * s for p, s in product(person, source)]}[over]
    found = bootstrap_ranking(votes, over=over, resamples=60, seed=1, **options)
    distance, which = apart(found.distribution, refits(votes, weights, **options))
    assert distance.max() < 1e-6
    chance = np.array([0.25, 0.5, 0.25])
    expected = chance if over != "both" else np.outer(chance, chance).ravel()
    assert stats.chisquare(np.bincount(which, minlength=len(expected)), 60 * expected).pvalue > 1e-3


@pytest.mark.slow
@pytest.mark.parametrize("options", OPTIONS)
def test_many_resamples_of_a_study_are_full_refits(coded, options):
    """T7 of the targets: within 1e-6 logits of refits to the same draws."""
    for over, codes, count in (("participant", coded.participant, 25), ("source", coded.source, 5)):
        found = bootstrap_ranking(coded, over=over, resamples=100, seed=4, **options)
        stream = np.random.default_rng(np.random.SeedSequence(4).spawn(1)[0])
        drawn = [np.bincount(row, minlength=count) for row in stream.integers(count, size=(100, count))]
        exact = refits(coded, [times[codes] for times in drawn], **options)
        np.testing.assert_allclose(found.distribution, exact, atol=1e-6)


def test_resamples_without_a_tie_are_fitted_without_the_tie_parameter(coded):
    tie = np.flatnonzero(coded.cell % 3 == 2)
    lone = np.delete(np.arange(len(coded.cell)), tie[1:])
    votes = CodedVotes.from_arrays(
        coded.cell[lone] // 12,
        coded.cell[lone] // 3 % 4,
        coded.cell[lone] % 3,
        conditions=4,
        participant=(np.arange(len(lone)) + 1 + (lone[0] == tie[0])) % 2,
    )
    for ties in ("davidson", "rao-kupper"):
        found = bootstrap_ranking(votes, resamples=20, seed=0, ties=ties)
        exact = refits(votes, np.array([[2, 0], [1, 1], [0, 2]])[:, votes.participant], ties=ties)
        assert apart(found.distribution, exact)[0].max() < 1e-6


def test_intervals_of_two_conditions_equal_the_exact_bootstrap():
    """One vote each: the number of wins in a resample is binomial."""
    people, wins = 80, 50
    votes = CodedVotes.from_arrays(
        np.zeros(people, int), np.ones(people, int), (np.arange(people) >= wins).astype(int), conditions=2
    )
    found = bootstrap_ranking(votes, resamples=5_000, seed=2)
    ends = stats.binom.ppf([0.05, 0.95], people, wins / people)
    exact = np.log(ends / (people - ends)) / 2
    np.testing.assert_allclose(found.interval(0.9).loc["0"], exact, atol=1e-6)
    mirrored = 2 * found.scores["0"] - exact[::-1]
    np.testing.assert_allclose(found.interval(0.9, "basic").loc["0"], mirrored, atol=1e-6)
    pair = found.compare(0.9).iloc[0]
    np.testing.assert_allclose([pair["low"], pair["high"]], 2 * exact, atol=2e-6)
    assert pair["standard_error"] == pytest.approx(2 * found.standard_errors["0"])
    assert pair["share_above"] == pytest.approx(stats.binom.sf(people / 2, people, wins / people), abs=0.01)


def test_standard_errors_agree_with_the_clustered_covariance():
    votes = code_votes(simulated(participants=120, votes_each=10, taste=0.8))
    ratio = bootstrap_ranking(votes, resamples=500, seed=0).standard_errors / fit_bradley_terry(votes).standard_errors
    np.testing.assert_allclose(ratio, 1, atol=0.12)


def test_drawing_both_counts_the_chance_of_a_vote_three_times():
    """Owen (2007): with one vote of each participant on a source, and nothing but chance, the variance is threefold."""
    votes = code_votes(simulated(participants=120, votes_each=10, sources=60, taste=0.0))
    both = bootstrap_ranking(votes, over="both", resamples=500, seed=0).standard_errors
    independent = fit_bradley_terry(votes, cluster=None).standard_errors
    np.testing.assert_allclose(both / independent, np.sqrt(3), rtol=0.15)


def test_the_same_seed_gives_the_same_numbers_in_batches_of_any_size(coded, table, monkeypatch):
    at_once = bootstrap_ranking(coded, over="both", resamples=6, seed=9)
    monkeypatch.setattr("analysis.ranking.bootstrap._BATCH_BYTES", 1)
    shuffled = table.sample(frac=1, random_state=0)
    one_by_one = bootstrap_ranking(shuffled, over="both", resamples=6, seed=9)
    np.testing.assert_allclose(one_by_one.distribution, at_once.distribution, atol=1e-9)
    other = bootstrap_ranking(coded, over="both", resamples=6, seed=10)
    assert np.abs(other.distribution - at_once.distribution).max() > 0.01


def test_weights_of_participants_are_used(table):
    person = table["participant"].cat.categories[0]
    without = bootstrap_ranking(table, resamples=10, seed=0, weights={person: 0})
    np.testing.assert_allclose(without.scores, fit_bradley_terry(table, weights={person: 0}).scores, atol=1e-8)
    less = bootstrap_ranking(table, resamples=10, seed=0, weights={person: 0.5})
    np.testing.assert_allclose(less.scores, fit_bradley_terry(table, weights={person: 0.5}).scores, atol=1e-8)


def test_rank_shares_add_up_and_follow_the_scores(coded):
    found = bootstrap_ranking(coded, seed=0)
    shares = found.rank_shares()
    np.testing.assert_allclose(shares.sum(axis=0), 1)
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    assert shares.loc["d", 4] > 0.95
    above = found.compare().set_index(["first", "second"])["share_above"]
    # A condition's mean rank is 1 + the shares in which the others are above it.
    a, mean_rank = found.scores.idxmax(), shares @ np.arange(1, 5)
    assert mean_rank[a] == pytest.approx(1 + (1 - above.loc[a]).sum())


def carried_by(few, people=100):
    """c loses only to the votes of a few participants."""
    rows = [(0, 1, 0), (0, 1, 1), (0, 2, 1), (1, 2, 1)]
    votes = [(*row, person) for person in range(people) for row in rows]
    votes += [(0, 2, 0, person) for person in range(few)]
    left, right, choice, participant = np.array(votes).T
    return CodedVotes.from_arrays(left, right, choice, conditions=list("abc"), participant=participant)


def test_resamples_without_finite_scores_are_counted_and_left_out():
    found = bootstrap_ranking(carried_by(4), seed=0)
    chance = (1 - 4 / 100) ** 100
    assert abs(found.failed - 1000 * chance) < 4 * np.sqrt(1000 * chance)
    assert len(found.distribution) == 1000 - found.failed
    assert np.isfinite(found.distribution).all()
    assert np.abs(found.distribution).max() < 10


def test_too_many_failures_are_an_error_that_says_what_to_do():
    with pytest.raises(TooManyFailedResamples, match="ridge") as raised:
        bootstrap_ranking(carried_by(1), seed=0)
    assert raised.value.failed > 50
    assert bootstrap_ranking(carried_by(1), resamples=200, seed=0, ridge=1).failed == 0
    with pytest.raises(SeparatedConditions):
        bootstrap_ranking(carried_by(0), seed=0)


def of_people(people):
    """15 votes of each of them, all alike."""
    left = np.repeat([0, 1], (9, 6))
    return CodedVotes.from_arrays(
        np.tile(left, people),
        np.tile(1 - left, people),
        np.zeros(15 * people, int),
        conditions=2,
        participant=np.repeat(np.arange(people), 15),
    )


def test_what_cannot_be_resampled_is_refused(coded):
    for over, people, said in (
        ("participant", 1, "one participant"),
        ("source", 2, "one source"),
        ("both", 2, "one source"),
        ("participant", 2, "alike"),
    ):
        with pytest.raises(CovarianceUnavailable, match=said):
            bootstrap_ranking(of_people(people), over=over, resamples=30, seed=0)
    for wrong in ({"over": "clip"}, {"resamples": 1}, {"ridge": -1}, {"ties": "x"}, {"seed": -1}):
        with pytest.raises(InvalidOption, match=next(iter(wrong))):
            bootstrap_ranking(coded, **{"seed": 0} | wrong)
    found = bootstrap_ranking(coded, resamples=20, seed=0)
    with pytest.raises(InvalidOption, match="method"):
        found.interval(method="bca")
    with pytest.raises(InvalidOption, match="level"):
        found.compare(95)


def test_a_frame_and_its_codes_give_the_same(table, coded):
    frame, codes = (bootstrap_ranking(votes, resamples=10, seed=0) for votes in (table, coded))
    np.testing.assert_array_equal(frame.distribution, codes.distribution)
    assert frame.unit == "logit"
    assert bootstrap_ranking(coded, resamples=10, seed=0, model="thurstone").unit == "jod"
    assert isinstance(frame.interval(), pd.DataFrame)
