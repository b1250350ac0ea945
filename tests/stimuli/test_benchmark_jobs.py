"""One job: against a loop written out by hand, in another process, and when parts of it fail."""

import dataclasses
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from attacks import create_attack
from attacks.metrics import create_metric, list_metrics, wrap_module
from stimuli.benchmark_cells import AttackSetting, Cell, CellResult
from stimuli.benchmark_jobs import run_cell
from stimuli.benchmark_metrics import MetricCache
from stimuli.benchmark_sources import BenchmarkSource, hash_of_files, look_into
from stimuli.scoring import frame_chunks
from tests.stimuli.conftest import Sharpness, the_metric
from tests.stimuli.test_clip_metrics import Lively

ROOT = Path(__file__).resolve().parents[2]
CPU = torch.device("cpu")


class Blind(Sharpness):
    """Sees nothing of frames whose first value is 0, and refuses bright ones."""

    def forward(self, frames):
        if frames.mean() > 0.7:
            raise ValueError("cannot take this\nreally not")
        return super().forward(frames) * (frames[:, 0, 0, 0] > 0)


BUILT = {
    "sharpness": lambda: the_metric(),
    "other": lambda: wrap_module(Sharpness(), name="other", lower_better=True, score_range=(0, 200)),
    "lively": lambda: wrap_module(Lively(), "lively", score_range=(0, 200), window=4),
    "blind": lambda: wrap_module(Blind(), name="blind", score_range=(0, 200)),
}


def build(name, device, weights):
    return BUILT[name]()


def source_of(*paths):
    document = {"dataset": "d", "name": "s", "files": paths, "sha256": hash_of_files(paths), **look_into(paths, None)}
    return BenchmarkSource.from_document(document | {"files": map(str, paths)})


def cell_of(source, metrics, attack=None, *, target=None, scorers=("sharpness",), strengths=(), **options):
    """A cell by names; `attack` is (name, options)."""
    specs = {name: metrics.describe(name, None, None) for name in {*scorers, *([target] if target else [])}}
    setting = None
    if attack:
        made = create_attack(attack[0], **attack[1])
        record = {"name": attack[0], "options": made.describe()}
        setting = AttackSetting(attack[0], attack[0], attack[1], record, made.iterations, 0)
    return Cell(
        source=source,
        scorers=tuple(specs[name] for name in scorers),
        target=specs.get(target),
        attack=setting,
        strengths=strengths,
        **options,
    )


def test_scores_are_those_of_a_loop_by_hand(make_clip):
    path, metrics, metric = make_clip(frames=2, height=48, width=48), MetricCache("cpu"), create_metric("demo")
    (frames,) = frame_chunks(path, device=CPU)
    for name, options, rounded in (("fgsm", {}, False), ("ifgsm", {"iterations": 2}, True)):
        strengths = (0.5 / 255, 2 / 255)
        cell = cell_of(
            source_of(path),
            metrics,
            (name, options),
            target="demo",
            scorers=("demo",),
            strengths=strengths,
            rounded=rounded,
        )
        result = run_cell(cell, metrics)
        assert result.failures == ()
        for strength in strengths:
            attacked = create_attack(name, **options).perturb(frames, metric, strength)
            if rounded:
                attacked = (255 * attacked).round() / 255
            assert result.scores("demo", strength) == pytest.approx(metric.values(attacked), abs=1e-4)
            assert min(result.scores("demo", strength)) > max(metric.values(frames))
    clear = run_cell(cell_of(source_of(path), metrics, scorers=("demo",)), metrics)
    assert clear.scores("demo", 0.0) == tuple(metric.values(frames))


def test_windows_of_target_and_scorer_need_not_fit_each_other(make_clip):
    path, metrics = make_clip(frames=6, height=48, width=48), MetricCache("cpu", build)
    done = [0]
    cell = cell_of(
        source_of(path),
        metrics,
        ("fgsm", {}),
        target="sharpness",
        scorers=("sharpness", "lively"),
        strengths=(0.01,),
        chunk=3,
    )
    result = run_cell(cell, metrics, lambda frames: done.append(frames))
    (frames,) = frame_chunks(path, device=CPU)
    attacked = create_attack("fgsm").perturb(frames, the_metric(), 0.01)
    for name in ("sharpness", "lively"):
        assert result.scores(name, 0.01) == pytest.approx(BUILT[name]().values(attacked), rel=1e-5)
    assert done == [0, 3, 3]


