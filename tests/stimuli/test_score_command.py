"""`manage.py score`, as a user types it, and the frames that it scores."""

import csv
import fcntl
import json
import shutil
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from django.core.management import CommandError, call_command

from attacks import relative_gain
from attacks.metrics import wrap_module
from attacks.metrics.base import ClipScorer
from stimuli import AttackSpec, StimulusRequest, generate_stimulus_set, scoring
from stimuli.clip import Clip
from stimuli.colour import display_frames
from stimuli.scoring import frame_chunks
from stimuli.video import announced_frames, probe
from studyserver.management.commands import score
from tests.stimuli.conftest import Sharpness, the_metric
from tests.stimuli.test_video import encode, grey_frames

CPU = torch.device("cpu")


class Brightness(torch.nn.Module):
    """1 - mean of a frame; counts the frames of each call. `refuse`: fails on frames of that width."""

    def __init__(self, refuse=None):
        super().__init__()
        self.calls, self.refuse = [], refuse

    def forward(self, frames):
        self.calls.append(len(frames))
        values = 1 - frames.mean((1, 2, 3))
        return values / 0 if frames.shape[-1] == self.refuse else values


class MeanOfWindow(Sharpness):
    def forward(self, frames):
        return super().forward(frames).mean()


@pytest.fixture
def metrics(monkeypatch):
    """What `create_metric` of the command builds, by name; a test may change them."""
    built = {
        "sharpness": the_metric(),
        "dark": wrap_module(Brightness(), name="dark", lower_better=True, score_range=(0, 1)),
        "windowed": wrap_module(MeanOfWindow(), name="windowed", window=3, score_range=(0, 200)),
    }
    monkeypatch.setattr(score, "create_metric", lambda name, device, weights, window: built[name])
    return built


@pytest.fixture
def run(capsys):
    """run(arguments...) -> (standard output, standard error, the CommandError or None)."""

    def go(*arguments):
        try:
            call_command("score", *map(str, arguments))
        except CommandError as error:
            assert "\n" not in str(error)
            return *capsys.readouterr(), error
        return *capsys.readouterr(), None

    return go


def document(result):
    assert result[2] is None, result[2]
    return json.loads(result[0])


def test_a_table_for_people_and_one_document(make_clip, metrics, run, tmp_path):
    paths = [make_clip("first", frames=6), make_clip("second", frames=5, seed=2)]
    out, err, _ = run(tmp_path, "--metric", "sharpness, dark", "--chunk", 4)
    lines = [line.split() for line in out.splitlines()]
    assert lines[0] == ["video", "frames", "sharpness", "↑", "dark", "↓"]
    assert "11/11" in err and "frame/s" in err
    whole = document(run(tmp_path, "--metric", "sharpness,dark", "--json"))
    assert [(m["name"], m["lower_better"], m["score_range"]) for m in whole["metrics"]] == [
        ("sharpness", False, [0, 200]),
        ("dark", True, [0, 1]),
    ]
    for path, video, line, frames in zip(paths, whole["videos"], lines[1:], (6, 5), strict=True):
        shown = torch.cat(list(frame_chunks(path, device=CPU)))
        assert line[:2] == [str(path), str(frames)] and video["video"] == str(path)
        for column, (name, scores) in zip(line[2:], video["scores"].items(), strict=True):
            values = metrics[name].values(shown)
            assert scores["frames"] == pytest.approx(values, rel=1e-6)
            assert scores["score"] == scores["mean"] == pytest.approx(np.mean(values), rel=1e-6)
            assert scores["sd"] == pytest.approx(np.std(values), rel=1e-3)
            assert (scores["min"], scores["max"]) == pytest.approx((min(values), max(values)))
            assert column == f"{scores['score']:.5g}"


def test_each_file_is_decoded_once_and_in_batches(make_clip, metrics, run, monkeypatch):
    opened = []
    read = scoring.read_unprobed
    monkeypatch.setattr(scoring, "read_unprobed", lambda path, **options: opened.append(path) or read(path, **options))
    path = make_clip(frames=8)
    module = metrics["dark"]._module
    whole = document(run(path, "--metric", "dark,sharpness,windowed", "--json", "--chunk", 4, "--max-frames", 7))
    assert opened == [path]
    assert module.calls == [6, 1], "chunks are whole windows of every metric"
    assert {len(scores["frames"]) for scores in whole["videos"][0]["scores"].values()} == {7}
    windows = whole["videos"][0]["scores"]["windowed"]["frames"]
    assert windows[0] == windows[1] == windows[2] != windows[3] == windows[5] != windows[6]


def test_the_score_of_a_clip_is_the_metrics_own(make_clip, metrics, run):
    class Last(ClipScorer):
        def result(self):
            return self._scores[-1]

    metrics["sharpness"].clip_scorer = lambda: Last(metrics["sharpness"])
    scores = document(run(make_clip(), "--metric", "sharpness", "--json", "--chunk", 4))["videos"][0]["scores"]
    assert scores["sharpness"]["score"] == scores["sharpness"]["frames"][-1] != scores["sharpness"]["mean"]


