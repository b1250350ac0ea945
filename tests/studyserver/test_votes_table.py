"""The vote table, its export, and model participants."""

import errno
import json

import pandas
import pytest
from django.core.management import CommandError, call_command

from studyserver.models import Participant, Study, Vote
from studyserver.selectors import vote_table
from studyserver.services import places_reclaim, study_set_design
from studyserver.simulation import SimulationResult, simulate_votes, true_scores
from studyserver.vote_columns import COLUMNS, data_dictionary


def test_one_row_per_vote_with_the_words_of_the_design(visitor):
    visitor.finish(visitor.begin())
    table = vote_table("cats")
    assert list(table.columns) == [column.name for column in COLUMNS]
    assert len(table) == Vote.objects.count() == 8
    assert table["kind"].value_counts().to_dict() == {"test": 6, "training": 1, "verification": 1}
    assert set(table["left"]) | set(table["right"]) == {"reference", "fgsm", "ioi", "verification"}
    assert table["use"].all()
    checked = table[table["kind"] == "verification"].iloc[0]
    assert checked[checked["expected"]] == "reference"


def test_it_is_what_the_analysis_reads(visitor, tmp_path):
    from analysis import read_votes

    visitor.finish(visitor.begin())
    call_command("export_votes", "cats", out=tmp_path / "votes.csv")
    votes = read_votes(tmp_path / "votes.csv")
    assert len(votes) == 8
    assert set(votes["choice"]) <= {"left", "right", "tie"}


def test_previews_are_left_out(visitor, study):
    visitor.finish(visitor.begin())
    Participant.objects.update(origin="preview")
    visitor.session.trials.update(origin="preview")
    assert vote_table("cats").empty


def test_an_empty_table_has_its_columns(study):
    assert list(vote_table("cats").columns) == [column.name for column in COLUMNS]


def test_a_missed_verification_pair_is_named_as_the_reason(visitor):
    from studyserver.selectors import session_current_trial

    session = visitor.begin()
    while trial := session_current_trial(session):
        visitor.vote(trial, "tie" if trial.kind == "verification" else trial.expected or "left")
    table = vote_table("cats")
    assert not table["use"].any()
    assert set(table["reason"]) == {"participant missed the verification pair"}


def test_late_votes_and_bad_playback_are_not_used(visitor, study):
    visitor.finish(visitor.begin())
    late, bad = Vote.objects.filter(trial__kind="test").order_by("id")[:2]
    Vote.objects.filter(pk=late.pk).update(late=True)
    Vote.objects.filter(pk=bad.pk).update(playback_ok=False, playback_reason="4 stalls on the left")
    table = vote_table("cats")
    assert list(table.loc[~table["use"], "reason"]) == [
        "late: the place had gone to somebody else",
        "playback: 4 stalls on the left",
    ]


@pytest.mark.slow
@pytest.mark.parametrize("demonstration", [False, True])
def test_simulated_votes_never_mix_with_real_ones_except_in_a_demonstration(visitor, study, demonstration):
    study.demonstration = demonstration
    study.save()
    simulate_votes(study=study, participants=1, seed=0)
    assert vote_table("cats").query("origin == 'simulated'")["use"].all()
    visitor.finish(visitor.begin())
    table = vote_table("cats")
    assert table.query("origin == 'real'")["use"].all()
    assert table.query("origin == 'simulated'")["use"].all() == demonstration


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["csv", "json"])
def test_export_writes_the_table_and_its_dictionary(visitor, tmp_path, ending):
    visitor.finish(visitor.begin())
    out = tmp_path / "new" / f"votes.{ending}"
    call_command("export_votes", "cats", out=out)
    table = pandas.read_csv(out) if ending == "csv" else pandas.read_json(out)
    assert len(table) == 8
    described = json.loads((tmp_path / "new" / "votes_dictionary.json").read_text())
    assert described == data_dictionary()
    assert [row["name"] for row in described] == list(table.columns)
    assert len(list(out.parent.iterdir())) == 2


def test_a_full_disk_leaves_the_old_file_and_no_half_one(visitor, tmp_path, monkeypatch):
    out = tmp_path / "out" / "votes.csv"
    call_command("export_votes", "cats", out=out)
    before = out.read_bytes()
    visitor.finish(visitor.begin())

    def full(table, path, **options):
        path.write_text("half a ta")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(pandas.DataFrame, "to_csv", full)
    with pytest.raises(CommandError, match=r"cannot write .*: No space left on device"):
        call_command("export_votes", "cats", out=out)
    assert out.read_bytes() == before
    assert len(list(out.parent.iterdir())) == 2