def test_a_job_never_raises_and_says_what_is_missing(make_clip, tmp_path):
    metrics, path = MetricCache("cpu", build), make_clip(frames=3, height=48, width=48)
    dark = tmp_path / "dark"
    dark.mkdir()
    for index, low in enumerate((0, 230)):
        noise = np.random.default_rng(0).integers(low, low + 25, (48, 48, 3), np.uint8)
        noise[0, 0, 0] = low
        Image.fromarray(noise).save(dark / f"{index}.png")
    pictures = source_of(*sorted(dark.iterdir()))
    for source, target, scorers, words, kept in (
        (source_of(path), "sharpness", ("sharpness", "lively"), "fewer than the window of 4", []),
        (pictures, "sharpness", ("sharpness", "blind"), "ValueError: cannot take this", ["sharpness"]),
        (pictures, "blind", ("blind",), "ValueError: cannot take this", []),
        (source_of(dark / "0.png"), "blind", ("blind",), "gradient of metric 'blind' is zero everywhere", []),
    ):
        cell = cell_of(source, metrics, ("fgsm", {}), target=target, scorers=scorers, strengths=(0.1,), chunk=1)
        result = run_cell(cell, metrics)
        assert words in result.failures[0].reason and "\n" not in result.failures[0].reason
        assert [item.metric for item in result.series] == kept
    changed = dataclasses.replace(
        cell, scorers=(dataclasses.replace(cell.scorers[0], identity={"name": "blind", "weights": "other"}),)
    )
    assert "not the one of the plan" in run_cell(changed, metrics).failures[0].reason


def test_one_strength_may_fail_alone(make_clip):
    path = make_clip(frames=2, height=48, width=48)
    metrics = MetricCache("cpu", build)
    cell = cell_of(source_of(path), metrics, ("ifgsm", {"eps": 0.5}), target="sharpness", strengths=(1e-12, 0.01))
    result = run_cell(cell, metrics)
    assert [item.strength for item in result.series] == [0.01]
    ((reason, metric, strength),) = map(dataclasses.astuple, result.failures)
    assert "changes no value" in reason and metric is None and strength == 1e-12
    assert CellResult.from_document(json.loads(json.dumps(result.to_document()))) == result


def test_what_decides_the_scores_decides_the_fingerprint(make_clip, tmp_path):
    metrics, path = MetricCache("cpu", build), make_clip(frames=2, height=48, width=48)
    cell = cell_of(source_of(path), metrics, ("fgsm", {}), target="sharpness", strengths=(0.01,))
    elsewhere = tmp_path / "elsewhere.mp4"
    elsewhere.write_bytes(path.read_bytes())
    for change in ({"source": source_of(elsewhere)}, {"chunk": 1}):
        assert dataclasses.replace(cell, **change).fingerprint == cell.fingerprint
    read = Cell.from_document(json.loads(json.dumps(cell.to_document())))
    assert read == cell and read.fingerprint == cell.fingerprint
    for change in (
        {"source": source_of(make_clip("b", frames=2, height=48, width=48, seed=1))},
        {"strengths": (0.02,)},
        {"rounded": True},
        {"scorers": (*cell.scorers, metrics.describe("other", None, None))},
        {"target": metrics.describe("other", None, None)},
        {"attack": None},
    ):
        assert dataclasses.replace(cell, **change).fingerprint != cell.fingerprint, change
    packaged = next(info.weights.path for info in list_metrics() if info.name == "demo")
    weights = load_file(packaged)
    weights[next(iter(weights))] += 1e-3
    save_file(weights, tmp_path / "other.safetensors")
    one, other = (
        MetricCache("cpu").describe("demo", file, None) for file in (None, str(tmp_path / "other.safetensors"))
    )
    clear = Cell(source=cell.source, scorers=(one,))
    assert dataclasses.replace(clear, scorers=(other,)).fingerprint != clear.fingerprint
    same = dataclasses.replace(one, weights=str(shutil.copy(packaged, tmp_path / "moved.safetensors")))
    assert dataclasses.replace(clear, scorers=(same,)).fingerprint == clear.fingerprint


@pytest.mark.slow
def test_another_process_gives_the_same_from_the_document_alone(make_clip, tmp_path):
    metrics = MetricCache("cpu")
    cell = cell_of(
        source_of(make_clip(frames=3)), metrics, ("ioi", {}), target="demo", scorers=("demo",), strengths=(0.1,)
    )
    program = (
        "import json, sys, torch\n"
        "torch.set_num_threads(1)\n"  # as the tests: sums differ in the last digit between numbers of threads
        "from stimuli import Cell, MetricCache, run_cell\n"
        "cell = Cell.from_document(json.load(sys.stdin))\n"
        "print(json.dumps(run_cell(cell, MetricCache('cpu')).to_document()))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        input=json.dumps(cell.to_document()),
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    )
    assert CellResult.from_document(json.loads(done.stdout)) == run_cell(cell, metrics)
