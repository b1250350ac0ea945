"""Latent classes against Bayes' rule by hand, quadrature, and crowds whose characters are known."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from analysis import fit_bradley_terry
from analysis.crowd_scores import crowd_scores
from analysis.participants.crowd import gather_crowd
from analysis.participants.latent_class import CHARACTERS, SLIP, _averaged_over_tastes, latent_classes
from analysis.simulation import simulate_votes
from analysis.votes import validate_votes

SIX = {"a": 1.2, "b": 0.7, "c": 0.2, "d": -0.2, "e": -0.7, "f": -1.2}


@pytest.fixture(scope="module")
def table():
    return simulate_votes(SIX, participants=60, votes_each=30, sources=3, seed=4, spammers=0.2, verifications=3)


@pytest.fixture(scope="module")
def classes(table):
    return gather_crowd(table).classes


def honest_people(table):
    return table.groupby("participant", observed=True)["honest"].first().to_numpy()


def test_finds_the_honest_and_the_others(table, classes):
    honest = honest_people(table)
    assert classes.converged
    assert (classes.attentive[honest] > 0.5).mean() > 0.97
    assert (classes.attentive[~honest] < 0.5).mean() > 0.7
    np.testing.assert_allclose(classes.membership.sum(axis=1), 1)
    assert classes.shares.sum() == pytest.approx(1)
    assert classes.shares[0] == pytest.approx(0.8, abs=0.06)


def test_scores_are_those_of_the_weighted_fit(table, classes):
    weights = dict(zip(gather_crowd(table).participants, classes.attentive, strict=True))
    fitted = fit_bradley_terry(table, weights=weights, ridge=0.01)
    np.testing.assert_allclose(classes.scores, fitted.scores, atol=1e-8)


def test_names_the_characters(table):
    better = (table["left"].astype(str).map(SIX) > table["right"].astype(str).map(SIX)).to_numpy()
    right = np.where(table["kind"] == "test", better, table["expected"] == "left")
    choice = table["choice"].astype(str).to_numpy(copy=True)
    answers = {"left": "left", "right": "right", "reversed": np.where(right, "right", "left")}
    for person, answer in enumerate(answers.values()):
        choice = np.where(table["participant"] == f"P0000{person}", answer, choice)
    membership = gather_crowd(validate_votes(table.assign(choice=choice))).classes.membership
    assert [CHARACTERS[k] for k in membership[:3].argmax(axis=1)] == list(answers)
    assert membership[:3].max(axis=1).min() > 0.9


def test_membership_is_bayes_rule(table, classes):
    """Of the four characters whose likelihood is a plain product, from the parameters found, vote by vote."""
    place = {condition: k for k, condition in enumerate(SIX)}
    votes = table[(table["participant"] == "P00007").to_numpy()]
    log_joint = dict.fromkeys(("random", "left", "lapsing", "reversed"), 0.0)
    hits = {"random": (0.495, 0.495), "left": (1 - SLIP, SLIP), "reversed": (classes.misses, classes.misses)}
    hits["lapsing"] = ((1 - classes.misses + 0.495) / 2,) * 2
    for vote in votes.itertuples():
        if vote.kind == "verification":
            for name, by_side in hits.items():
                hit = by_side[vote.expected == "right"]
                log_joint[name] += np.log(hit if vote.choice == vote.expected else 1 - hit)
            continue
        chance = expit(classes.scores[place[vote.left]] - classes.scores[place[vote.right]])
        chance = chance if vote.choice == "left" else 1 - chance
        one_sided = 1 - SLIP if vote.choice == "left" else SLIP
        for name, probability in (
            ("random", 0.5),
            ("left", one_sided),
            ("lapsing", chance / 2 + 0.25),
            ("reversed", 1 - chance),
        ):
            log_joint[name] += np.log(probability)
    at = [CHARACTERS.index(name) for name in log_joint]
    found = np.log(classes.membership[7, at])
    wanted = np.array(list(log_joint.values())) + np.log(classes.shares[at])
    # The last step moved the parameters by what is left of 2e-4 in a probability.
    np.testing.assert_allclose(found - found[0], wanted - wanted[0], atol=0.02)


def test_averaging_over_tastes_is_near_the_integral():
    """Three pairs without a common condition: the likelihood is a product of integrals over one difference each."""
    gaps, chosen, taste = np.array([0.8, -0.3, 0.1]), np.array([1, 1, 0]), 0.4
    chance = expit(gaps)
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    own = expit((2 * chosen - 1)[:, None] * (gaps[:, None] + np.sqrt(2) * taste * nodes))
    exact = np.log(own @ weights / weights.sum()).sum()
    plain = np.log(np.where(chosen, chance, 1 - chance)).sum()
    residual = np.ravel(np.column_stack([chosen - chance, chance - chosen]))[None]
    information = np.repeat(chance * (1 - chance), 2)[None]
    assert plain + _averaged_over_tastes(taste**2, residual, information)[0] == pytest.approx(exact, abs=0.02)


def test_does_not_depend_on_sides_or_labels(table, classes):
    """Swapped sides swap the characters of one side; turned labels turn the scores."""
    other = {"left": "right", "right": "left", "tie": "tie"}
    swapped = table.rename(columns={"left": "right", "right": "left"})
    swapped = swapped.assign(choice=table["choice"].map(other), expected=table["expected"].map(other))
    found = gather_crowd(validate_votes(swapped)).classes.membership
    np.testing.assert_allclose(found[:, [0, 1, 3, 2, 4, 5]], classes.membership, atol=1e-8)
    names = dict(zip("abcdef", "zyxwvu", strict=True))
    sides = {side: table[side].astype(str).replace(names) for side in ("left", "right")}
    turned = gather_crowd(validate_votes(table.assign(**sides))).classes
    np.testing.assert_allclose(turned.scores, classes.scores[::-1], atol=1e-8)


def test_verification_answers_count_as_the_model_says():
    """Two people who answered test pairs alike differ by the odds of their verification answers alone."""
    table = simulate_votes({"a": 0.8, "b": 0, "c": -0.8}, participants=30, votes_each=15, sources=2, seed=3)
    crowd = gather_crowd(table)
    counts = crowd.counts[np.r_[0:30, 0]]
    asked = np.zeros((31, 3))
    asked[:, 0] = 2
    hit = asked.copy()
    hit[30, 0] = 0
    found = latent_classes(counts, asked=asked, right=hit)
    odds = np.log(found.membership[:, 0]) - np.log(found.membership[:, 1])
    # In a table without ties a guesser is right in 0.495 of the pairs with a side as the answer.
    wanted = 2 * (np.log((1 - found.misses) / found.misses) - np.log(0.495 / 0.505))
    assert odds[0] - odds[30] == pytest.approx(wanted, abs=0.02)


def test_nothing_to_go_by():
    """Only ties, and nobody asked anything: the prior, and no warning."""
    votes = pd.DataFrame({"participant": list("pqr"), "source": "s", "left": "a", "right": "b", "choice": "tie"})
    classes = gather_crowd(validate_votes(votes)).classes
    np.testing.assert_allclose(classes.membership, np.broadcast_to(classes.shares, (3, 6)), atol=1e-6)
    assert classes.scores.tolist() == [0, 0]


@pytest.mark.slow
@pytest.mark.parametrize(("people", "votes_each"), [(685, 12), (100, 45)])
def test_reaches_the_error_of_knowing_who_is_honest(people, votes_each):
    """The benchmark in small: RMSE of the weighted ranking, over that of the honest people's votes alone."""
    for spammers, spam in ((0.0, "mix"), (0.1, "mix"), (0.3, "mix"), (0.3, "hostile")):
        errors, oracle, lost = [], [], []
        for seed in range(6):
            scores = {f"c{k}": score for k, score in enumerate(np.random.default_rng(seed).normal(0, 0.8, 10))}
            truth = crowd_scores(scores, taste=0.4).to_numpy()
            table = simulate_votes(
                scores,
                participants=people,
                votes_each=votes_each,
                sources=8,
                seed=seed,
                spammers=spammers,
                spam=spam,
                verifications=3,
            )
            classes = gather_crowd(table).classes
            honest = fit_bradley_terry(table[table["honest"].to_numpy()], cluster=None).scores
            errors.append(classes.scores - truth)
            oracle.append(honest.to_numpy() - truth)
            lost.append((classes.attentive[honest_people(table)] < 0.5).mean())
        assert np.sqrt(np.mean(np.square(errors)) / np.mean(np.square(oracle))) <= 1.10
        assert np.mean(lost) <= 0.03
