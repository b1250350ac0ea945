"""Every screening rule: whom it removes, why, what it cannot judge; and the numbers that it goes by."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from scipy.stats import binomtest, median_abs_deviation

from analysis import SCREENING_RULES, fit_bradley_terry, screen_participants
from analysis.errors import EverybodyRemoved, InvalidOption, InvalidVotes
from analysis.participants.crowd import gather_crowd
from analysis.participants.screening import apply_rule
from analysis.simulation import simulate_votes
from analysis.votes import validate_votes

FOUR = {"a": 0.9, "b": 0.3, "c": -0.2, "d": -1.0}
COLUMNS = (
    "participant n_votes n_verification verification_right p_honest likely_class z_likelihood left_share side_p "
    "tie_share median_ms weight decision reason"
)


@pytest.fixture(scope="module")
def table():
    """20 honest people; P00000 always chooses the left, P00001 is too fast, P00002 ties, P00003 is wrong when checked,
    P00004 answers all the wrong way round, P00005's votes are set aside.
    """
    votes = simulate_votes(FOUR, participants=20, votes_each=24, sources=3, seed=2, tie_strength=0.1, verifications=2)
    person = votes["participant"].astype(str).to_numpy()
    tests = (votes["kind"] == "test").to_numpy()
    better = (votes["left"].astype(str).map(FOUR) > votes["right"].astype(str).map(FOUR)).to_numpy()
    right = votes["expected"].astype(str).to_numpy()
    choice = np.where(tests, votes["choice"].astype(str), right)
    choice = np.where(person == "P00000", "left", choice)
    choice = np.where((person == "P00002") & tests, "tie", choice)
    choice = np.where(
        np.isin(person, ["P00003", "P00004"]) & ~tests, np.where(right == "left", "right", "left"), choice
    )
    choice = np.where((person == "P00004") & tests, np.where(better, "right", "left"), choice)
    times = np.random.default_rng(0).lognormal(7.5, 0.3, len(votes))
    return validate_votes(
        votes.assign(
            choice=choice,
            response_ms=np.where(person == "P00001", 150.0, times),
            use=person != "P00005",
            reason=np.where(person == "P00005", "playback: 3 stalls on the left", ""),
        )
    )


def by_every_rule(table):
    crowds = {everybody: gather_crowd(table, everybody=everybody) for everybody in (False, True)}
    return {name: apply_rule(rule, crowds[rule.everybody]) for name, rule in SCREENING_RULES.items()}


@pytest.fixture(scope="module")
def screened(table):
    return by_every_rule(table)


@pytest.fixture(scope="module")
def screened_backwards(table):
    return by_every_rule(table.iloc[::-1])


def person(screening, label):
    return screening.participants.set_index("participant").loc[label]


@pytest.mark.parametrize("rule", SCREENING_RULES)
def test_every_rule(rule, table, screened, screened_backwards):
    screening, people = screened[rule], screened[rule].participants
    assert (screening.rule, screening.version) == (rule, SCREENING_RULES[rule].version)
    assert people.columns.tolist() == COLUMNS.split()
    assert people["participant"].tolist() == sorted(set(table["participant"]))
    assert people["weight"].between(0, 1).all() and people["reason"].str.len().gt(5).all()
    assert set(people["decision"]) <= {"keep", "down-weight", "remove", "cannot judge", "set aside"}
    assert ((people["weight"] == 0) == people["decision"].isin(["remove", "set aside"])).all()
    counted = screening.counted(table)
    assert set(counted["participant"]) == {label for label, weight in screening.weights.items() if weight > 0}
    assert (counted["kind"] == "test").all()
    pd.testing.assert_frame_equal(screened_backwards[rule].participants, people, rtol=1e-9)
    set_aside = person(screening, "P00005")
    if rule == "everybody":
        assert set_aside["decision"] == "keep"
    else:
        assert set_aside["decision"] == "set aside"
        assert set_aside["reason"] == "all 24 votes set aside by the table: playback: 3 stalls on the left"


@pytest.mark.parametrize(
    ("rule", "removed", "reason"),
    [
        ("verification", ["P00003", "P00004"], r"2 of 2 verification pairs wrong"),
        ("likelihood", ["P00000", "P00004"], r"improbable under the model of the others \(z = -\d\.\d, limit -2.33\)"),
        ("sides", ["P00000"], r"left in 24 of 24 preferences \(adjusted p below 0.001\)"),
        ("speed", ["P00001"], r"24 of 24 answers faster than 200 ms, which nobody can be"),
        ("ties", ["P00002"], r"24 ties in 24 votes, the others' share \d+ % \(adjusted p below 0.001\)"),
    ],
)
def test_who_is_removed(screened, rule, removed, reason):
    people = screened[rule].participants
    found = people[people["decision"] == "remove"]
    assert found["participant"].tolist() == removed
    assert re.search(reason, person(screened[rule], removed[0])["reason"])


def test_weights_by_attention(screened):
    people = screened["lapse"].participants.set_index("participant")
    assert people.loc["P00000", "reason"].startswith("attentive with probability 0.00, most likely always the left")
    assert people.loc["P00004", "likely_class"] == "reversed" and people.loc["P00004", "decision"] == "remove"
    assert people.loc["P00006":, "weight"].min() > 0.5
    assert (people["weight"] == people["p_honest"].where(people["p_honest"] >= 0.01, 0)).drop("P00005").all()
    assert people.loc["P00010", "reason"].endswith("all 2 verification pairs right")
    assert re.fullmatch(
        r"attentive with probability 0\.\d\d, no preference, only ties; all 2 verification pairs right",
        people.loc["P00002", "reason"],
    )


def test_likelihood_z_is_that_of_the_fit_without_the_participant(table, screened):
    decided = table[(table["choice"] != "tie").to_numpy()]
    for label in ("P00004", "P00009"):
        own = decided[((decided["participant"] == label) & (decided["kind"] == "test")).to_numpy()]
        others = decided[(decided["participant"] != label).to_numpy()]
        scores = fit_bradley_terry(others, cluster=None, ridge=0.01).scores
        gap = own["left"].astype(str).map(scores).to_numpy() - own["right"].astype(str).map(scores).to_numpy()
        chance = expit(gap)
        each = np.array([np.log(chance), np.log(1 - chance)])
        expected = (np.array([chance, 1 - chance]) * each).sum(axis=0)
        spread = (np.array([chance, 1 - chance]) * (each - expected) ** 2).sum()
        log_likelihood = np.where(own["choice"] == "left", *each).sum()
        wanted = (log_likelihood - expected.sum()) / np.sqrt(spread)
        assert person(screened["as-given"], label)["z_likelihood"] == pytest.approx(wanted, rel=0.02, abs=0.02)


@pytest.mark.slow
def test_side_p_equals_scipy_and_statsmodels(table, screened):
    from statsmodels.stats.multitest import multipletests

    tests = table[((table["kind"] == "test") & table["use"]).to_numpy()]
    answers = pd.crosstab(tests["participant"].astype(str), tests["choice"])
    raw = [
        binomtest(left, left + right).pvalue if left + right else 1.0
        for left, right in answers[["left", "right"]].to_numpy()
    ]
    people = screened["sides"].participants.set_index("participant").loc[answers.index]
    np.testing.assert_allclose(people["side_p"], multipletests(raw, method="holm")[1], rtol=1e-9)
    np.testing.assert_allclose(people["left_share"], answers["left"] / (answers["left"] + answers["right"]))
    np.testing.assert_allclose(people["tie_share"], answers["tie"] / 24)


def test_far_below_the_crowds_time(table):
    slow = table.assign(response_ms=np.where(table["participant"] == "P00001", 330.0, table["response_ms"]))
    found = person(screen_participants(slow, "speed"), "P00001")
    medians = slow[((slow["kind"] == "test") & slow["use"]).to_numpy()].groupby("participant", observed=True)
    logs = np.log(medians["response_ms"].median())
    z = (np.log(330) - logs.median()) / median_abs_deviation(logs, scale="normal")
    assert found["decision"] == "remove"
    assert f"(robust z = {z:.1f})" in found["reason"]


def test_an_outlier_who_is_hardly_faster_than_the_others_stays(table):
    alike = np.where(table["participant"] == "P00001", 2800.0, 3000 + np.arange(len(table)) % 40)
    assert (screen_participants(table.assign(response_ms=alike), "speed").participants["decision"] != "remove").all()


def test_who_often_sees_no_difference_stays(table):
    """Four ties in five where the others tie one in ten: improbable, and no more than a cautious person's answers."""
    often = ((table["participant"] == "P00002") & (np.arange(len(table)) % 5 == 0)).to_numpy()
    found = screen_participants(table.assign(choice=np.where(often, "left", table["choice"].astype(str))), "ties")
    assert 0.7 < person(found, "P00002")["tie_share"] < 0.9
    assert person(found, "P00002")["decision"] == "keep"


