"""Tables that leave the house: participants, columns, and text that a spreadsheet would run."""

import csv
import json

import pytest
from django.core.management import call_command
from django.urls import reverse

from analysis import read_votes
from studyserver import participant_columns, payment_columns, vote_columns
from studyserver.columns import Column, frame_of
from studyserver.export import csv_text
from studyserver.models import Participant, Session, Trial, Vote
from studyserver.selectors import participant_table, vote_table
from studyserver.services import participant_exclude, rule_set
from tests.studyserver.conftest import SMOOTH
from tests.studyserver.people import miss_verification, take_part


@pytest.mark.parametrize("columns", [vote_columns, participant_columns, payment_columns])
def test_every_column_is_named_once_and_explained(columns):
    names = [column.name for column in columns.COLUMNS]
    assert len(set(names)) == len(names)
    assert all(column.description.endswith((".", ")")) for column in columns.COLUMNS)


# Votes


@pytest.mark.slow
def test_how_a_vote_played_is_in_its_row(study):
    take_part(study)
    record = {
        **SMOOTH,
        "offsets": {"0": 20, "2": 5},
        "device_pixel_ratio": 1.25,
        "scale": 1,
        "refresh_hz": 59.9,
        "first_frame_ms": 81.6,
        "play_ms": 1000.4,
        "plays": 2,
        "out_of_step": 1,
        "left": {**SMOOTH["left"], "stalls": 1, "dropped": 1},
    }
    vote = Vote.objects.latest("id")
    Vote.objects.filter(pk=vote.pk).update(playback=record)
    row = vote_table("cats").iloc[-1]
    assert (row["device_pixel_ratio"], row["scale"], row["refresh_hz"]) == (1.25, 1, 59.9)
    assert (row["first_frame_ms"], row["play_ms"], row["plays"], row["out_of_step"]) == (82, 1000, 2, 1)
    assert (row["stalls"], row["dropped"], row["in_step_share"]) == (1, 1, 0.8)
    assert not row["playback_ok"] and row["reason"] == "playback: more than 1 frame apart in 5 of 25 frames"
    assert (row["presentation"], row["session_outcome"], row["consent_version"]) == (vote.presentation, "completed", 1)


@pytest.mark.slow
def test_what_was_not_measured_is_empty(study):
    take_part(study)
    table = vote_table("cats")
    assert table[["device_pixel_ratio", "refresh_hz", "first_frame_ms", "switches"]].isna().all(axis=None)


@pytest.mark.slow
def test_the_rule_decides_about_a_playback(study):
    take_part(study)
    Vote.objects.update(playback={**SMOOTH, "offsets": {"2": 25}})
    assert not vote_table("cats")["playback_ok"].any()
    rule_set(study=study, purpose="use", settings={"max_offset_frames": 2})
    assert vote_table("cats")["playback_ok"].all()


def test_pilot_votes_are_there_and_never_used(study):
    take_part(study)
    Participant.objects.update(origin="pilot")
    Trial.objects.exclude(session=None).update(origin="pilot")
    table = vote_table("cats")
    assert len(table) == 8
    assert set(table["reason"]) == {"pilot"} and not table["use"].any()


@pytest.mark.slow
def test_no_column_names_a_person_or_a_service(study):
    take_part(study)
    Session.objects.update(service="prolific", submission="sub-4711")
    for table in (vote_table("cats"), participant_table("cats")):
        assert "4711" not in table.to_csv() and "prolific" not in table.to_csv()


# Participants


def test_one_row_per_participant(study):
    take_part(study, "P1", choose=miss_verification)
    take_part(study, "P2", choose=lambda trial: trial.expected or "tie")
    take_part(study, "P3", pairs=0)
    take_part(study, "LOOK", origin="preview", pairs=0)
    Session.objects.filter(participant__code="P2").update(
        environment={"device_pixel_ratio": 2, "browser": "Chrome 156", "problems": []},
        answers={"age": "25-34", "comment": "fine"},
    )
    table = participant_table("cats").set_index("participant")
    assert list(table.index) == ["P1", "P2", "P3"]
    assert list(table["outcome"]) == ["completed", "completed", "active"]
    assert list(table["test_answers"]) == [6, 6, 0]
    assert list(table["test_counted"]) == [0, 6, 0]
    assert list(table["verification_right_share"].fillna(-1)) == [0, 1, -1]
    assert list(table["left_share"].fillna(-1)) == [1, -1, -1]
    assert list(table["tie_share"].fillna(-1)) == [0, 1, -1]
    assert table.loc["P1", "reason"] == "participant answered 0 of 1 verification pairs rightly"
    assert (table.loc["P2", "device_pixel_ratio"], table.loc["P2", "browser"]) == (2, "Chrome 156")
    assert (table.loc["P2", "answer_age"], table.loc["P2", "answer_comment"]) == ("25-34", "fine")


