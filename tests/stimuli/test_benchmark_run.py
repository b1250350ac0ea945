"""A whole benchmark: its table, what a second run does, what fails, transfer, and stimulus sets."""

import csv
import errno
import fcntl
import json
import shutil

import numpy as np
import pytest
import torch
from PIL import Image

from attacks import create_attack, train_attack
from attacks.errors import TrainedFileError
from attacks.metrics import wrap_module
from stimuli import (
    BenchmarkRequest,
    StimulusRequest,
    benchmark_store,
    generate_stimulus_set,
    parse_attacks,
    run_benchmark,
)
from stimuli import benchmark_run as module
from stimuli.errors import DiskFull, InvalidRequest, InvalidSource, SetConflict
from stimuli.scoring import frame_chunks
from tests.stimuli.conftest import Sharpness, the_metric, write_clip

SMALL = {"frames": 2, "height": 48, "width": 48}


class Weighted(Sharpness):
    """Sharpness times `weight`, a parameter, so that it has weights to be told apart by."""

    def __init__(self, weight, **options):
        super().__init__(**options)
        self.weight = weight

    def forward(self, frames):
        if 100 < frames.shape[-1] < 200:
            raise RuntimeError("expected other columns")
        return self.weight * super().forward(frames)


def build(name, device, weights):
    """sharpness; double, where lower is better; or any number as a name."""
    factor = {"sharpness": 1.0, "double": 2.0}.get(name) or float(name)
    return wrap_module(Weighted(factor), name, lower_better=name == "double", score_range=(0, 400))


@pytest.fixture
def clips(tmp_path):
    """Two data sets, in one of which there is also a folder of pictures."""
    for index, name in enumerate(("clips/a", "clips/b", "other/c")):
        (tmp_path / "sources" / name).parent.mkdir(parents=True, exist_ok=True)
        write_clip(tmp_path / "sources" / f"{name}.mp4", seed=index, **SMALL)
    return tmp_path / "sources"


def asked(tmp_path, *sources, **changes):
    values = {"metrics": ("sharpness",), "attacks": parse_attacks("fgsm"), "out": tmp_path / "out"}
    return BenchmarkRequest(sources=sources, **values | changes)


def run(request, **options):
    return run_benchmark(request, **{"build": build} | options)


def table(result):
    with open(result.scores, newline="") as file:
        return list(csv.DictReader(file))


def counting(monkeypatch):
    """The labels of the jobs that are done from here on."""
    done, job = [], module.run_cell
    monkeypatch.setattr(module, "run_cell", lambda cell, *rest: done.append(cell.label) or job(cell, *rest))
    return done


def test_the_table_and_a_second_run(clips, tmp_path, monkeypatch):
    request = asked(tmp_path, clips / "clips", clips / "other", attacks=parse_attacks("fgsm,ifgsm:iterations=2"))
    result = run(request)
    rows = table(result)
    assert result.failures == () and (result.made, result.reused) == (9, 0)
    assert result.rows == len(rows) == 2 * 3 * 3 * 2
    assert list(rows[0]) == list(module.COLUMNS)
    assert {(row["dataset"], row["source"]) for row in rows} == {("clips", "a"), ("clips", "b"), ("other", "c")}
    strengths = {(row["attack"], row["setting"]): float(row["strength"]) for row in rows}
    for name in ("fgsm", "ifgsm"):
        label = {"fgsm": "fgsm", "ifgsm": "ifgsm:iterations=2"}[name]
        allowed = create_attack(name).info.strength
        for setting in ("low", "default", "high"):
            assert strengths[label, setting] == getattr(allowed, setting)
    for row in rows:
        assert row["target_metric"] == row["metric"] == "sharpness" and row["lower_better"] == "false"
    clear = {}
    for row in rows:
        assert clear.setdefault((row["source"], row["frame"]), row["clear"]) == row["clear"]
    document = json.loads((tmp_path / "out" / "benchmark.json").read_text())
    assert [(item["dataset"], item["name"], item["frames"]) for item in document["sources"]][-1] == ("other", "c", 2)
    before = result.scores.read_bytes()
    done = counting(monkeypatch)
    again = run(request)
    assert done == [] and (again.made, again.reused) == (0, 9) and again.scores.read_bytes() == before


def test_a_run_goes_on_where_it_was_stopped_and_a_changed_metric_is_another(clips, tmp_path, monkeypatch):
    request, job = asked(tmp_path, clips / "clips", settings=("default",)), module.run_cell
    left = [3]

    def stopping(*arguments):
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        return job(*arguments)

    monkeypatch.setattr(module, "run_cell", stopping)
    with pytest.raises(KeyboardInterrupt):
        run(request)
    assert not (tmp_path / "out" / "scores.csv").exists()
    monkeypatch.setattr(module, "run_cell", job)
    done = counting(monkeypatch)
    assert run(request).made == 1 and done == ["fgsm against sharpness on clips/b"]
    heavier = run(request, build=lambda *arguments, **options: wrap_module(Weighted(3.0), "sharpness"))
    assert heavier.made == 4
    more = run(asked(tmp_path, clips / "clips", settings=("default",), attacks=parse_attacks("fgsm,ioi")))
    assert (more.made, more.reused) == (2, 4)