def test_parquet_without_pyarrow_is_one_sentence(study, tmp_path, monkeypatch):
    import importlib.util

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(CommandError, match="pip install pyarrow"):
        call_command("export_votes", "cats", out=tmp_path / "votes.parquet")
    assert not list(tmp_path.glob("votes*"))


def test_another_ending_is_one_sentence(study, tmp_path):
    with pytest.raises(CommandError, match=r"must end in \.csv, \.json or \.parquet, got 'votes.xlsx'"):
        call_command("export_votes", "cats", out=tmp_path / "votes.xlsx")


def test_a_study_misspelt_names_the_nearest(study, tmp_path):
    with pytest.raises(CommandError, match="no study is called 'cast'; did you mean cats"):
        call_command("export_votes", "cast", out=tmp_path / "votes.csv")


def test_simulated_people_go_the_way_of_real_ones(study):
    result = simulate_votes(study=study, participants=3, seed=1)
    assert result.votes >= 3 * 8
    assert set(Participant.objects.values_list("origin", "session__state")) == {("simulated", "completed")}


def test_nobody_is_simulated_in_a_study_without_pairs(db):
    Study.objects.create(slug="empty", title="Empty")
    with pytest.raises(CommandError, match="'empty' has no pairs to show"):
        call_command("simulate_votes", "empty", participants=1, seed=1)
    assert not Participant.objects.exists()


@pytest.mark.slow
def test_the_same_seed_gives_the_same_votes_and_runs_once(study, tiny_set):
    from studyserver.services import import_stimulus_set

    simulate_votes(study=study, participants=3, seed=1)
    assert simulate_votes(study=study, participants=3, seed=1).votes == 0
    other = import_stimulus_set(slug="birds", folder=tiny_set).study
    study_set_design(study=other, pairs_per_session=18, votes_per_pair=4)
    simulate_votes(study=other, participants=3, seed=1)
    columns = ["participant", "source", "left", "right", "choice", "kind", "position", "response_ms"]
    pandas.testing.assert_frame_equal(vote_table("cats")[columns], vote_table("birds")[columns])


@pytest.mark.slow
def test_worse_quality_loses_and_the_truth_is_recovered(study):
    from analysis import fit_bradley_terry

    study_set_design(study=study, pairs_per_session=6, votes_per_pair=60)
    truth = true_scores(study, seed=3)
    assert truth["reference"] > truth["ioi"] > truth["fgsm"]
    assert sum(truth.values()) == pytest.approx(0, abs=1e-9)
    simulate_votes(study=study, participants=60, seed=3)
    table = vote_table("cats")
    scores = fit_bradley_terry(table[table["kind"] == "test"]).scores
    assert list(scores.sort_values().index) == sorted(truth, key=truth.get)


@pytest.mark.slow
def test_spammers_answer_at_random(study):
    study_set_design(study=study, pairs_per_session=6, votes_per_pair=30)
    simulate_votes(study=study, participants=30, seed=2, spammers=30)
    table = vote_table("cats").query("kind == 'verification'")
    right = (table["choice"] == table["expected"]).mean()
    assert 0.1 < right < 0.6


@pytest.mark.slow
def test_a_cohort_larger_than_the_quota_is_turned_away_like_people(study):
    result = simulate_votes(study=study, participants=6, seed=1)
    assert (result.participants, result.turned_away) == (4, 2)
    assert Participant.objects.count() == 4
    assert places_reclaim(study=study) == 0


@pytest.mark.parametrize(("given", "people"), [("2", 2), ("0.5", 2), ("50%", 2), ("1.0", 4), ("9", 4)])
def test_spammers_are_a_number_of_people_or_a_share(study, monkeypatch, given, people):
    asked = []

    def record(*, participants, spammers, **_):
        asked.append(spammers)
        return SimulationResult(participants=participants, turned_away=0, spammers=spammers, votes=0, truth={})

    monkeypatch.setattr("studyserver.management.commands.simulate_votes.simulate_votes", record)
    call_command("simulate_votes", "cats", "--participants=4", "--seed=1", f"--spammers={given}", "--json")
    assert asked == [people]


def test_the_command_simulates(study, capsys):
    call_command("simulate_votes", "cats", "--participants=2", "--seed=1", "--spammers=1", "--json")
    said = json.loads(capsys.readouterr().out)
    assert (said["participants"], said["spammers"]) == (2, 1) and said["votes"] == Vote.objects.count() > 0


def test_spammers_that_are_neither_are_refused(study):
    with pytest.raises(CommandError, match="must be a number of people"):
        call_command("simulate_votes", "cats", "--participants=4", "--seed=1", "--spammers=1.5")
