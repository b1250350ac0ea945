"""`manage.py generate_stimuli`, as a user types it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from stimuli import generate, read_manifest
from tests.stimuli.conftest import the_metric

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def own_metric(monkeypatch):
    monkeypatch.setattr(generate, "create_metric", lambda name, device, weights, window: the_metric(window=window or 1))


def run(*arguments, capsys):
    call_command("generate_stimuli", *map(str, arguments))
    return capsys.readouterr()


def arguments(source, out, **changes):
    values = {"metric": "sharpness", "attacks": "fgsm", "gain": 0.1, "out": out, **changes}
    return [source, *(part for key, value in values.items() for part in (f"--{key}", value))]


def test_says_what_was_made(make_clip, tmp_path, capsys):
    said = run(*arguments(make_clip(), tmp_path / "out"), capsys=capsys)
    assert "2 stimuli of 1 sources" in said.out
    assert "clip, fgsm: delivered gain 0.1" in said.out or "clip, fgsm: delivered gain 0.09" in said.out
    assert "stimuli: 100%" in said.err
    assert read_manifest(tmp_path / "out").gain.target == 0.1


def test_json_is_all_that_standard_output_carries(make_clip, tmp_path, capsys):
    said = run(*arguments(make_clip(), tmp_path / "out"), "--json", capsys=capsys)
    document = json.loads(said.out)
    assert document["manifest"] == json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert (document["made"], document["reused"]) == (3, 0)


def test_unreachable_is_reported_after_all_else_was_made(make_clip, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(generate, "create_metric", lambda *_: the_metric(peak=60.0))
    with pytest.raises(CommandError, match=r"fgsm on clip \(.*highest gain is .*Change --gain") as caught:
        run(*arguments(make_clip(), tmp_path / "out", gain=9.5), "--json", capsys=capsys)
    assert caught.value.returncode == 1
    document = json.loads(capsys.readouterr().out)
    assert document["manifest"]["unreachable"][0]["condition"] == "fgsm"
    assert (tmp_path / "out" / "manifest.json").exists()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"gain": "-1"}, "ratio above 0"),
        ({"attacks": "fgms"}, "fgsm"),
        ({"match": "linf"}, "takes its target from --linf"),
        ({"window": "0"}, "--window must be at least 1"),
        ({"window": "12"}, r"clip\.mp4 comes to 6 frames, .* window of 12 .* --window 6"),
    ],
)
def test_bad_input_is_one_sentence(make_clip, tmp_path, capsys, change, words):
    with pytest.raises(CommandError, match=words) as caught:
        run(*arguments(make_clip(), tmp_path / "out", **change), capsys=capsys)
    assert caught.value.returncode == 1
    assert "\n" not in str(caught.value)


def test_all_says_which_attacks_are_ready(make_clip, tmp_path, capsys, settings):
    settings.DATA_DIR = tmp_path
    (tmp_path / "trained").mkdir()
    with pytest.raises(CommandError, match=r"train_attack uap_optimized --metric sharpness") as caught:
        run(*arguments(make_clip(), tmp_path / "out", attacks="all"), capsys=capsys)
    ready = str(caught.value).rpartition("These attacks are ready: ")[2].rstrip(".").split(",")
    assert "fgsm" in ready and "scoreboundary" in ready
    assert not {"uap_optimized", "uap_cumulative", "uap_generative", "facpa"} & set(ready)
    assert not (tmp_path / "out").exists()


def test_an_attack_that_asks_for_many_scores_is_announced(make_clip, tmp_path, capsys):
    said = run(
        *arguments(make_clip(frames=2), tmp_path / "out", attacks="scoreboundary:queries=20", gain=0.02),
        "--tolerance=0.5",
        capsys=capsys,
    )
    assert said.out.startswith("scoreboundary:queries=20 asks for up to 20 scores per frame, 40 for the 2 frames")


@pytest.mark.slow
def test_the_same_largest_change_and_the_mark_of_speed(make_clip, tmp_path, capsys):
    values = arguments(make_clip(), tmp_path / "out", attacks="fgsm,ifgsm:iterations=2", match="linf", linf=2)
    values = [v for v in values if v not in ("--gain", 0.1)]
    lines = run(*values, "--speed-matched", capsys=capsys).out.splitlines()
    (fgsm,) = (line for line in lines if "clip, fgsm" in line)
    (ifgsm,) = (line for line in lines if "clip, ifgsm" in line)
    assert "largest change 2 levels" in fgsm and "gradient" not in fgsm
    assert ifgsm.endswith("more than one gradient per frame")


@pytest.mark.slow
def test_a_floor_that_no_rung_holds_ends_with_status_1(make_clip, tmp_path, capsys):
    with pytest.raises(CommandError, match=r"highest rung keeps less than 1 of ioi on clip.*--retention-floor"):
        run(
            *arguments(make_clip(frames=3), tmp_path / "out", attacks="ioi", delivery="auto", rounding="nearest"),
            "--retention-floor=1",
            capsys=capsys,
        )
    assert "clip: delivered as vp9-lossless" in capsys.readouterr().out
    assert (tmp_path / "out" / "manifest.json").exists()


@pytest.mark.slow
def test_exit_status_and_no_traceback(make_clip, tmp_path):
    def manage(*words):
        return subprocess.run(
            [sys.executable, "manage.py", "generate_stimuli", *map(str, words)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            env=dict(os.environ),
        )

    wrong = manage(*arguments(tmp_path / "nothing.mp4", tmp_path / "out", metric="demo"))
    assert wrong.returncode == 1
    assert "There is no file" in wrong.stderr
    assert "Traceback" not in wrong.stderr
    assert manage(make_clip()).returncode == 2
