"""One ranking per source or target metric: the same as ranking each alone, and failures that stop nothing."""

import numpy as np
import pytest

from analysis import fit_bradley_terry, rank_by
from analysis.errors import InvalidOption, InvalidVotes
from analysis.simulation import simulate_votes

SCORES = {"a": 0.8, "b": 0.0, "c": -0.8}


@pytest.fixture(scope="module")
def votes():
    return simulate_votes(SCORES, participants=25, votes_each=24, sources=3, seed=2, tie_strength=0.3)


def test_each_source_is_ranked_as_if_it_were_alone(votes):
    found = rank_by(votes, "source", level=0.9)
    assert [ranking.group for ranking in found.groups] == ["clip000", "clip001", "clip002"]
    for ranking in found.groups:
        alone = fit_bradley_terry(votes[votes["source"] == ranking.group])
        np.testing.assert_allclose(ranking.result.estimates, alone.estimates)
        np.testing.assert_allclose(ranking.result.estimate_covariance, alone.estimate_covariance)
        assert (ranking.n_votes, ranking.n_participants) == (alone.n_votes, alone.n_participants)
    np.testing.assert_allclose(found.pooled.result.estimates, fit_bradley_terry(votes).estimates)
    table = found.table()
    assert len(table) == 9 and list(table.columns[:4]) == ["group", "condition", "rank", "score"]
    alone = fit_bradley_terry(votes[votes["source"] == "clip001"]).interval(0.9)
    row = table[(table["group"] == "clip001") & (table["condition"] == "b")]
    assert row["low"].item() == pytest.approx(alone.loc["b", "low"])
    assert found.failures().empty


def test_a_group_that_cannot_be_ranked_says_why_and_the_others_are(votes):
    on = votes["source"] == "clip001"
    broken = votes.assign(choice=votes["choice"].mask(on & (votes["left"] == "a"), "left"))
    broken["choice"] = broken["choice"].mask(on & (votes["right"] == "a"), "right")
    found = rank_by(broken, "source")
    assert [ranking.result is None for ranking in found.groups] == [False, True, False]
    assert list(found.failures()["group"]) == ["clip001"] and "a" in found.groups[1].why_not
    assert found.pooled.result is not None
    assert set(found.table()["group"]) == {"clip000", "clip002"}
    single = rank_by(votes[votes["participant"] == "P00000"], "source")
    assert single.table().empty and "participant" in single.pooled.why_not


def test_each_target_metric_has_its_own_ranking(votes):
    metric = np.where(np.arange(len(votes)) % 2, "vsfa", "paq2piq")
    found = rank_by(votes.assign(target_metric=metric), "target_metric", weights={"P00001": 0.0})
    assert [ranking.group for ranking in found.groups] == ["paq2piq", "vsfa"]
    alone = fit_bradley_terry(votes[metric == "vsfa"], weights={"P00001": 0.0})
    np.testing.assert_allclose(found.groups[1].result.estimates, alone.estimates)
    assert found.pooled.n_votes == len(votes) - 24
    assert rank_by(votes.assign(target_metric=metric), "source").pooled.n_votes == len(votes)


def test_a_metric_of_people_who_do_not_count_stops_no_other(votes):
    people = votes["participant"].cat.categories
    metric = np.where(votes["participant"].isin(people[:2]), "vsfa", "paq2piq")
    found = rank_by(votes.assign(target_metric=metric), "target_metric", weights=dict.fromkeys(people[:2], 0.0))
    assert [ranking.result is None for ranking in found.groups] == [False, True]
    assert "no vote counts" in found.groups[1].why_not and found.groups[1].n_votes == 48


def test_what_cannot_be_grouped_is_refused(votes):
    with pytest.raises(InvalidOption, match="'source' or 'target_metric'"):
        rank_by(votes, "participant")
    with pytest.raises(InvalidOption, match="ties"):
        rank_by(votes, "source", ties="none")
    with pytest.raises(InvalidVotes, match="no column target_metric"):
        rank_by(votes, "target_metric")
    with pytest.raises(InvalidVotes, match="3 of the 600 votes"):
        rank_by(votes.assign(target_metric=[None] * 3 + ["vsfa"] * (len(votes) - 3)), "target_metric")
