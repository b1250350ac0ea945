"""Fitted scores and their covariance against published numbers and independent implementations."""

import choix
import numpy as np
import pytest
from scipy.optimize import approx_fprime

from analysis import fit_bradley_terry, validate_votes
from analysis.errors import CovarianceUnavailable, InvalidOption, InvalidVotes

FOUR = {"reference": 0.9, "ioi": 0.3, "ifgsm": -0.2, "fgsm": -1.0}


def design(votes, conditions):
    """Votes without ties as a logistic regression: signed columns (first condition left out) and left chosen."""
    columns = np.zeros((len(votes), len(conditions)))
    at = {condition: k for k, condition in enumerate(conditions)}
    for row, (left, right) in enumerate(zip(votes["left"], votes["right"], strict=True)):
        columns[row, at[left]] += 1
        columns[row, at[right]] -= 1
    return columns[:, 1:], (votes["choice"] == "left").to_numpy(dtype=float)


def differences_from_first(result):
    """The covariance of score - score of the first condition, for the others."""
    n = len(result.scores)
    contrast = np.hstack([-np.ones((n - 1, 1)), np.eye(n - 1)])
    return contrast @ result.covariance.to_numpy() @ contrast.T


class TestAgainstOthers:
    @pytest.mark.parametrize("seed", range(3))
    def test_scores_equal_choix(self, simulate, seed):
        votes = validate_votes(simulate({str(k): 0.6 * k for k in range(8)}, seed=seed, participants=60))
        left, right = (votes[side].cat.codes.to_numpy() for side in ("left", "right"))
        left_won = (votes["choice"] == "left").to_numpy()
        won, lost = np.where(left_won, left, right), np.where(left_won, right, left)
        wanted = choix.ilsr_pairwise(8, np.column_stack([won, lost]), tol=1e-12)
        np.testing.assert_allclose(fit_bradley_terry(votes).scores, wanted - wanted.mean(), atol=1e-9)

    def test_ties_are_half_wins_as_in_choix_dense(self, simulate):
        votes = validate_votes(simulate(FOUR, tie=0.3))
        left, right = (votes[side].cat.codes.to_numpy() for side in ("left", "right"))
        wins = np.zeros((4, 4))
        share = votes["choice"].map({"left": 1, "right": 0, "tie": 0.5}).to_numpy(dtype=float)
        np.add.at(wins, (left, right), share)
        np.add.at(wins, (right, left), 1 - share)
        wanted = choix.ilsr_pairwise_dense(wins, tol=1e-12)
        np.testing.assert_allclose(fit_bradley_terry(votes, ties="half").scores, wanted - wanted.mean(), atol=1e-9)

    @pytest.mark.slow
    @pytest.mark.parametrize("people", [3, 40])
    def test_clustered_covariance_equals_statsmodels(self, simulate, people):
        from statsmodels.discrete.discrete_model import Logit

        votes = simulate(FOUR, participants=people, votes_each=60, taste=0.8)
        result = fit_bradley_terry(votes)
        columns, chosen = design(votes, result.scores.index)
        groups = votes["participant"].factorize()[0]
        fit = Logit(chosen, columns).fit(
            disp=0, method="newton", tol=1e-13, cov_type="cluster", cov_kwds={"groups": groups, "use_correction": False}
        )
        np.testing.assert_allclose(fit.params, (result.scores - result.scores.iloc[0])[1:], atol=1e-10)
        wanted = fit.cov_params() * people / (people - 1)
        np.testing.assert_allclose(differences_from_first(result), wanted, rtol=1e-9, atol=1e-14)
        assert result.degrees_of_freedom == people - 1

    @pytest.mark.slow
    def test_independent_votes_equal_statsmodels(self, simulate):
        from statsmodels.discrete.discrete_model import Logit

        votes = simulate(FOUR)
        result = fit_bradley_terry(votes, cluster=None)
        columns, chosen = design(votes, result.scores.index)
        fit = Logit(chosen, columns).fit(disp=0, method="newton", tol=1e-13)
        np.testing.assert_allclose(differences_from_first(result), fit.cov_params(), rtol=1e-10)
        assert result.degrees_of_freedom == np.inf

    @pytest.mark.slow
    def test_two_way_covariance_is_the_sum_of_three_of_statsmodels(self, simulate):
        from statsmodels.discrete.discrete_model import Logit

        votes = simulate(FOUR, sources=9, source_effect=0.5, participants=50)
        result = fit_bradley_terry(votes, cluster="two-way")
        columns, chosen = design(votes, result.scores.index)
        wanted = 0
        for sign, labels in (
            (1, votes["participant"]),
            (1, votes["source"]),
            (-1, votes["participant"] + votes["source"]),
        ):
            groups, names = labels.factorize()
            fit = Logit(chosen, columns).fit(
                disp=0, method="newton", cov_type="cluster", cov_kwds={"groups": groups, "use_correction": False}
            )
            wanted = wanted + sign * fit.cov_params() * len(names) / (len(names) - 1)
        assert np.linalg.eigvalsh(wanted).min() > 0
        np.testing.assert_allclose(differences_from_first(result), wanted, rtol=1e-8)
        assert result.degrees_of_freedom == 8

    @pytest.mark.parametrize("ties", ["half", "davidson"])
    def test_information_is_the_numeric_hessian(self, simulate, ties):
        """The likelihood written out again from the definition of each model, differentiated numerically."""
        votes = simulate(FOUR, tie=0.25)
        result = fit_bradley_terry(votes, ties=ties, cluster=None)
        at = {condition: k for k, condition in enumerate(result.scores.index)}
        left, right = (votes[side].map(at).to_numpy() for side in ("left", "right"))
        choice = votes["choice"].to_numpy()

        def negative_log_likelihood(free):
            worth = np.exp(np.append(free[:3], 0))
            strength_left, strength_right = worth[left], worth[right]
            if ties == "half":
                chance = strength_left / (strength_left + strength_right)
                share = np.where(choice == "left", 1.0, np.where(choice == "right", 0.0, 0.5))
                return -np.sum(share * np.log(chance) + (1 - share) * np.log(1 - chance))
            tied = np.exp(free[3]) * np.sqrt(strength_left * strength_right)
            part = np.where(choice == "left", strength_left, np.where(choice == "right", strength_right, tied))
            return -np.sum(np.log(part / (strength_left + strength_right + tied)))

        free = (result.scores - result.scores.iloc[-1]).to_numpy()[:3]
        free = free if ties == "half" else np.append(free, np.log(result.tie_parameter))

        def gradient(point):
            step = 1e-5 * np.eye(len(free))
            return (
                np.array([negative_log_likelihood(point + s) - negative_log_likelihood(point - s) for s in step]) / 2e-5
            )

        np.testing.assert_allclose(gradient(free), 0, atol=1e-5)
        hessian = approx_fprime(free, gradient, 1e-4)
        covariance = result.covariance.to_numpy()
        contrast = np.hstack([np.eye(3), -np.ones((3, 1))])
        wanted = np.linalg.inv(hessian)[:3, :3]
        np.testing.assert_allclose(contrast @ covariance @ contrast.T, wanted, rtol=2e-3)

    def test_davidson_clusters_reduce_to_bradley_terry_without_ties(self, simulate):
        votes = simulate(FOUR)
        half, davidson = (fit_bradley_terry(votes, ties=ties) for ties in ("half", "davidson"))
        np.testing.assert_allclose(davidson.covariance, half.covariance, rtol=1e-12)
        assert (davidson.tie_parameter, half.tie_parameter) == (0, None)

    def test_davidson_clustered_by_vote_is_near_fisher(self, simulate):
        """Where the model is right and every cluster is one vote, the sandwich estimates the same matrix."""
        votes = simulate(FOUR, participants=2500, votes_each=1, taste=0, tie=0.2)
        sandwich = fit_bradley_terry(votes, ties="davidson").standard_errors
        fisher = fit_bradley_terry(votes, ties="davidson", cluster=None).standard_errors
        np.testing.assert_allclose(sandwich, fisher, rtol=0.08)


