"""`manage.py analyze_study` from a file and from a study."""

import argparse
import inspect
import json

import pandas as pd
import pytest
from django.core.management import CommandError, call_command

from analysis import add_report_options, report_options, write_report


@pytest.fixture
def no_drawings(monkeypatch):
    """They take most of a report's time."""
    monkeypatch.setattr("analysis.report.write.report_figures", lambda *_: {})


@pytest.mark.slow
def test_a_file_of_votes(study, tmp_path, capsys, no_drawings):
    study.to_csv(tmp_path / "pilot.csv", index=False)
    call = ("analyze_study", str(tmp_path / "pilot.csv"), "--out", str(tmp_path / "out"), "--resamples", "20")
    call_command(*call, "--screening", "verification", "--ties", "rao-kupper", "--seed", "3", "--json")
    document = json.loads(capsys.readouterr().out)
    assert document == json.loads((tmp_path / "out" / "results.json").read_text(encoding="utf-8"))
    assert document["title"] == "pilot"
    assert document["votes"]["file"] == "pilot.csv"
    assert document["n_participants"] == 38
    assert document["options"] == {
        "seed": 3,
        "level": 0.95,
        "target_metric": None,
        "ties": "rao-kupper",
        "generalise": None,
        "screening": "verification",
        "resamples": 20,
    }


@pytest.mark.django_db
@pytest.mark.slow
def test_a_study(study, tmp_path, monkeypatch, capsys, no_drawings):
    class Study:
        title = "A study's title"

    monkeypatch.setattr("studyserver.selectors.vote_table", lambda slug, use_rule: {"pilot": study}[slug])
    monkeypatch.setattr("studyserver.selectors.study_by_slug", lambda slug: {"pilot": Study}[slug])
    call_command("analyze_study", "pilot", "--out", str(tmp_path), "--resamples", "20")
    document = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    assert document["title"] == "A study's title"
    assert document["votes"]["file"] is None
    assert document["answer"] in capsys.readouterr().out


def test_the_options_of_the_command_line_are_those_of_the_function():
    parser = argparse.ArgumentParser()
    add_report_options(parser)
    given = vars(parser.parse_args([]))
    defaults = {
        name: parameter.default
        for name, parameter in inspect.signature(write_report).parameters.items()
        if parameter.default is not inspect.Parameter.empty and name != "file"
    }
    assert report_options(given) | {"seed": given["seed"], "level": given["level"]} == defaults


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
    with pytest.raises(CommandError, match="nowhere"):
        call_command("analyze_study", "pilot", "--out", str(tmp_path / "out"), "--manifest", "nowhere")
    assert not (tmp_path / "out").exists()