def test_a_handful_of_people_are_no_crowd_to_disagree_with(table):
    """Who disagrees with one other person is not improbable; who disagrees with four is."""
    for others, decision in ((3, "cannot judge"), (4, "remove")):
        people = ["P00004", *(f"P{k:05d}" for k in range(6, 6 + others))]
        few = validate_votes(table[table["participant"].isin(people).to_numpy()])
        assert person(screen_participants(few, "likelihood"), "P00004")["decision"] == decision


def test_a_rule_says_what_it_cannot_judge():
    votes = simulate_votes(FOUR, participants=30, votes_each=4, sources=2, seed=1)
    found = by_every_rule(votes)
    for rule, reason in (
        ("verification", "no verification pairs"),
        ("likelihood", "too few preferences"),
        ("sides", "too few to tell among 30 participants"),
        ("speed", "no response times"),
    ):
        people = found[rule].participants
        assert (people["decision"] == "cannot judge").all() and (people["weight"] == 1).all()
        assert people["reason"].str.contains(reason).all()
    assert found["lapse"].participants["reason"].str.endswith("; no verification pairs").all()
    few = votes.assign(response_ms=900.0)
    assert screen_participants(few, "speed").participants["reason"][0] == (
        "median answer after 900 ms, of only 4 timed answers"
    )