class TestProperties:
    @pytest.mark.parametrize("ties", ["half", "davidson"])
    @pytest.mark.parametrize("cluster", ["participant", "two-way", None])
    def test_swapping_sides_changes_nothing(self, simulate, ties, cluster):
        votes = simulate(FOUR, tie=0.2, sources=8)
        swapped = votes.rename(columns={"left": "right", "right": "left"})
        swapped["choice"] = swapped["choice"].map({"left": "right", "right": "left", "tie": "tie"})
        one, two = (fit_bradley_terry(table, ties=ties, cluster=cluster) for table in (votes, swapped))
        np.testing.assert_allclose(one.scores, two.scores, atol=1e-12)
        np.testing.assert_allclose(one.covariance, two.covariance, rtol=1e-9, atol=1e-15)

    def test_new_labels_carry_the_numbers_along(self, simulate):
        votes = simulate(FOUR, tie=0.2)
        names = {"reference": "z", "ioi": "a", "ifgsm": "ü 2", "fgsm": "b"}
        renamed = votes.replace({"left": names, "right": names})
        one, two = fit_bradley_terry(votes), fit_bradley_terry(renamed)
        order = list(names)
        np.testing.assert_allclose(one.scores[order], two.scores[list(names.values())], atol=1e-12)
        np.testing.assert_allclose(one.standard_errors[order], two.standard_errors[list(names.values())], rtol=1e-10)

    def test_row_order_changes_nothing(self, simulate):
        votes = simulate(FOUR, tie=0.2)
        one, two = (fit_bradley_terry(table) for table in (votes, votes.sample(frac=1, random_state=3)))
        np.testing.assert_allclose(one.scores, two.scores, atol=1e-12)
        np.testing.assert_allclose(one.covariance, two.covariance, rtol=1e-9, atol=1e-15)

    def test_copying_every_vote_halves_fisher_variance_and_not_the_clustered_one(self, simulate):
        votes = simulate(FOUR)
        twice = votes.loc[votes.index.repeat(2)]
        for cluster, factor in ((None, 0.5), ("participant", 1.0)):
            one, two = (fit_bradley_terry(table, cluster=cluster) for table in (votes, twice))
            np.testing.assert_allclose(two.scores, one.scores, atol=1e-10)
            np.testing.assert_allclose(two.covariance, factor * one.covariance, rtol=1e-8)

    def test_scores_sum_to_zero_and_recover_the_truth(self, simulate):
        result = fit_bradley_terry(simulate(FOUR, participants=600, taste=0))
        assert abs(result.scores.sum()) < 1e-12
        assert np.abs(result.covariance.sum()).max() < 1e-12
        wanted = {condition: score for condition, score in FOUR.items()}
        error = np.array([result.scores[condition] - score for condition, score in wanted.items()])
        assert np.all(np.abs(error) < 4 * result.standard_errors[list(wanted)])

    def test_two_conditions(self, write_counts):
        """By hand: the difference is the log odds, its Fisher variance 1/60 + 1/20."""
        result = fit_bradley_terry(write_counts([("a", "b", 60, 20, 0)]), cluster=None)
        comparison = result.compare().iloc[0]
        assert comparison["difference"] == pytest.approx(np.log(3), abs=1e-12)
        assert comparison["standard_error"] == pytest.approx(np.sqrt(1 / 60 + 1 / 20), rel=1e-10)

    def test_long_scales_converge(self, write_counts):
        rows = [(f"{k:02d}", f"{k + 1:02d}", 999, 1, 0) for k in range(30)]
        scores = fit_bradley_terry(write_counts(rows), cluster=None).scores
        np.testing.assert_allclose(-np.diff(scores), np.log(999), atol=1e-8)

    def test_only_test_votes_in_use_are_counted(self, study):
        noise = study.assign(left="fgsm", right="reference", choice="left", expected="left")
        tests = study["kind"] == "test"
        mixed = study[tests].assign(use=True)
        for kind, use in (("training", True), ("verification", True), ("repeat", True), ("test", False)):
            mixed = mixed._append(noise.assign(kind=kind, use=use), ignore_index=True)
        wanted, found = fit_bradley_terry(study[tests]), fit_bradley_terry(mixed)
        np.testing.assert_array_equal(found.scores, wanted.scores)
        assert (found.n_votes, found.n_participants) == (tests.sum(), 40)


