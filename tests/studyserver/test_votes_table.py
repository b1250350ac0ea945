"""The vote table, its export, and model participants."""

import errno
import json

import pandas
import pytest
from django.core.management import CommandError, call_command

from studyserver.models import Participant, Trial, Vote
from studyserver.selectors import vote_reasons, vote_table
from studyserver.simulation import simulate_votes
from studyserver.vote_columns import COLUMNS, data_dictionary
from tests.studyserver.people import take_part


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


@pytest.mark.slow
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
    assert set(table["reason"]) == {"participant answered 0 of 1 verification pairs rightly"}


def test_late_votes_and_bad_playback_are_not_used(visitor, study):
    visitor.finish(visitor.begin())
    late, bad = Vote.objects.filter(trial__kind="test").order_by("id")[:2]
    Trial.objects.filter(pk=late.trial_id).update(state="expired")
    bad.playback["left"]["stalls"] = 4
    bad.save()
    table = vote_table("cats")
    assert list(table.loc[~table["use"], "reason"]) == [
        "surplus: the place had gone to somebody else",
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_vote_that_comes_while_the_table_is_made_is_for_the_next(study, monkeypatch):
    take_part(study, "P1")
    known = vote_reasons(study)

    def reasons_of_before(*_, **__):
        take_part(study, "P2")
        return known

    monkeypatch.setattr(f"{vote_table.__module__}.vote_reasons", reasons_of_before)
    assert set(vote_table("cats")["participant"]) == {"P1"}
