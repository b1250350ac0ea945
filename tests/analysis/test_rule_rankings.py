"""The ranking under each rule beside the main one."""

import numpy as np
import pytest
from scipy.stats import kendalltau

from analysis import SCREENING_RULES, fit_bradley_terry, rank_under_rules
from analysis.errors import InvalidOption
from analysis.simulation import simulate_votes

FIVE = {"a": 0.6, "b": 0.3, "c": 0.0, "d": -0.3, "e": -0.6}


@pytest.fixture(scope="module")
def table():
    """A third of the people answer the wrong way round; the table sets two aside."""
    votes = simulate_votes(
        FIVE, participants=24, votes_each=20, sources=3, seed=6, spammers=0.4, spam="hostile", verifications=3
    )
    return votes.assign(use=~votes["participant"].isin(["P00003", "P00004"]))


@pytest.fixture(scope="module")
def rankings(table):
    return {ranking.rule: ranking for ranking in rank_under_rules(table)}


def test_one_ranking_for_each_rule(table, rankings):
    assert list(rankings) == list(SCREENING_RULES)
    main = rankings["as-given"]
    fitted = fit_bradley_terry(table)
    assert main.result.scores.equals(fitted.scores)
    assert (main.participants, main.removed, main.votes, main.effective_votes) == (22, 0, 440, 440)
    assert main.kendall_tau == pytest.approx(1) and (main.ranking["moved"] == 0).all()
    everybody = rankings["everybody"]
    assert (everybody.participants, everybody.votes) == (24, 480)
    assert everybody.result.scores.equals(fit_bradley_terry(table.drop(columns="use")).scores)


def test_removed_and_weighted_votes_are_counted(table, rankings):
    people = table.assign(right=table["choice"] == table["expected"])[(table["kind"] == "verification") & table["use"]]
    failed = people.groupby("participant", observed=True)["right"].min().eq(False)
    found = rankings["verification"]
    assert (found.removed, found.participants) == (failed.sum(), 22 - failed.sum())
    assert found.votes == found.effective_votes == 20 * found.participants
    kept = table[~table["participant"].isin(failed.index[failed])]
    np.testing.assert_allclose(found.result.scores, fit_bradley_terry(kept).scores)
    weighted = rankings["lapse"]
    assert weighted.removed > 0 and weighted.effective_votes < weighted.votes < 440


def test_moves_and_tau_are_against_the_main_ranking(table, rankings):
    main, found = rankings["as-given"], rankings["lapse"]
    assert found.ranking.index.tolist() == found.result.scores.sort_values(ascending=False).index.tolist()
    places = {condition: k for k, condition in enumerate(main.ranking.index)}
    moved = [places[condition] - k for k, condition in enumerate(found.ranking.index)]
    assert found.ranking["moved"].tolist() == moved and any(moved)
    assert found.kendall_tau == pytest.approx(kendalltau(found.result.scores, main.result.scores).statistic)
    assert (found.ranking["low"] < found.ranking["score"]).all()


@pytest.mark.slow
def test_another_main_rule_and_level(table, rankings):
    main, found = rankings["as-given"].ranking, rankings["lapse"].ranking
    other = {ranking.rule: ranking.ranking for ranking in rank_under_rules(table, main="lapse", level=0.5)}
    assert other["as-given"]["moved"].to_dict() == {condition: -move for condition, move in found["moved"].items()}
    assert (other["as-given"]["high"] - other["as-given"]["low"] < main["high"] - main["low"]).all()


def test_a_rule_without_a_ranking_says_why(table):
    wrong = np.where(table["expected"] == "left", "right", "left")
    choice = np.where(table["kind"] == "verification", wrong, table["choice"].astype(str))
    found = {ranking.rule: ranking for ranking in rank_under_rules(table.assign(choice=choice))}["verification"]
    assert found.result is None and found.ranking is None and found.kendall_tau is None
    assert (found.removed, found.participants, found.votes) == (22, 0, 0)
    assert "leaves nobody" in found.why_not


@pytest.mark.slow
def test_a_main_rule_without_a_ranking(table):
    nothing = {ranking.rule: ranking for ranking in rank_under_rules(table.assign(use=False))}
    assert "nobody to screen" in nothing["as-given"].why_not and nothing["as-given"].removed == 0
    assert nothing["everybody"].kendall_tau is None and nothing["everybody"].ranking["moved"].isna().all()


def test_options_that_do_not_exist(table):
    with pytest.raises(InvalidOption, match="main is 'everyone'"):
        rank_under_rules(table, main="everyone")
