"""`manage.py plan_study`: the plan of `python -m analysis plan`, without a database."""

import json

import pytest
from django.core.management import CommandError, call_command


def test_it_says_what_the_analysis_says_and_touches_no_database(capsys):
    from analysis.planning.plan_command import main

    arguments = ["--conditions", "6", "--half-width", "0.4", "--pay", "2.5"]
    call_command("plan_study", *arguments)
    said = capsys.readouterr().out
    assert main(arguments) == 0
    assert said == capsys.readouterr().out
    assert "6 conditions on" in said


def test_its_json_is_one_document(capsys):
    size = ["--conditions", "3", "--clips", "4", "--participants", "30", "--votes-each", "8"]
    call_command("plan_study", *size, "--simulate", "2", "--json")
    document = json.loads(capsys.readouterr().out)
    assert document["simulation"]["fitted"] == 2 and document["plan"]["votes"] == 216


def test_out_of_reach_is_one_sentence():
    with pytest.raises(CommandError, match="out of reach with 12 clips"):
        call_command("plan_study", "--conditions", "10", "--clips", "12", "--half-width", "0.2")
