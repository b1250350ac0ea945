"""Every family and option of the fit against its definition, differentiated numerically, and against statsmodels."""

import numpy as np
import pytest
from scipy.optimize import approx_fprime, minimize
from scipy.stats import norm

from analysis import fit_bradley_terry, validate_votes
from analysis.errors import (
    CovarianceUnavailable,
    DisconnectedConditions,
    InvalidOption,
    InvalidVotes,
    SeparatedConditions,
)
from analysis.ranking.counts import CodedVotes, code_votes, pair_counts
from analysis.ranking.families import (
    FAMILIES,
    JOD_SD,
    TIED_FAMILIES,
    answer_slopes,
    derivatives,
    log_likelihood,
    probabilities,
)
from analysis.ranking.likelihood import maximise_likelihood

GAPS = np.array([-30.0, -3.0, -0.4, 0.0, 0.7, 2.5, 30.0])
SIZE = 900


@pytest.fixture(scope="module")
def answers():
    """left, right, choice, participant of 900 votes on four conditions, a sixth of them ties, with a left bias."""
    rng = np.random.default_rng(7)
    left = rng.integers(4, size=SIZE)
    right = (left + rng.integers(1, 4, size=SIZE)) % 4
    scores = np.array([0.6, 0.2, -0.1, -0.7])
    chance = 1 / (1 + np.exp(scores[right] - scores[left] - 0.4))
    choice = np.where(rng.random(SIZE) < chance, 0, 1)
    return left, right, np.where(rng.random(SIZE) < 1 / 6, 2, choice), rng.integers(30, size=SIZE)


def coded(answers) -> CodedVotes:
    left, right, choice, participant = answers
    return CodedVotes.from_arrays(left, right, choice, conditions=4, participant=participant)


def design(left, right, n=4):
    """Signed columns, the first condition left out."""
    rows = np.arange(len(left))
    columns = np.zeros((len(left), n))
    columns[rows, left] += 1
    columns[rows, right] -= 1
    return columns[:, 1:]


@pytest.mark.parametrize("family", FAMILIES)
def test_probabilities_sum_to_one_and_explain_the_likelihood(family):
    tie = 0.3 if family in TIED_FAMILIES else None
    chances = np.array(probabilities(family, GAPS, tie))
    np.testing.assert_allclose(chances.sum(axis=0), 1, rtol=1e-12)
    np.testing.assert_allclose(chances[0], probabilities(family, -GAPS, tie)[1], rtol=1e-12)
    inner = slice(1, -1)
    votes = np.array([[3.0], [2.0], [1.0 if tie else 0.0]]) * np.ones(5)
    wanted = np.sum(votes[:2] * np.log(chances[:2, inner])) + (np.log(chances[2, inner]).sum() if tie else 0)
    assert log_likelihood(family, GAPS[inner], tie, *votes) == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize("family", FAMILIES)
def test_slopes_are_the_numeric_derivatives(family):
    gap, votes = GAPS[1:-1], (np.array([3.0, 1, 4, 1, 5]), np.array([2.0, 7, 1, 8, 2]), np.array([1.0, 2, 0, 3, 4]))
    tied = family in TIED_FAMILIES
    votes = votes if tied else (*votes[:2], np.zeros(5))

    def value(shift, tie):
        return log_likelihood(family, gap[:, None] + shift, tie, *(part[:, None] for part in votes))

    tie, step = (0.3 if tied else None), 1e-4
    more = None if tie is None else tie + step
    less = None if tie is None else tie - step
    found = derivatives(family, gap, tie, *votes)
    np.testing.assert_allclose(found.gap, (value(step, tie) - value(-step, tie)) / (2 * step), rtol=1e-6)
    if family != "thurstone":
        curve = (value(step, tie) - 2 * value(0, tie) + value(-step, tie)) / step**2
        np.testing.assert_allclose(found.gap_gap, -curve, rtol=1e-5, atol=1e-6)
    if tied:
        np.testing.assert_allclose(found.tie, (value(0, more) - value(0, less)) / (2 * step), rtol=1e-6)
        curve = (value(0, more) - 2 * value(0, tie) + value(0, less)) / step**2
        np.testing.assert_allclose(found.tie_tie, -curve, rtol=1e-5)
        mixed = value(step, more) - value(step, less) - value(-step, more) + value(-step, less)
        np.testing.assert_allclose(found.gap_tie, -mixed / (4 * step**2), rtol=1e-5, atol=1e-6)
    # The mean slope of an answer is zero under the model.
    by_gap, by_tie = answer_slopes(family, gap, tie)
    chances = np.stack(probabilities(family, gap, tie), axis=-1)
    np.testing.assert_allclose((chances * by_gap).sum(axis=-1), 0, atol=1e-12)
    if tied:
        np.testing.assert_allclose((chances * by_tie).sum(axis=-1), 0, atol=1e-12)


