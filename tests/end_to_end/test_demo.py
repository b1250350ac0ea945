"""`make demo` as a newcomer meets it, on shorter clips: from nothing to a report, then again from what is there."""

import csv
import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest

from tests.conftest import REPOSITORY

pytestmark = pytest.mark.slow


def run(folder, *arguments):
    environment = {**os.environ, "LAB_DATA_DIR": str(folder)}
    environment.pop("DATABASE_URL", None)
    return subprocess.run(
        [sys.executable, "manage.py", *arguments, "--json"],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    done = run(folder, "demo", "--no-server", "--frames", "4", "--participants", "30")
    assert done.returncode == 0, done.stderr
    return folder, json.loads(done.stdout)


def test_every_condition_is_ranked(demo):
    folder, document = demo
    names = {row["condition"] for row in document["ranking"]}
    assert names == {"reference", "fgsm", "ifgsm:iterations=3", "uap_optimized", "ioi"}
    page = (folder / "demo" / "report" / "report.html").read_text()
    # Those who left, and those whose votes the rules drop, are left out.
    (people,) = re.findall(r"all of the (\d+) participants were simulated", page)
    assert 18 <= int(people) < 30
    assert re.findall(r"""(?:src|href|url)\s*[=(]\s*["']?(?!#|data:)[^"'\s>]+""", page) == []


def test_the_cohort_is_mixed_and_the_addresses_are_those_of_the_study(demo):
    _, document = demo
    personas = document["personas"]
    assert set(personas) == {"honest", "lazy", "left-clicker", "bot", "drop-out", "spammer"}
    assert personas["honest"]["finished"] > 15 and personas["drop-out"]["left"] > 0
    assert document["preview"].startswith("http://127.0.0.1:8000/s/demo/?preview=")
    assert document["dashboard"].endswith("/dashboard/")


def test_nothing_in_the_demonstration_tells_a_condition(demo):
    folder, _ = demo
    done = run(folder, "leak_check", "demo", "--visits", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["leaks"] == []


def test_the_delivered_files_prove_the_matched_gain(demo):
    """Decoded and scored here, not read from the manifest."""
    import torch

    from attacks.metrics import create_metric
    from stimuli import read_manifest
    from stimuli.colour import ColourDescription, to_rgb
    from stimuli.video import probe, read_planes

    folder, _ = demo
    manifest = read_manifest(folder / "demo" / "set")
    metric = create_metric("demo")

    def scores(path):
        info = probe(path)
        assert isinstance(info.colour, ColourDescription)
        values = []
        for planes in read_planes(path, chunk=2):
            frames = torch.round(255 * to_rgb(planes, info.pixel_format, info.colour)) / 255
            with torch.no_grad():
                values += metric.score(frames).tolist()
        return np.array(values)

    references = {s.source: scores(folder / "demo" / "set" / s.file) for s in manifest.stimuli if s.attack is None}
    assert len(references) == 3
    attacked = [s for s in manifest.stimuli if s.attack]
    assert len(attacked) == 12 and not manifest.unreachable
    for stimulus in attacked:
        clean = references[stimulus.source]
        gain = np.mean((scores(folder / "demo" / "set" / stimulus.file) - clean) / clean)
        assert gain == pytest.approx(manifest.gain.target, rel=manifest.gain.tolerance + 1e-3), stimulus.condition
        assert gain == pytest.approx(stimulus.gain_delivered, abs=1e-4)


def test_files_of_a_source_cannot_be_told_apart_by_size(demo):
    from stimuli import read_manifest

    folder, _ = demo
    manifest = read_manifest(folder / "demo" / "set")
    sizes = {}
    for item in (*manifest.stimuli, *manifest.verification):
        sizes.setdefault(item.source, set()).add((folder / "demo" / "set" / item.file).stat().st_size)
    assert [len(values) for values in sizes.values()] == [1, 1, 1]


def test_a_second_run_makes_nothing_again(demo):
    folder, first = demo
    done = run(folder, "demo", "--no-server", "--frames", "4", "--participants", "30")
    assert done.returncode == 0, done.stderr
    again = json.loads(done.stdout)
    assert again["stimuli_made"] == 0 and again["stimuli_reused"] == 18
    assert again["ranking"] == first["ranking"]


def test_the_exported_votes_give_the_same_ranking_without_django(demo):
    folder, document = demo
    votes = folder / "votes.csv"
    done = run(folder, "export_votes", "demo", "--out", str(votes))
    assert done.returncode == 0, done.stderr
    done = subprocess.run(
        [sys.executable, "-m", "analysis", str(votes), "--out", str(folder / "again")],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    with (folder / "again" / "tables" / "ranking.csv").open() as file:
        again = {row["condition"]: float(row["score"]) for row in csv.DictReader(file)}
    assert again == pytest.approx({row["condition"]: row["score"] for row in document["ranking"]})