def test_one_failure_leaves_the_rest_and_is_tried_again(clips, tmp_path, monkeypatch):
    write_clip(clips / "clips" / "wide.mp4", frames=2, height=48, width=112)
    (clips / "clips" / "broken.mp4").write_bytes(b"no video")
    request = asked(tmp_path, clips / "clips", settings=("default",))
    result = run(request)
    assert {row["source"] for row in table(result)} == {"a", "b"}
    said = {failure.what: failure.reason for failure in result.failures}
    assert list(said) == ["the source clips/broken", "scores of clips/wide by sharpness"]
    assert "is not a video" in said["the source clips/broken"]
    assert "expected other columns" in said["scores of clips/wide by sharpness"]
    done = counting(monkeypatch)
    assert run(request).failures == result.failures and done == ["scores of clips/wide by sharpness"]
    (clips / "clips" / "broken.mp4").unlink()
    better = run(request, build=lambda *arguments, **options: the_metric())
    assert better.failures == () and {row["source"] for row in table(better)} == {"a", "b", "wide"}
    with pytest.raises(InvalidSource, match="is not a video"):
        (clips / "other" / "c.mp4").write_bytes(b"no video")
        run(asked(tmp_path, clips / "other"))


def test_transfer_scores_what_was_made_against_the_others(clips, tmp_path):
    rng = np.random.default_rng(0)
    for name, size in (("small", 48), ("large", 64)):
        Image.fromarray(rng.integers(0, 256, (size, size, 3), np.uint8)).save(clips / "other" / f"{name}.png")
    both = {"metrics": ("sharpness", "double"), "transfer": True}
    result = run(asked(tmp_path, clips / "other", attacks=parse_attacks("ifgsm:iterations=2"), **both))
    rows = {
        (row["target_metric"], row["metric"], row["source"], row["frame"]): (
            float(row["clear"]),
            float(row["attacked"]),
        )
        for row in table(result)
        if row["setting"] == "default"
    }
    assert len(rows) == 4 * 4 and result.rows == 3 * len(rows)
    for place in (("c", "0"), ("c", "1"), ("other/large.png", "0"), ("other/small.png", "1")):
        own, other = rows["sharpness", "sharpness", *place], rows["sharpness", "double", *place]
        assert other == pytest.approx([2 * value for value in own], rel=1e-5) and own[1] > own[0]
        fallen = rows["double", "double", *place]
        assert fallen[1] < fallen[0]
    for change, words in (
        ({"metrics": ("sharpness",)}, "two metrics at least"),
        ({"attacks": ()}, "No attack is given"),
        ({"settings": ("low",)}, "add default"),
        ({"settings": ("weak", "default")}, "one of low, default, high"),
        ({"attacks": parse_attacks("ifgsm,ifgsm:iterations=10")}, "a default spelt out"),
        ({"weights": {"third": clips}}, "not among --metrics"),
        ({"window": 4}, "metrics of clips"),
    ):
        with pytest.raises(InvalidRequest, match=words):
            run(asked(tmp_path, clips / "other", **both | change))
    with pytest.raises(TrainedFileError, match=r"train_attack uap_optimized --metric sharpness.*--metric double"):
        run(asked(tmp_path, clips, metrics=("sharpness", "double"), attacks=parse_attacks("fgsm,uap_optimized")))