@pytest.mark.slow
def test_reproduces_the_gains_of_a_manifest(make_clip, metrics, run, tmp_path):
    metric = metrics["windowed"]
    request = StimulusRequest(
        sources=(make_clip(frames=5),),
        metric=metric.name,
        attacks=(AttackSpec("fgsm"),),
        gain=0.1,
        out=tmp_path / "set",
    )
    manifest = generate_stimulus_set(request, metric=metric).manifest
    videos = document(run(tmp_path / "set" / "media", "--metric", metric.name, "--json"))["videos"]
    frames = {video["video"].rpartition("/")[2]: video["scores"][metric.name]["frames"] for video in videos}
    reference, attacked = (frames[stimulus.file.rpartition("/")[2]] for stimulus in manifest.stimuli)
    gain = relative_gain(reference, attacked, lower_better=False, score_range=metric.score_range).mean
    assert gain == pytest.approx(manifest.stimuli[1].gain_delivered, rel=1e-6)


def test_frames_are_those_of_the_measurements(make_clip):
    path = make_clip(frames=5)
    info = probe(path)
    clip = Clip.open(path, info, max_frames=None, chunk=2, device=CPU)
    chunks = list(frame_chunks(path, device=CPU, chunk=2))
    for (_, planes), frames in zip(clip.chunks(), chunks, strict=True):
        assert torch.equal(frames, display_frames(planes, clip.colour))
    assert [len(frames) for frames in frame_chunks(path, device=CPU, chunk=2, window=3)] == [3, 2]
    assert [len(frames) for frames in frame_chunks(path, device=CPU, max_frames=4)] == [4]


