"""`list_attacks` and `list_metrics`, for people and with --json."""

import json
import subprocess
import sys

import pytest
from django.core.management import call_command

from attacks import list_attacks, value_text
from attacks.metrics import list_metrics


def run(command, capsys, *arguments):
    call_command(command, *arguments)
    return capsys.readouterr().out


def test_attacks_for_people(capsys):
    text = run("list_attacks", capsys)
    for info in list_attacks():
        assert info.name in text and info.citation in text
        assert all(f"{option.name}={value_text(option.default)}" in text for option in info.options)
        assert all(variant in text for variant in info.variants)
    assert "the same picture as fgsm" in text
    assert "--attacks paper" in text and "--attacks all" in text


def test_metrics_for_people(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.delenv("METRIC_WEIGHTS_DIR", raising=False)
    text = run("list_metrics", capsys)
    assert all(info.name in text for info in list_metrics())
    # The embedded metric always is usable, and VSFA's files are not where nothing has been put.
    places = [
        text.index(words) for words in ("Usable on this machine now:", "  demo ", "published elsewhere:", "  vsfa ")
    ]
    assert places == sorted(places) and "missing: VSFA.pt (github.com/lidq92/VSFA" in text
    assert "noncommercial" in text
    assert max(map(len, text.splitlines())) <= 100


def test_attacks_as_json(capsys):
    document = json.loads(run("list_attacks", capsys, "--json"))
    rows = {row["name"]: row for row in document["attacks"]}
    assert list(rows) == [info.name for info in list_attacks()]
    assert rows["ioi"]["strength"]["default"] == 0.1
    assert rows["ioi"]["access"] == "white-box" and rows["scoreboundary"]["access"] == "black-box"
    assert rows["ssah"]["same_at_one_iteration"] == "fgsm" and rows["fgsm"]["same_at_one_iteration"] is None
    assert rows["korhonen"]["paper"] == {"iterations": 1} and rows["ssah"]["paper"] is None
    for info in list_attacks():
        assert [option["name"] for option in rows[info.name]["options"]] == [option.name for option in info.options]


def test_metrics_as_json(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.delenv("METRIC_WEIGHTS_DIR", raising=False)
    document = json.loads(run("list_metrics", capsys, "--json"))
    rows = {row["name"]: row for row in document["metrics"]}
    assert list(rows) == [info.name for info in list_metrics()]
    assert rows["demo"]["usable"] is True and rows["demo"]["missing"] is None
    assert rows["paq2piq"]["usable"] is False and rows["paq2piq"]["missing"]
    assert rows["niqe"]["lower_better"] is True
    assert rows["vsfa"]["scope"] == "clip" and rows["vsfa"]["window"] > 1
    (own, backbone) = rows["vsfa"]["files"]
    assert own["name"] == "VSFA.pt" and "github.com" in own["origin"] and not own["downloads"]
    assert backbone["path"] == str(tmp_path / "hub" / "checkpoints" / backbone["name"]) and not backbone["found"]
    for row in rows.values():
        assert row["preprocessing"] and isinstance(row["gpu"], bool)


@pytest.mark.slow
@pytest.mark.parametrize("command", ["list_attacks", "list_metrics"])
def test_standard_output_is_one_document_and_status_zero(command, request):
    result = subprocess.run(
        [sys.executable, "manage.py", command, "--json"], cwd=request.config.rootpath, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    json.loads(result.stdout)


@pytest.mark.slow
def test_wrong_usage_is_status_two(request):
    result = subprocess.run(
        [sys.executable, "manage.py", "list_attacks", "--nonsense"], cwd=request.config.rootpath, capture_output=True
    )
    assert result.returncode == 2