def test_the_folder_belongs_to_one_run_and_a_full_disk_is_said(clips, tmp_path, monkeypatch):
    request = asked(tmp_path, clips / "other", settings=("default",))
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "notes.txt").touch()
    with pytest.raises(SetConflict, match="was not begun by evaluate_robustness"):
        run(request)
    (tmp_path / "out" / "notes.txt").unlink()
    run(request)
    with open(tmp_path / "out" / ".work" / "lock", "a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(SetConflict, match="Another run is writing"):
            run(request)
    monkeypatch.setattr(benchmark_store, "write_whole", full)
    with pytest.raises(DiskFull, match="free some space and run it again"):
        run(asked(tmp_path, clips / "other", attacks=parse_attacks("ioi"), settings=("default",)))


def full(*_):
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture
def made_set(tmp_path):
    write_clip(tmp_path / "clip.mp4", frames=3, height=64, width=80)
    request = StimulusRequest(
        sources=(tmp_path / "clip.mp4",),
        metric="sharpness",
        attacks=parse_attacks("fgsm,pgd:iterations=2:seed=7"),
        gain=0.1,
        out=tmp_path / "pilot",
    )
    return generate_stimulus_set(request, metric=build("sharpness", "cpu", None)).manifest


@pytest.mark.slow
def test_a_set_brings_its_sources_and_strengths(made_set, tmp_path):
    result = run(asked(tmp_path, tmp_path / "pilot", metrics=("sharpness", "double"), attacks=()))
    rows = table(result)
    found = {item.condition: item.strength for item in made_set.stimuli if item.attack}
    assert {(row["attack"], row["setting"], float(row["strength"])) for row in rows} == {
        (label, "set", strength) for label, strength in found.items()
    }
    assert {(row["dataset"], row["source"]) for row in rows} == {("pilot", "clip")}
    assert {(row["target_metric"], row["metric"]) for row in rows} == {(name, name) for name in ("sharpness", "double")}
    own = [row for row in rows if row["metric"] == "sharpness"]
    # On floats before the codec; the set was matched on the delivered file.
    for label in found:
        gains = [float(row["attacked"]) / float(row["clear"]) - 1 for row in own if row["attack"] == label]
        assert sum(gains) / len(gains) == pytest.approx(0.1, rel=0.15)
    reference = next(item for item in made_set.stimuli if item.attack is None)
    clear = [float(row["clear"]) for row in own if row["attack"] == "fgsm"]
    assert sum(clear) / 3 == pytest.approx(reference.score_delivered, rel=1e-6)
    said = []
    chosen = {"attacks": parse_attacks("pgd,ioi"), "out": tmp_path / "some"}
    some = run(asked(tmp_path, tmp_path / "pilot", **chosen), say=said.append)
    assert said[0] == "No set holds ioi."
    assert {row["attack"] for row in table(some)} == {"pgd:iterations=2:seed=7"}
    for change, words in (
        ({"attacks": parse_attacks("ioi")}, "holds none of these attacks; there are: fgsm, pgd"),
        ({"settings": ("default",)}, "has its own strengths"),
    ):
        with pytest.raises(InvalidRequest, match=words):
            run(asked(tmp_path, tmp_path / "pilot", **change))


@pytest.mark.slow
def test_transfer_of_a_set_scores_its_delivered_files(made_set, tmp_path):
    result = run(asked(tmp_path, tmp_path / "pilot", metrics=("double", "sharpness"), attacks=(), transfer=True))
    rows = table(result)
    assert result.made == 2 * 3 and {row["target_metric"] for row in rows} == {"sharpness"}
    for item in made_set.stimuli:
        for metric, factor in (("sharpness", 1), ("double", 2)):
            mine = [row for row in rows if row["attack"] == item.condition and row["metric"] == metric]
            if item.attack:
                scores = [float(row["attacked"]) for row in mine]
                assert sum(scores) / 3 == pytest.approx(factor * item.score_delivered, rel=1e-6)
                gains = [float(row["attacked"]) / float(row["clear"]) - 1 for row in mine]
                assert sum(gains) / 3 == pytest.approx(item.gain_delivered, rel=1e-4)
    for metrics, words in ((("double",), "have sharpness among --metrics"), (("double", "1.0"), "have sharpness")):
        with pytest.raises(InvalidRequest, match=words):
            run(asked(tmp_path, tmp_path / "pilot", metrics=metrics, attacks=(), transfer=True))
    damaged = tmp_path / "copied"
    shutil.copytree(tmp_path / "pilot", damaged)
    stimulus = next(item for item in made_set.stimuli if item.attack)

    (damaged / stimulus.file).write_bytes((damaged / stimulus.file).read_bytes()[:-1])
    with pytest.raises(InvalidSource, match="not the file that the manifest describes"):
        run(asked(tmp_path, damaged, metrics=("double", "sharpness"), attacks=(), transfer=True))


@pytest.mark.slow
def test_trained_and_black_box_attacks(clips, tmp_path):
    pictures, trained = tmp_path / "pictures", tmp_path / "trained"
    pictures.mkdir()
    rng = np.random.default_rng(0)
    for index in range(2):
        Image.fromarray(rng.integers(60, 200, (64, 64, 3), np.uint8)).save(pictures / f"{index}.png")
    file = trained / "mine.safetensors"
    train_attack("uap_optimized", build("sharpness", "cpu", None), pictures, file, epochs=2, batch=2, crop=48)
    both = {
        "metrics": ("sharpness", "double"),
        "attacks": parse_attacks("uap_optimized,scoreboundary:queries=40"),
        "trained": (trained,),
        "settings": ("default",),
        "max_frames": 1,
    }
    with pytest.raises(TrainedFileError, match=r"the metric 'double'.*--trained-transfer\); there are mine"):
        run(asked(tmp_path, clips / "other", **both))
    said = []
    result = run(asked(tmp_path, clips / "other", trained_transfer=True, **both), say=said.append)
    assert "may ask for 80 of them" in said[0]
    (frames,) = frame_chunks(clips / "other" / "c.mp4", device=torch.device("cpu"), max_frames=1)
    rows = {(row["metric"], row["attack"]): float(row["attacked"]) for row in table(result)}
    for name in ("sharpness", "double"):
        metric = build(name, "cpu", None)
        attack = create_attack("uap_optimized", file=str(file), transfer=True)
        (expected,) = metric.values(attack.perturb(frames, metric, attack.info.strength.default))
        assert rows[name, "uap_optimized"] == pytest.approx(expected, rel=1e-6)
    document = (tmp_path / "out" / "benchmark.json").read_text()
    assert "mine.safetensors" in document and str(tmp_path) not in document