@pytest.mark.slow
def test_repeats_and_null_pairs_are_reported(study, tmp_path):
    session = take_part(study)
    test = session.trials.filter(kind="test").order_by("id").first()
    common = {"session": session, "participant": session.participant, "origin": "real", "state": "answered"}
    null = study.pairs.filter(kind="null").first()
    # The same answer with sides exchanged is agreement; the same side again is none.
    for position, pair, kind, mirrored, choice in (
        (90, test.pair, "repeat", not test.mirrored, "right"),
        (91, test.pair, "repeat", not test.mirrored, "left"),
        (92, null, "null", False, "tie"),
    ):
        trial = Trial.objects.create(pair=pair, kind=kind, mirrored=mirrored, position=position, **common)
        Vote.objects.create(trial=trial, choice=choice, playback=SMOOTH, voted_at=session.completed_at)
    row = participant_table("cats").iloc[0]
    assert (row["repeat_answers"], row["repeat_agreement"]) == (2, 0.5)
    assert (row["null_answers"], row["null_tie_share"]) == (1, 1.0)
    call_command("export_votes", "cats", "--out", str(tmp_path / "votes.csv"))
    assert len(read_votes(tmp_path / "votes.csv")) == 11


@pytest.mark.slow
def test_the_command_writes_participants_and_their_dictionary(study, tmp_path, capsys):
    take_part(study)
    call_command("export_participants", "cats", "--out", str(tmp_path / "people.csv"), "--json")
    assert json.loads(capsys.readouterr().out)["participants"] == 1
    with (tmp_path / "people.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    described = json.loads((tmp_path / "people_dictionary.json").read_text())
    assert [column["name"] for column in described] == list(row)


# Spreadsheets


@pytest.mark.parametrize(
    ("text", "cell"), [("=1+1", "'=1+1"), ("+1", "'+1"), ("-1", "'-1"), ("@SUM(A1)", "'@SUM(A1)"), ("1=1", "1=1")]
)
def test_free_text_that_looks_like_a_formula_is_text_in_csv(text, cell):
    columns = (
        Column("comment", "string", "Free.", lambda row: row, free_text=True),
        Column("choice", "string", "Ours.", lambda row: row),
    )
    table = frame_of(columns, [text, None])
    assert list(csv.reader(csv_text(table, columns).splitlines())) == [["comment", "choice"], [cell, text], ["", ""]]
    assert table["comment"][0] == text


@pytest.mark.slow
def test_an_answer_that_looks_like_a_formula_is_text_in_csv_only(study, tmp_path):
    session = take_part(study)
    Session.objects.update(answers={"comment": "=1+1"})
    participant_exclude(participant=session.participant, reason="@home")
    for ending in ("csv", "json"):
        call_command("export_participants", "cats", "--out", str(tmp_path / f"people.{ending}"))
    with (tmp_path / "people.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["answer_comment"], row["excluded"]) == ("'=1+1", "'@home")
    assert json.loads((tmp_path / "people.json").read_text())[0]["answer_comment"] == "=1+1"


# The researchers' pages


@pytest.mark.slow
@pytest.mark.parametrize(("name", "rows"), [("votes_csv", 8), ("participants_csv", 1)])
def test_tables_can_be_downloaded(admin_client, study, name, rows):
    take_part(study)
    answer = admin_client.get(reverse(f"admin:studyserver_study_{name}", args=[study.pk]))
    assert "attachment" in answer["Content-Disposition"]
    assert len(list(csv.DictReader(answer.content.decode().splitlines()))) == rows


@pytest.mark.slow
@pytest.mark.parametrize("name", ["votes_csv", "participants_csv"])
def test_strangers_get_no_table(client, study, name):
    assert client.get(reverse(f"admin:studyserver_study_{name}", args=[study.pk])).status_code == 302


@pytest.mark.slow
def test_the_list_of_votes_says_why_one_does_not_count(admin_client, study):
    take_part(study, choose=miss_verification)
    page = admin_client.get(reverse("admin:studyserver_vote_changelist")).content.decode()
    assert page.count("participant answered 0 of 1 verification pairs rightly") == 8
    page = admin_client.get(reverse("admin:studyserver_vote_change", args=[Vote.objects.latest("id").pk]))
    assert (
        "no: participant answered 0 of 1 verification pairs rightly (rule of use, version 1)" in page.content.decode()
    )


@pytest.mark.slow
def test_the_admin_explains_every_column_that_it_gives(admin_client, study):
    take_part(study)
    reply = admin_client.get(reverse("admin:studyserver_study_columns", args=[study.pk]))
    assert f'filename="{study.slug}-columns-' in reply["Content-Disposition"]
    tables = reply.json()
    for name, page in {"votes": "votes_csv", "participants": "participants_csv", "payments": "payments"}.items():
        table = admin_client.get(reverse(f"admin:studyserver_study_{page}", args=[study.pk])).text
        assert [column["name"] for column in tables[name]] == table.split("\n")[0].split(",")
        assert all(column["description"] for column in tables[name])
