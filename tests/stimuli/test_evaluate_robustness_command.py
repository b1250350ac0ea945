"""`manage.py evaluate_robustness`, as a user types it."""

import json

import pytest
from django.core.management import CommandError, call_command

from attacks.metrics import wrap_module
from stimuli import benchmark_run
from studyserver.management.commands import evaluate_robustness
from tests.stimuli.conftest import Sharpness, write_clip


@pytest.fixture(autouse=True)
def own_metric(monkeypatch):
    def build(name, device, weights):
        return wrap_module(Sharpness(), name, lower_better=name == "low", score_range=(0, 200))

    run = benchmark_run.run_benchmark
    monkeypatch.setattr(
        evaluate_robustness, "run_benchmark", lambda *args, **options: run(*args, build=build, **options)
    )


@pytest.fixture
def clips(tmp_path):
    folder = tmp_path / "clips"
    folder.mkdir()
    for seed in range(2):
        write_clip(folder / f"{seed}.mp4", frames=2, height=48, width=48, seed=seed)
    return folder


def run(sources, out, *more, metrics="sharp", attacks="fgsm", capsys):
    words = ["--metrics", metrics, "--attacks", attacks, "--sources", sources, "--out", out, *more]
    call_command("evaluate_robustness", *map(str, words))
    return capsys.readouterr()


def test_wrong_reports_are_refused_before_any_work(clips, tmp_path, capsys):
    for more, words in (
        (["--domain", "quantile", "--reference-metric", "other"], "one of --metrics"),
        (["--reference-metric", "sharp"], "goes with --domain quantile"),
        (["--domain", "neural"], "go together"),
        (["--domain", "neural", "--transport", tmp_path / "none"], "There is no file"),
        (["--level", "1.5"], "between 0 and 1"),
        (["--seed", "-1"], "at least 0"),
        (["--weights", "sharp"], "must be METRIC=FILE"),
        (["--strengths", "weak,default"], "one of low, default, high"),
    ):
        with pytest.raises(CommandError, match=words) as caught:
            run(clips, tmp_path / "out", *more, capsys=capsys)
        assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_the_report_and_what_failed(clips, tmp_path, capsys):
    write_clip(clips / "still.mp4", frames=1, height=48, width=48)
    said = run(clips, tmp_path / "out", metrics="sharp,low", attacks="fgsm,ifgsm:iterations=2", capsys=capsys)
    assert said.out.startswith(
        "18 jobs, 18 of them to do: 6 score frames as they are, 12 attack them, 20 frames in all."
    )
    head, *rows = (line for line in said.out.splitlines() if "  " in line)
    assert head.split()[:3] == ["metric", "frames", "absolute"]
    assert sorted(row.split()[0] for row in rows) == ["low", "sharp"] and all(row.split()[1] == "10" for row in rows)
    assert "benchmark: 100%" in said.err
    (clips / "broken.mp4").write_bytes(b"no video")
    with pytest.raises(CommandError, match=r"Not done, all else was: the source clips/broken: .*not a video") as caught:
        run(clips, tmp_path / "out", "--json", "--transfer", metrics="sharp,low", capsys=capsys)
    assert caught.value.returncode == 1
    document = json.loads(capsys.readouterr().out)
    assert (document["made"], document["reused"], document["rows"]) == (6, 6, 2 * 2 * 3 * 5)
    assert document["failures"][0]["what"] == "the source clips/broken"
    assert {(item["target_metric"], item["metric"]) for item in document["report"]["transfer"]} >= {
        ("sharp", "low"),
        ("low", "sharp"),
    }
    files = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"scores.csv", "benchmark.json", "robustness.csv", "robustness.tex", "gains.svg", "transfer.svg"} <= files