class TestRefused:
    def test_one_participant_has_no_spread(self, simulate):
        votes = simulate(FOUR, participants=1, votes_each=400)
        with pytest.raises(CovarianceUnavailable, match="one participant"):
            fit_bradley_terry(votes)
        assert fit_bradley_terry(votes, cluster=None).n_participants == 1

    def test_one_source_has_no_spread(self, simulate):
        with pytest.raises(CovarianceUnavailable, match="one source"):
            fit_bradley_terry(simulate(FOUR, sources=1), cluster="two-way")

    def test_participants_who_answer_all_alike(self, write_counts):
        votes = write_counts([("a", "b", 3, 1, 0)], participants=1)
        votes = votes.loc[np.tile(votes.index, 5)].assign(participant=np.repeat(list("12345"), 4))
        with pytest.raises(CovarianceUnavailable, match="so much alike"):
            fit_bradley_terry(votes)

    def test_nothing_to_count(self, study):
        with pytest.raises(InvalidVotes, match="no vote counts"):
            fit_bradley_terry(study.assign(use=False))

    def test_several_target_metrics(self, study):
        votes = study.assign(target_metric=np.where(np.arange(len(study)) % 2, "paq2piq", "demo"))
        with pytest.raises(InvalidVotes, match=r"2 target metrics \(demo, paq2piq\)"):
            fit_bradley_terry(votes)

    @pytest.mark.parametrize("options", [{"ties": "ignore"}, {"cluster": "session"}])
    def test_options_that_do_not_exist(self, study, options):
        with pytest.raises(InvalidOption, match=r"expected 'davidson'.* or 'half'|expected 'participant'.* or None"):
            fit_bradley_terry(study, **options)
