"""`manage.py analyze_study` from a file and from a study."""

import json

import pandas as pd
import pytest
from django.core.management import CommandError, call_command


@pytest.mark.slow
def test_a_file_of_votes(study, tmp_path, capsys):
    study.to_csv(tmp_path / "pilot.csv", index=False)
    call_command("analyze_study", str(tmp_path / "pilot.csv"), "--out", str(tmp_path / "out"), "--json")
    document = json.loads(capsys.readouterr().out)
    assert document == json.loads((tmp_path / "out" / "ranking.json").read_text(encoding="utf-8"))
    assert document["title"] == "pilot"
    call_command("analyze_study", str(tmp_path / "pilot.csv"), "--out", str(tmp_path / "out"))
    assert document["answer"] in capsys.readouterr().out


@pytest.mark.django_db
@pytest.mark.slow
def test_a_study(study, tmp_path, monkeypatch):
    class Study:
        title = "A study's title"

    monkeypatch.setattr("studyserver.selectors.vote_table", lambda slug, use_rule: {"pilot": study}[slug])
    monkeypatch.setattr("studyserver.selectors.study_by_slug", lambda slug: {"pilot": Study}[slug])
    call_command("analyze_study", "pilot", "--out", str(tmp_path), "--json")
    assert json.loads((tmp_path / "ranking.json").read_text(encoding="utf-8"))["title"] == "A study's title"


@pytest.mark.django_db
def test_a_study_without_votes(tmp_path, monkeypatch):
    monkeypatch.setattr("studyserver.selectors.vote_table", lambda slug, use_rule: pd.DataFrame())
    with pytest.raises(CommandError, match="'pilot' has no votes yet"):
        call_command("analyze_study", "pilot", "--out", str(tmp_path))


@pytest.mark.django_db
def test_a_study_that_does_not_exist(tmp_path):
    with pytest.raises(CommandError, match="no study is called 'nowhere'"):
        call_command("analyze_study", "nowhere", "--out", str(tmp_path))


def test_bad_votes_are_one_sentence(tmp_path):
    (tmp_path / "votes.csv").write_text("participant,source,left,right,choice\np,s,a,b,maybe\n")
    with pytest.raises(CommandError, match=r"votes\.csv, row 2: choice is 'maybe'; expected left, right or tie"):
        call_command("analyze_study", str(tmp_path / "votes.csv"), "--out", str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()