def test_one_participant_and_nothing_but_ties(table):
    """No rule can say anything about them, and none stumbles."""
    one = table[(table["participant"] == "P00009").to_numpy()]
    tied = table[(table["kind"] == "test").to_numpy()].assign(choice="tie")
    for votes in (one, tied):
        for screening in by_every_rule(validate_votes(votes.drop(columns="response_ms"))).values():
            assert set(screening.participants["decision"]) <= {"keep", "cannot judge", "set aside"}


def test_several_target_metrics_have_scores_of_their_own(table):
    """A metric on which everything is the other way round makes nobody improbable."""
    other = table.rename(columns={"left": "right", "right": "left"}).assign(target_metric="y")
    both = pd.concat([table.assign(target_metric="x"), other], ignore_index=True)
    people = screen_participants(both, "lapse").participants.set_index("participant")
    assert people.loc["P00006":, "p_honest"].min() > 0.5


def test_input_is_left_alone_and_the_rule_found_by_name(table, screened):
    before = table.copy()
    found = screen_participants(table, "lapse")
    pd.testing.assert_frame_equal(table, before)
    pd.testing.assert_frame_equal(found.participants, screened["lapse"].participants)
    assert found.title == "Weights by attention (recommended)"


def test_rules_that_do_not_exist(table):
    with pytest.raises(InvalidOption, match="no screening rule 'laps'; did you mean 'lapse'"):
        screen_participants(table, "laps")
    with pytest.raises(InvalidOption, match="expected one of as-given, everybody, verification"):
        screen_participants(table, "xyz")


def test_nobody_is_left(table):
    wrong = np.where(table["expected"] == "left", "right", "left")
    choice = np.where(table["kind"] == "verification", wrong, table["choice"].astype(str))
    with pytest.raises(EverybodyRemoved, match=r"leaves nobody: it removes all 19 participants.*“2 of 2") as caught:
        screen_participants(table.assign(choice=choice), "verification")
    assert set(caught.value.screening.participants["decision"]) == {"remove", "set aside"}
    with pytest.raises(InvalidVotes, match="nobody to screen"):
        screen_participants(table.assign(use=False), "lapse")


def test_the_documentation_has_the_registry():
    page = (Path(__file__).resolve().parents[2] / "docs" / "screening.md").read_text()
    rows = [
        f"| `{rule.name}` | {rule.version} | {rule.title} | {rule.description} |" for rule in SCREENING_RULES.values()
    ]
    assert "\n".join(rows) + "\n\n" in page