@pytest.mark.parametrize(("codec", "pix_fmt", "size"), [("ffv1", "yuv444p", (64, 48)), ("ffv1", "bgr0", (67, 49))])
def test_other_formats_are_scored_in_their_delivered_form(tmp_path, codec, pix_fmt, size):
    pixels = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format=pix_fmt)
    path = encode(tmp_path / "odd.mkv", [frame], codec=codec, pix_fmt=pix_fmt)
    clip = Clip.open(path, probe(path), max_frames=None, chunk=1, device=CPU)
    (frames,) = frame_chunks(path, device=CPU)
    assert frames.shape == (1, 3, size[1] // 2 * 2, size[0] // 2 * 2)
    assert torch.equal(frames, display_frames(next(clip.chunks())[1], clip.colour))


def test_bad_files_are_named_and_the_others_scored(make_clip, metrics, run, tmp_path):
    good, other = make_clip("good"), make_clip("other", width=96)
    noise, cut = tmp_path / "noise.mp4", tmp_path / "cut.avi"
    noise.write_bytes(b"nothing")
    encode(tmp_path / "whole.avi", grey_frames(8), codec="mjpeg", pix_fmt="yuvj420p")
    cut.write_bytes((tmp_path / "whole.avi").read_bytes()[:-2000])
    metrics["dark"]._module.refuse = 96
    out, _, error = run(good, noise, other, "--metric", "sharpness,dark", "--json")
    assert error.returncode == 1
    assert str(error).count("noise.mp4 is not a video") == 1
    assert f"{other}, dark: metric 'dark' gives inf" in str(error)
    videos = json.loads(out)["videos"]
    assert [set(video["scores"]) for video in videos] == [{"sharpness", "dark"}, set(), {"sharpness"}]
    assert [set(video["failed"]) for video in videos] == [set(), {"sharpness", "dark"}, {"dark"}]


def test_truncated_short_and_single_files(make_clip, metrics, run, tmp_path):
    path = make_clip(frames=8)
    short = make_clip("short", frames=2)
    data = encode(tmp_path / "whole.avi", grey_frames(9), codec="mpeg4").read_bytes()
    (tmp_path / "cut.avi").write_bytes(data[: len(data) * 2 // 3])
    _, _, error = run(tmp_path / "cut.avi", "--metric", "dark")
    assert "cut.avi" in str(error) and ("truncated" in str(error) or "damaged" in str(error))
    out, _, error = run(short, path, "--metric", "windowed,dark", "--json")
    assert "short.mp4 comes to 2 frames, fewer than the window of 3 that metric 'windowed'" in str(error)
    assert [set(video["scores"]) for video in json.loads(out)["videos"]] == [{"dark"}, {"windowed", "dark"}]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--metric", "demmo"], "there is no metric 'demmo'"),
        (["--metric", ","], "name one at least"),
        (["--metric", "demo,demo"], "demo is given twice"),
        (
            ["--metric", "demo", "--weights", "missing.pt"],
            "there is no file missing.pt, which was given as the weights of metric 'demo'",
        ),
        (["--metric", "demo,niqe", "--weights", "any.pt"], "--weights is the file of one metric"),
        (["--metric", "demo", "--window", "5"], "window"),
        (["clip.mp4", "--metric", "demo"], "clip.mp4 is given twice"),
        (["nowhere.mp4", "--metric", "demo"], "no file nowhere.mp4"),
        (["picture.png", "--metric", "demo"], "picture.png is a picture"),
    ],
)
def test_wrong_requests_are_one_sentence(make_clip, run, arguments, words, monkeypatch):
    monkeypatch.chdir(make_clip().parent)
    Path("picture.png").touch()
    *_, error = run("clip.mp4", *arguments)
    assert words in str(error), error
    assert error.returncode == 1


def test_a_table_is_kept_and_continued(make_clip, metrics, run, tmp_path):
    first, second = make_clip("first", frames=4), make_clip("second", frames=3, seed=1)
    table = tmp_path / "out" / "scores.csv"
    module = metrics["dark"]._module
    alone = document(run(first, "--metric", "dark", "--json", "--out", table))
    assert sum(module.calls) == 4
    both = document(run(first, second, "--metric", "dark,sharpness", "--json", "--out", table))
    assert sum(module.calls) == 7, "only the second is scored"
    assert both["videos"][0]["scores"]["dark"] == alone["videos"][0]["scores"]["dark"]
    with open(table, newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * (4 + 3)
    for video in both["videos"]:
        for name, scores in video["scores"].items():
            mine = [row for row in rows if (row["video"], row["metric"]) == (video["video"], name)]
            assert [float(row["score"]) for row in mine] == scores["frames"]
            assert {float(row["clip_score"]) for row in mine} == {scores["score"]}
    whole = table.read_bytes()
    for cut in (1, 30, 150, 400):
        table.write_bytes(whole[:-cut])
        again = document(run(first, second, "--metric", "dark,sharpness", "--json", "--out", table))
        assert [video["scores"] for video in again["videos"]] == [video["scores"] for video in both["videos"]]
        assert sorted(table.read_bytes().splitlines()) == sorted(whole.splitlines())


def test_a_table_of_other_scores_is_left_alone(make_clip, metrics, run, tmp_path):
    path, table = make_clip(), tmp_path / "scores.csv"
    run(path, "--metric", "dark", "--out", table)
    before = table.read_bytes()
    *_, error = run(path, "--metric", "dark", "--out", table, "--max-frames", 2)
    assert "other options gave; choose another --out" in str(error)
    shutil.copy(make_clip("other", seed=5), path)
    *_, error = run(path, "--metric", "dark", "--out", table)
    assert "other contents of the video" in str(error)
    assert table.read_bytes() == before
    for content in (b"participant,vote\n", before + b"1,2\n" + before.splitlines(keepends=True)[1]):
        table.write_bytes(content)
        *_, error = run(path, "--metric", "dark", "--out", table)
        assert "scores.csv is no table of scores; choose another --out" in str(error)
        assert table.read_bytes() == content
    *_, error = run(path, "--metric", "dark", "--out", tmp_path)
    assert "cannot be written" in str(error)
    table.write_bytes(before)
    with open(table) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        *_, error = run(path, "--metric", "dark", "--out", table)
    assert "Another run is writing" in str(error)


def test_an_interrupt_says_whether_anything_is_kept(make_clip, metrics, run, tmp_path, monkeypatch):
    first, second = make_clip("first"), make_clip("second", width=96)
    forward = Brightness.forward

    def interrupted(self, frames):
        if frames.shape[-1] == 96:
            raise KeyboardInterrupt
        return forward(self, frames)

    with monkeypatch.context() as patch:
        patch.setattr(Brightness, "forward", interrupted)
        *_, error = run(first, second, "--metric", "dark")
        assert "nothing is kept" in str(error) and error.returncode == 130
        *_, error = run(first, second, "--metric", "dark", "--out", tmp_path / "t.csv")
        assert "what was finished is kept" in str(error) and error.returncode == 130
    calls = metrics["dark"]._module.calls
    calls.clear()
    run(first, second, "--metric", "dark", "--out", tmp_path / "t.csv")
    assert sum(calls) == 6


def test_what_the_head_of_a_file_announces(make_clip, tmp_path):
    assert announced_frames(make_clip(frames=6)) == 6
    assert announced_frames(encode(tmp_path / "a.mkv", grey_frames(7))) == 7
    (tmp_path / "text.mp4").write_bytes(b"x")
    assert announced_frames(tmp_path / "text.mp4") is None


def test_frames_that_do_not_fit_ask_for_smaller_chunks(make_clip, metrics, run, monkeypatch):
    monkeypatch.setattr("stimuli.scoring.display_frames", lambda planes, colour: torch.empty(2**60))
    *_, error = run(make_clip(), "--metric", "dark")
    assert "do not fit into the memory of cpu; take a smaller --chunk" in str(error)
    assert error.returncode == 1
