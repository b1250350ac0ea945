"""`manage.py train_attack` as it is typed."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from PIL import Image

from attacks import find_trained_file
from attacks.metrics import create_metric
from studyserver.management.training_bar import TrainingBar
from tests.conftest import REPOSITORY

SMALL = ("--crop", "32", "--epochs", "2", "--batch", "2")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "pictures").mkdir()
    for index in range(4):
        levels = np.random.default_rng(index).integers(0, 256, (40, 50, 3), dtype=np.uint8)
        Image.fromarray(levels).save(tmp_path / "pictures" / f"{index}.png")
    return tmp_path


def run(folder, attack, *options):
    call_command(
        "train_attack", attack, "--metric", "demo", "--images", str(folder / "pictures"), "--device", "cpu", *options
    )


def test_the_file_goes_to_the_data_folder_and_is_found_there(folder, settings, capsys):
    settings.DATA_DIR = folder / "data"
    run(folder, "uap_optimized", "--json", *SMALL, "--eps", "8/255", "--seed", "3", "--limit", "3")
    printed, errors = capsys.readouterr()
    document = json.loads(printed)
    assert document["out"] == str(folder / "data" / "trained" / "uap_optimized-demo.safetensors")
    assert document["attack"] == "uap_optimized" and document["data"]["pictures"] == 3
    assert document["settings"] == {
        "epochs": 2, "batch": 2, "eps": 8 / 255, "crop": 32, "learning_rate": 0.001, "seed": 3
    }  # fmt: skip
    assert len(document["history"]["gain"]) == 2
    assert "steps: 100%" in errors and "step/s" in errors
    metric = create_metric("demo")
    found = find_trained_file(
        "uap_optimized", [folder / "data" / "trained"], metric="demo", weights_sha256=metric.weights_sha256
    )
    assert str(found) == document["out"]


def test_it_says_what_it_made_and_how_to_use_it(folder, capsys):
    run(folder, "uap_cumulative", "--out", str(folder / "u.safetensors"), "--verbosity", "0", *SMALL)
    printed, errors = capsys.readouterr()
    assert "trained on 3 pictures" in printed and "1 held-out pictures" in printed
    assert f"--metric demo --attacks uap_cumulative --trained {folder / 'u.safetensors'}" in printed
    assert errors == ""


@pytest.mark.parametrize(
    ("attack", "options", "says"),
    [
        ("ioi", (), "ioi needs no training"),
        ("uap_optimised", (), "did you mean 'uap_optimized'"),
        ("uap_optimized", ("--generator", "unet"), "takes no generator=unet"),
        ("uap_optimized", ("--images", "nowhere"), "no folder nowhere"),
        ("uap_optimized", ("--weights", "nowhere"), "no file nowhere, which was given as the weights"),
        ("uap_optimized", ("--crop", "1"), "crop"),
    ],
)
def test_what_cannot_be_is_one_sentence(attack, options, says, folder):
    with pytest.raises(CommandError, match=says):
        run(folder, attack, "--out", str(folder / "u"), *options)
    assert not list(folder.glob("u*"))


@pytest.mark.parametrize("options", [("--eps", "wide"), ("--eps", "1/0"), ("--limit", "1"), ("--epochs", "many")])
def test_what_cannot_be_read_is_a_wrong_usage(options, folder):
    with pytest.raises(CommandError, match="argument --"):
        run(folder, "uap_optimized", *options)


def test_a_bar_that_continues_counts_only_its_own_steps(capsys):
    from attacks import TrainingProgress

    with TrainingBar(show=True) as bar:
        for done in (51, 52):
            bar(TrainingProgress("steps", done, 100, 0.25))
        assert bar._bar.initial == 50 and bar._bar.n == 52
    assert "held-out gain +0.250" in capsys.readouterr().err


@pytest.mark.slow
def test_killed_and_run_again_it_gives_the_same_bytes(folder):
    """The process is killed without warning while it trains, after its first checkpoint."""
    code = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from attacks import train_attack\n"
        "from attacks.metrics import create_metric\n"
        "def progress(p):\n"
        "    if p.stage == 'steps' and p.done == int(sys.argv[3]): os.kill(os.getpid(), 9)\n"
        "train_attack('uap_optimized', create_metric('demo'), Path(sys.argv[1]), Path(sys.argv[2]), crop=32,\n"
        "             epochs=4, batch=2, progress=progress, checkpoint_seconds=0)\n"
    )
    for out, stop in (("whole", 0), ("parts", 5), ("parts", 0)):
        command = [sys.executable, "-c", code, folder / "pictures", folder / out, str(stop)]
        done = subprocess.run(command, cwd=REPOSITORY, env={**os.environ, "OMP_NUM_THREADS": "1"}, check=False)
        assert done.returncode == (-9 if stop else 0)
    assert (folder / "whole").read_bytes() == (folder / "parts").read_bytes()
