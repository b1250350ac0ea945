"""`python -m analysis plan`: the plan in words that need no statistics, and as one JSON document."""

import json
import os
import subprocess
import sys

import pytest

from analysis import plan_study
from analysis.planning.plan_command import main


def test_a_plan_in_words(capsys):
    goal = ["--conditions", "10", "--half-width", "0.3", "--difference", "0.5"]
    assert main([*goal, "--pay-per-hour", "12", "--fee", "33%", "--currency", "EUR"]) == 0
    lines = capsys.readouterr().out.splitlines()
    plan = plan_study(conditions=10, half_width=0.3, difference=0.5)
    assert lines[0].startswith(f"10 conditions on {plan.design.clips} clips, {plan.design.participants} participants ")
    assert f"{plan.votes} votes count (10% of the people lost)" in lines[0]
    assert "EUR, fee included." in lines[1]
    assert lines[3].startswith("Wanted, about clips in general: ± 0.3 logits and finding 0.5 logits") and (
        lines[3].endswith("Reached.")
    )
    assert any(line.startswith("power for 0.50 logits, Holm") for line in lines)
    names = ["as planned", "half the people", "1.5 times the people", "twice the people", "1.5 times the clips"]
    assert all(any(line.startswith(name) for line in lines) for name in names)


def test_the_json_document_holds_plan_alternatives_and_simulation(capsys):
    size = ["--conditions", "3", "--clips", "4", "--participants", "30", "--votes-each", "8", "--half-width", "0.1"]
    assert main([*size, "--simulate", "2", "--seed", "1", "--json"]) == 0
    said = capsys.readouterr()
    document = json.loads(said.out)
    assert document["plan"]["design"]["votes_each"] == 8 and document["plan"]["reached"] is False
    assert {item["name"] for item in document["alternatives"]} >= {"half the people", "twice the clips"}
    simulation = document["simulation"]
    assert simulation["studies"] == 2 and len(simulation["pairs"]) == 3
    assert set(simulation["coverage"]) == {"value", "error"}
    assert "NOT reached" in said.err and "2 simulated studies (seed 1" in said.err


def test_one_clip_is_unknown_for_others_and_not_a_number(capsys):
    assert main(["--conditions", "4", "--clips", "1", "--participants", "40", "--votes-each", "6"]) == 0
    text = capsys.readouterr().out
    assert "unknown" in text and "inf" not in text and "nan" not in text


def test_what_cannot_be_is_one_sentence_and_wrong_usage_is_2(capsys):
    assert main(["--conditions", "10", "--half-width", "0.2", "--clips", "12"]) == 1
    said = capsys.readouterr()
    assert said.out == "" and said.err.count("\n") == 1 and "out of reach with 12 clips" in said.err
    with pytest.raises(SystemExit) as refused:
        main(["--conditions", "10", "--lost", "many"])
    assert refused.value.code == 2 and "must be a share like 0.1 or 10%" in capsys.readouterr().err


@pytest.mark.slow
def test_a_reader_that_has_seen_enough_is_no_error():
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "analysis", "plan", "--conditions", "10", "--half-width", "0.3"]
    try:
        run = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True)
    finally:
        os.close(writing)
    assert (run.returncode, run.stderr) == (1, "")