@pytest.mark.parametrize("position", [False, True])
@pytest.mark.parametrize("ties", ["davidson", "rao-kupper"])
def test_modelled_ties_are_the_maximum_of_the_definition(answers, ties, position):
    """Likelihood of each vote from the model's definition, maximised by a general optimiser."""
    left, right, choice, _ = answers

    def minus_log_likelihood(free):
        scores = np.append(0, free[:3])
        gap = scores[left] - scores[right] + (free[4] if position else 0)
        if ties == "davidson":
            parts = np.exp([gap / 2, -gap / 2, np.full(SIZE, free[3])])
            chances = parts / parts.sum(axis=0)
        else:
            theta, worth_left, worth_right = np.exp(free[3]), np.exp(gap), 1.0
            one, other = worth_left / (worth_left + theta), worth_right / (theta * worth_left + worth_right)
            chances = np.array([one, other, 1 - one - other])
        return -np.sum(np.log(chances[choice, np.arange(SIZE)]))

    start = np.full(4 + position, 0.3)
    best = minimize(minus_log_likelihood, start, method="BFGS", options={"gtol": 1e-6}).x
    result = fit_bradley_terry(coded(answers), ties=ties, position=position, cluster=None).anchored("0")
    found = np.array([*result.scores[1:], np.log(result.tie_parameter), *([result.position.value] if position else [])])
    np.testing.assert_allclose(found, best, atol=2e-6)
    assert result.log_likelihood == pytest.approx(-minus_log_likelihood(found), rel=1e-10)
    errors = [*result.standard_errors[1:], result.tie_log_error]
    errors += [result.position.standard_error] if position else []
    hessian = approx_fprime(found, lambda at: approx_fprime(at, minus_log_likelihood, 1e-5), 1e-4)
    np.testing.assert_allclose(errors, np.sqrt(np.diag(np.linalg.inv(hessian))), rtol=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("cluster", ["participant", None])
def test_left_bias_is_the_constant_of_a_logistic_regression(answers, cluster):
    import statsmodels.api as sm

    left, right, choice, participant = (part[answers[2] < 2] for part in answers)
    result = fit_bradley_terry(coded((left, right, choice, participant)), position=True, cluster=cluster).anchored("0")
    columns = sm.add_constant(design(left, right))
    how = {"cov_type": "cluster", "cov_kwds": {"groups": participant, "use_correction": False}} if cluster else {}
    fit = sm.Logit(1 - choice, columns).fit(disp=0, method="newton", tol=1e-13, **how)
    np.testing.assert_allclose([result.position.value, *result.scores[1:]], fit.params, atol=1e-9)
    factor = np.sqrt(30 / 29) if cluster else 1
    wanted = fit.bse * factor
    np.testing.assert_allclose([result.position.standard_error, *result.standard_errors[1:]], wanted, rtol=1e-8)


@pytest.mark.slow
@pytest.mark.parametrize("cluster", ["participant", None])
def test_rao_kupper_is_a_cumulative_logit_model(answers, cluster):
    """Of the answer right, tie, left: the left bias shifts both of its thresholds, t parts them."""
    from statsmodels.miscmodels.ordinal_model import OrderedModel

    left, right, choice, participant = answers
    votes = coded(answers)
    result = fit_bradley_terry(votes, ties="rao-kupper", position=True, cluster=cluster).anchored("0")
    how = {"cov_type": "cluster", "cov_kwds": {"groups": participant, "use_correction": False}} if cluster else {}
    model = OrderedModel(np.array([2, 0, 1])[choice], design(left, right), distr="logit")
    fit = model.fit(method="bfgs", disp=0, gtol=1e-9, maxiter=500, **how)
    # Its last parameters are the lower threshold and the logarithm of the distance to the upper one.
    half = np.exp(fit.params[4]) / 2
    wanted = [*fit.params[:3], half, -fit.params[3] - half]
    found = [*result.scores[1:], np.log(result.tie_parameter), result.position.value]
    np.testing.assert_allclose(found, wanted, atol=1e-7)
    slopes = np.eye(5)
    slopes[3], slopes[4] = [0, 0, 0, 0, half], [0, 0, 0, -1, -half]
    errors = np.sqrt(np.diag(slopes @ fit.cov_params() @ slopes.T)) * (np.sqrt(30 / 29) if cluster else 1)
    found = [*result.standard_errors[1:], result.tie_log_error, result.position.standard_error]
    np.testing.assert_allclose(found, errors, rtol=2e-6)
    assert result.log_likelihood == pytest.approx(fit.llf, rel=1e-12)


@pytest.mark.slow
def test_thurstone_is_a_probit_regression(answers):
    import statsmodels.api as sm

    left, right, choice, _ = (part[answers[2] < 2] for part in answers)
    votes = CodedVotes.from_arrays(left, right, choice, conditions=4)
    result = fit_bradley_terry(votes, model="thurstone", cluster=None).anchored("0")
    link = sm.families.Binomial(sm.families.links.Probit())
    fit = sm.GLM(1 - choice, design(left, right), family=link).fit(tol=1e-14)
    np.testing.assert_allclose(result.scores[1:], fit.params * JOD_SD, atol=1e-9)
    np.testing.assert_allclose(result.standard_errors[1:], fit.bse * JOD_SD, rtol=1e-8)
    assert result.unit == "jod"
    assert result.preference(1.0) == pytest.approx(0.75)
    assert norm.cdf(1 / JOD_SD) == pytest.approx(0.75)


def test_a_ridge_is_a_penalised_logistic_regression(answers):
    left, right, choice, _ = (part[answers[2] < 2] for part in answers)
    columns = np.zeros((len(left), 4))
    columns[:, 1:] = design(left, right)
    columns[:, 0] = -columns[:, 1:].sum(axis=1)

    def penalised(scores):
        gap = columns @ scores
        return -np.sum((1 - choice) * gap - np.logaddexp(0, gap)) + 2.5 / 2 * scores @ scores

    best = minimize(penalised, np.zeros(4), method="BFGS", options={"gtol": 1e-8}).x
    result = fit_bradley_terry(CodedVotes.from_arrays(left, right, choice, conditions=4), ridge=2.5, cluster=None)
    np.testing.assert_allclose(result.scores, best, atol=2e-6)
    chance = 1 / (1 + np.exp(-columns @ best))
    posterior = np.linalg.inv(columns.T @ (columns * (chance * (1 - chance))[:, None]) + 2.5 * np.eye(4))
    contrast = np.array([1, 0, 0, -1])
    found = contrast @ result.covariance.to_numpy() @ contrast
    assert found == pytest.approx(contrast @ posterior @ contrast, rel=1e-5)


def test_an_estimated_ridge_is_the_spread_that_the_votes_show():
    """It solves variance = (squared scores + their covariance) / (n - 1), and finds the spread of the truth."""
    rng = np.random.default_rng(3)
    truth = rng.normal(0, 0.7, 30)
    truth -= truth.mean()
    left = rng.integers(30, size=2000)
    right = (left + rng.integers(1, 30, size=2000)) % 30
    choice = (rng.random(2000) > 1 / (1 + np.exp(truth[right] - truth[left]))).astype(int)
    votes = CodedVotes.from_arrays(left, right, choice, conditions=30)
    result = fit_bradley_terry(votes, ridge="estimated", cluster=None)
    spread = (np.sum(result.scores**2) + np.trace(result.covariance)) / 29
    assert spread == pytest.approx(1 / result.ridge, rel=1e-5)
    assert 1 / np.sqrt(result.ridge) == pytest.approx(truth.std(ddof=1), rel=0.2)
    plain = fit_bradley_terry(votes, cluster=None)
    assert (result.scores.abs() < plain.scores.abs()).mean() > 0.9
    assert (result.standard_errors < plain.standard_errors).all()
    few = CodedVotes.from_arrays(np.array([0, 1]), np.array([1, 2]), np.array([0, 0]), conditions=3)
    shrunk = fit_bradley_terry(few, ridge="estimated", cluster=None)
    assert set(shrunk.held_by_ridge) == {"0", "2"}
    assert shrunk.ridge == 100
    assert shrunk.scores.abs().max() < 0.1
    with pytest.raises(InvalidOption, match="or 'estimated'"):
        fit_bradley_terry(votes, ridge="guessed")


def test_weights_count_votes_and_zero_leaves_people_out(simulate):
    votes = simulate({"a": 0.5, "b": 0.0, "c": -0.4}, participants=12, votes_each=20, tie=0.1)
    people = sorted(votes["participant"].unique())
    twice = votes["participant"].isin(people[:4])
    gone = votes["participant"].isin(people[4:6]).to_numpy()
    weights = dict.fromkeys(people[:4], 2) | dict.fromkeys(people[4:6], 0)
    weighted = fit_bradley_terry(votes, weights=weights)
    written_out = votes[~gone].loc[lambda kept: kept.index.repeat(1 + twice[kept.index])]
    wanted = fit_bradley_terry(written_out)
    np.testing.assert_allclose(weighted.scores, wanted.scores, atol=1e-9)
    np.testing.assert_allclose(weighted.covariance, wanted.covariance, rtol=1e-7, atol=1e-12)
    assert (weighted.n_votes, weighted.n_participants) == ((~gone).sum(), 10)
    assert weighted.tallies["wins"].sum() + weighted.tallies["ties"].sum() / 2 == weighted.n_votes
    plain = fit_bradley_terry(votes)
    ones = fit_bradley_terry(votes, weights=dict.fromkeys(people, 1.0))
    np.testing.assert_allclose(ones.covariance, plain.covariance, rtol=1e-10, atol=1e-15)
    with pytest.raises(InvalidOption, match="negative"):
        fit_bradley_terry(votes, weights={people[0]: -1})
    with pytest.raises(InvalidOption, match=r"for codes use CodedVotes\.weighted"):
        fit_bradley_terry(code_votes(validate_votes(votes)), weights={people[0]: 2})


def test_codes_of_weight_0_are_no_votes_and_their_people_nobody(answers):
    left, right, choice, participant = answers
    source = participant % 5
    weight = np.where((participant < 6) | (source == 4), 0.0, 1.5)
    weight[::7] = 0
    every = CodedVotes.from_arrays(left, right, choice, conditions=4, participant=participant, source=source)
    kept = weight > 0
    arrays = {"participant": participant[kept], "source": source[kept]}
    rest = CodedVotes.from_arrays(left[kept], right[kept], choice[kept], conditions=4, **arrays)
    for cluster in ("participant", "two-way"):
        found, wanted = (
            fit_bradley_terry(votes, cluster=cluster)
            for votes in (every.weighted(weight), rest.weighted(np.full(kept.sum(), 1.5)))
        )
        np.testing.assert_array_equal(found.covariance, wanted.covariance)
        for name in ("n_votes", "n_participants", "n_sources", "degrees_of_freedom", "n_ties"):
            assert getattr(found, name) == getattr(wanted, name)
    assert every.weighted(weight).participants == rest.participants
    for wrong in (-weight, weight[1:], weight + np.nan, 0 * weight):
        with pytest.raises(InvalidVotes, match="weight"):
            every.weighted(wrong)


def test_few_ties_in_many_votes_converge():
    """One tie in ten million: Davidson's t runs to the left, Rao and Kupper's towards its bound at 0."""
    cells = np.zeros((3, 3, 3))
    cells[0, 1], cells[1, 2], cells[2, 0] = (4e6, 1e6, 1), (2e6, 2e6, 0), (1e6, 2e6, 0)
    pairs = pair_counts(cells.ravel())
    for family in TIED_FAMILIES:
        estimate = maximise_likelihood(pairs, family=family)
        found = derivatives(
            family,
            estimate.scores[pairs.first] - estimate.scores[pairs.second],
            estimate.tie,
            pairs.for_first,
            pairs.for_second,
            pairs.tied,
        )
        assert abs(found.tie.sum()) < 1e-5
        assert np.sum(probabilities(family, np.zeros(1), estimate.tie)[2]) == pytest.approx(1e-7, rel=0.2)


def test_what_the_left_bias_needs():
    def votes(rows):
        left, right, choice = np.array(rows).T
        return CodedVotes.from_arrays(left, right, choice, conditions=3)

    one_way = [(0, 1, 0), (0, 1, 1), (1, 2, 0), (1, 2, 1)]
    with pytest.raises(CovarianceUnavailable, match="show pairs both ways round"):
        fit_bradley_terry(votes(one_way), position=True, cluster=None)
    all_left = [(a, b, 0) for a in range(3) for b in range(3) if a != b]
    for ridge in (0.0, 1.0):
        with pytest.raises(SeparatedConditions, match="no finite left bias"):
            fit_bradley_terry(votes(all_left), position=True, ridge=ridge, cluster=None)
    assert fit_bradley_terry(votes(all_left), cluster=None).position is None


def test_people_who_lean_to_the_left_all_alike_give_no_p():
    """Each chose the left 5 times in 8, whatever they prefer: the clustered variance is 0 but for rounding."""
    left = np.tile(np.repeat([0, 1], 4), 4)
    chosen = [(3, 2), (2, 3), (4, 1), (1, 4)]
    choice = np.concatenate([np.arange(4) >= count for person in chosen for count in person]).astype(int)
    votes = CodedVotes.from_arrays(left, 1 - left, choice, conditions=2, participant=np.repeat(np.arange(4), 8))
    found = fit_bradley_terry(votes, position=True).position
    assert found.value == pytest.approx(np.log(5 / 3))
    assert np.isnan([found.standard_error, found.p]).all()
    assert fit_bradley_terry(votes, position=True, cluster=None).position.p == pytest.approx(0.16, abs=0.01)


def test_people_who_tie_all_alike_show_no_spread_of_the_tie_parameter():
    """Each ties in 2 of 8 votes; what they decide differs, so that the scores, which are equal, have a spread."""
    choice = np.array([[0, 0, 0, 0, 1, 1, 2, 2], [0, 0, 1, 1, 1, 1, 2, 2], [0, 0, 0, 1, 1, 1, 2, 2]]).ravel()
    left = np.zeros(24, int)
    votes = CodedVotes.from_arrays(left, 1 - left, choice, conditions=2, participant=np.repeat(np.arange(3), 8))
    found = fit_bradley_terry(votes)
    assert np.isnan(found.tie_log_error)
    assert (found.standard_errors > 0).all()
    assert fit_bradley_terry(votes, cluster=None).tie_log_error > 0


def test_codes_that_cannot_be_votes():
    def fit(left, right, choice, **options):
        arrays = (np.array(part) for part in (left, right, choice))
        return fit_bradley_terry(CodedVotes.from_arrays(*arrays, conditions=3, **options), cluster=None)

    with pytest.raises(InvalidVotes, match="right has codes 1 to 3; expected 0 to 2"):
        fit([0, 1], [1, 3], [0, 1])
    with pytest.raises(InvalidVotes, match="left has codes -1 to 1"):
        fit([0, 1, -1], [1, 2, 0], [0, 1, 1])
    with pytest.raises(InvalidVotes, match="float64"):
        fit([0.0, 1.0], [1, 2], [0, 1])
    with pytest.raises(InvalidVotes, match="hold 2, 2 and 1 codes"):
        fit([0, 1], [1, 2], [0])
    with pytest.raises(InvalidVotes, match="vote 2 compares '2' with itself"):
        fit([0, 2], [1, 2], [0, 1])
    with pytest.raises(DisconnectedConditions, match=r"no counted vote compares \(2\) with anything"):
        fit([0, 1], [1, 0], [0, 0])
    with pytest.raises(InvalidVotes, match="participant has codes -1"):
        fit([0, 1], [1, 0], [0, 0], participant=np.array([-1, 0]))


def test_codes_of_any_width_and_left_out_people_are_the_same_votes(answers):
    left, right, choice, _ = answers
    everybody = CodedVotes.from_arrays(
        left, right, choice, conditions=4, participant=np.arange(SIZE), source=np.zeros(SIZE, int)
    )
    whole = fit_bradley_terry(everybody)
    for kinds in (["uint8"] * 3, ["int32"] * 3, ["uint64"] * 3, ["int16", "int64", "uint8"]):
        arrays = (part.astype(kind) for part, kind in zip((left, right, choice), kinds, strict=True))
        alone = CodedVotes.from_arrays(*arrays, conditions=np.int64(4))
        np.testing.assert_array_equal(alone.cell, everybody.cell)
        np.testing.assert_array_equal(fit_bradley_terry(alone).covariance, whole.covariance)
    assert not alone.source.any()


def test_numbers_that_no_vote_bears_are_no_participants(answers):
    """Codes of a larger study: people without votes would count in C / (C - 1) and in the degrees of freedom."""
    left, right, choice, participant = answers
    source = 5 * (participant % 6)
    sparse = CodedVotes.from_arrays(left, right, choice, conditions=4, participant=3 * participant + 100, source=source)
    assert (sparse.n_participants, sparse.n_sources) == (30, 6)
    assert (sparse.participants[1], sparse.sources[1]) == ("103", "5")
    found = fit_bradley_terry(sparse)
    np.testing.assert_array_equal(found.covariance, fit_bradley_terry(coded(answers)).covariance)
    assert found.degrees_of_freedom == 29


def test_clusters_are_summed_alike_in_blocks_and_in_a_sparse_table(answers, monkeypatch):
    left, right, choice, _ = answers
    votes = CodedVotes.from_arrays(left, right, choice, conditions=4, participant=np.arange(SIZE))
    whole = fit_bradley_terry(votes, position=True)
    monkeypatch.setattr("analysis.ranking.covariance._DENSE_GRADIENTS", 0)
    sparse = fit_bradley_terry(votes, position=True)
    np.testing.assert_allclose(sparse.covariance, whole.covariance, rtol=1e-10, atol=1e-16)
    assert sparse.position.standard_error == pytest.approx(whole.position.standard_error, rel=1e-10)
    few = fit_bradley_terry(coded(answers), position=True)
    monkeypatch.setattr("analysis.ranking.covariance._BLOCK", 64)
    blocks = fit_bradley_terry(coded(answers), position=True)
    np.testing.assert_allclose(blocks.covariance, few.covariance, rtol=1e-10, atol=1e-16)
