"""The examples of docs/analysis.md run, and the page names what the report writes and takes."""

import argparse
import re
from pathlib import Path

import pytest

from analysis import add_report_options, simulate_votes
from analysis.report.figures import FIGURES
from analysis.report.write import TABLES

PAGE = (Path(__file__).parents[2] / "docs" / "analysis.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_examples_run(tmp_path, monkeypatch, capsys):
    scores = {"reference": 0.8, "ioi": 0.2, "fgsm": -1.0}
    votes = simulate_votes(scores, participants=20, votes_each=10, sources=6, tie_strength=0.3, seed=1)
    votes.to_csv(tmp_path / "votes.csv", index=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("analysis.report.write.report_figures", lambda *_: {})
    names = {}
    for example in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(example, names)
    assert "Of 2 attacks" in capsys.readouterr().out
    assert (tmp_path / "report" / "report.html").exists()


def test_options_and_files_are_named():
    parser = argparse.ArgumentParser()
    add_report_options(parser)
    options = {option for action in parser._actions for option in action.option_strings if option.startswith("--")}
    assert {option for option in options - {"--help"} if f"`{option}" not in PAGE} == set()
    assert {name for name in (*TABLES, *FIGURES) if f"`{name}`" not in PAGE} == set()
