"""A real set, made once, and everything it promises."""

import dataclasses
import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest
import torch
from PIL import Image
from skimage.metrics import structural_similarity

from attacks import train_attack
from attacks.errors import InvalidOption, TrainedFileError, UnknownName
from attacks.metrics import wrap_module
from stimuli import AttackSpec, StimulusRequest, generate_stimulus_set, parse_attacks, read_manifest, store
from stimuli.closed_loop import ClosedLoop
from stimuli.conditions import Condition, build_conditions, query_note
from stimuli.errors import DiskFull, InvalidRequest, InvalidSource, SetConflict, Unreachable, VideoError
from stimuli.store import SetFolder, hash_of_file
from stimuli.video import probe, read_planes
from tests.stimuli.conftest import BT601, BT709, Sharpness, the_metric, write_clip

GAIN, TOLERANCE = 0.1, 0.02
ATTACKS = "fgsm,ifgsm:iterations=3,ioi"


def request_for(sources, out, **changes):
    values = {
        "sources": tuple(sources),
        "metric": "sharpness",
        "attacks": parse_attacks(ATTACKS),
        "gain": GAIN,
        "tolerance": TOLERANCE,
        "out": out,
        **changes,
    }
    return StimulusRequest(**values)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Two sources of different size, rate and colour; three attacks."""
    folder = tmp_path_factory.mktemp("set")
    sources = (
        write_clip(folder / "one.mp4"),
        write_clip(folder / "two.mp4", frames=9, height=72, width=96, fps=Fraction(30000, 1001), colour=BT601, seed=3),
    )
    request = request_for(sources, folder / "out")
    return request, generate_stimulus_set(request, metric=the_metric())


@pytest.fixture
def copy(made, tmp_path):
    """A copy of that set, to be spoilt or continued."""
    request, _ = made
    shutil.copytree(request.out, tmp_path / "out")
    return dataclasses.replace(request, out=tmp_path / "out")


def state(folder):
    """Every file of a set but the lock, with its bytes and time stamp."""
    return {
        str(path.relative_to(folder)): (path.stat().st_mtime_ns, hash_of_file(path))
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "lock"
    }


def decoded_scores(path, matrix):
    """Scores of a delivered file, decoded and converted without the project's own code."""
    kr, kb = (0.2126, 0.0722) if matrix == "bt709" else (0.299, 0.114)
    kg = 1 - kr - kb
    scores = []
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            y, u, v = (
                np.frombuffer(p, np.uint8).reshape(-1, p.line_size)[: p.height, : p.width].astype(np.float64)
                for p in frame.planes
            )
            y = (y - 16) / 219
            u, v = (
                torch.nn.functional.interpolate(
                    torch.from_numpy((c - 128) / 224)[None, None], scale_factor=2, mode="bilinear"
                )[0, 0].numpy()
                for c in (u, v)
            )
            red, blue = y + 2 * (1 - kr) * v, y + 2 * (1 - kb) * u
            rgb = np.clip([red, (y - kr * red - kb * blue) / kg, blue], 0, 1)
            levels = torch.from_numpy(np.floor(255 * rgb + 0.5) / 255)[None].float()
            scores.append(float(the_metric().score(levels)))
    return np.array(scores)


def test_every_condition_is_there(made):
    _, result = made
    assert [stimulus.condition for stimulus in result.manifest.stimuli if stimulus.source == "one"] == [
        "reference",
        "fgsm",
        "ifgsm:iterations=3",
        "ioi",
    ]
    assert result.made == 10
    assert result.manifest.unreachable == ()
    assert [v.id for v in result.manifest.verification] == ["one--verification", "two--verification"]


def test_delivered_gains_hold_when_recomputed_from_the_files(made):
    request, result = made
    manifest = result.manifest
    for source in manifest.sources:
        mine = [stimulus for stimulus in manifest.stimuli if stimulus.source == source.id]
        (reference,) = (stimulus for stimulus in mine if stimulus.attack is None)
        clean = decoded_scores(request.out / reference.file, source.delivered.colour.matrix)
        assert len(clean) == source.frames
        assert clean.mean() == pytest.approx(reference.score_delivered, rel=1e-4)
        for stimulus in mine:
            if stimulus.attack is None:
                continue
            scores = decoded_scores(request.out / stimulus.file, source.delivered.colour.matrix)
            gain = ((scores - clean) / clean).mean()
            assert gain == pytest.approx(stimulus.gain_delivered, abs=2e-4)
            assert abs(gain - GAIN) <= TOLERANCE * GAIN + 2e-4
            assert scores.mean() == pytest.approx(stimulus.score_delivered, rel=1e-4)


def test_delivered_files_carry_rate_size_and_all_tags(made):
    request, result = made
    colours = {"one": BT709, "two": BT601}
    for stimulus in (*result.manifest.stimuli, *result.manifest.verification):
        info = probe(request.out / stimulus.file)
        assert info.colour == colours[stimulus.source]
        assert (info.width, info.height, info.frames) == (stimulus.width, stimulus.height, stimulus.frames)
        assert f"{info.fps.numerator}/{info.fps.denominator}" == stimulus.fps


def test_manifest_tells_what_it_cost_and_how_good_it_is(made):
    _, result = made
    for stimulus in result.manifest.stimuli:
        assert 25 < stimulus.quality.psnr < 70
        assert 0.5 < stimulus.quality.ssim <= 1
        if stimulus.attack is None:
            assert (stimulus.strength, stimulus.gain_delivered, stimulus.retention) == (0, 0, None)
            continue
        assert stimulus.codec.startswith("avc1.64")
        assert 0 < stimulus.retention < 1.5
        assert 0.7 < stimulus.retention_luma < 1.3
        assert stimulus.encodes <= 6
        assert stimulus.evaluations > stimulus.encodes
        passes = 3 if stimulus.attack.name == "ifgsm" else 1
        assert (stimulus.metric_cost.forwards, stimulus.metric_cost.backwards) == (passes, passes)
        assert stimulus.gain_frames == pytest.approx(GAIN, rel=0.25)
        assert stimulus.attack.options == {**stimulus.attack.options, **({"iterations": 3} if passes == 3 else {})}


def test_no_size_or_name_gives_a_condition_away(made):
    request, result = made
    for source in ("one", "two"):
        items = [i for i in (*result.manifest.stimuli, *result.manifest.verification) if i.source == source]
        assert len({item.bytes for item in items}) == 1
        assert len({(request.out / item.file).stat().st_size for item in items}) == 1
        assert len({item.bytes_encoded for item in items}) > 1
        for item in items:
            name = Path(item.file).name
            assert item.file == f"media/{name}"
            assert len(name) == 28
            assert hash_of_file(request.out / item.file) == item.sha256
            data = (request.out / item.file).read_bytes()
            assert data[item.bytes_encoded + 4 : item.bytes_encoded + 8] == b"free"
            assert int.from_bytes(data[item.bytes_encoded : item.bytes_encoded + 4]) == item.bytes - item.bytes_encoded


def test_padding_leaves_the_frames_alone(made, tmp_path):
    request, result = made
    for stimulus in result.manifest.stimuli[:4]:
        padded = request.out / stimulus.file
        plain = tmp_path / "plain.mp4"
        plain.write_bytes(padded.read_bytes()[: stimulus.bytes_encoded])
        planes = []
        for path in (padded, plain):
            with av.open(str(path)) as container:
                planes.append([frame.to_ndarray() for frame in container.decode(video=0)])
        assert len(planes[0]) == stimulus.frames
        assert all(np.array_equal(a, b) for a, b in zip(*planes, strict=True))


def test_verification_stimulus_is_obviously_impaired(made):
    request, result = made
    for item in result.manifest.verification:
        (reference,) = (s for s in result.manifest.stimuli if s.source == item.source and s.attack is None)
        pictures = []
        for path in (request.out / item.file, request.out / reference.file):
            with av.open(str(path)) as container:
                pictures.append(next(container.decode(video=0)).to_ndarray()[: item.height].astype(float))
        assert structural_similarity(*pictures, data_range=219) < 0.8
        assert np.abs(pictures[0] - pictures[1]).mean() > 4


def test_second_run_computes_and_writes_nothing(copy):
    before = state(copy.out)
    started = time.monotonic()
    again = generate_stimulus_set(dataclasses.replace(copy, command=("other",)), metric=the_metric())
    assert (again.made, again.reused) == (0, 10)
    assert state(copy.out) == before
    assert time.monotonic() - started < 5


@pytest.mark.slow
def test_other_chunks_and_another_salt_change_the_names_alone(made, tmp_path):
    request, result = made
    sources = request.sources[:1]
    again = generate_stimulus_set(
        dataclasses.replace(request, sources=sources, out=tmp_path / "out", chunk=2), metric=the_metric()
    )
    first = {s.condition: s for s in result.manifest.stimuli if s.source == "one"}
    for stimulus in again.manifest.stimuli:
        before = first[stimulus.condition]
        assert stimulus.file != before.file
        # A batch of another size may round the gradient's last digit, and a sign near zero with it.
        assert stimulus.strength == pytest.approx(before.strength, rel=1e-3)
        assert stimulus.gain_delivered == pytest.approx(before.gain_delivered, abs=1e-4)
        assert stimulus.retention == pytest.approx(before.retention, abs=1e-3)
    reference = again.manifest.stimuli[0]
    assert reference.bytes_encoded == first["reference"].bytes_encoded


@pytest.mark.slow
def test_a_new_attack_makes_only_that(copy):
    more = dataclasses.replace(copy, attacks=(*copy.attacks, AttackSpec("ioi", {"keep": 0.2})))
    result = generate_stimulus_set(more, metric=the_metric())
    assert (result.made, result.reused) == (2, 10)
    assert {s.condition for s in result.manifest.stimuli} >= {"ioi", "ioi:keep=0.2"}
    assert all(hash_of_file(copy.out / s.file) == s.sha256 for s in result.manifest.stimuli)


def test_an_attack_taken_away_leaves_no_file(copy):
    result = generate_stimulus_set(dataclasses.replace(copy, attacks=copy.attacks[:1]), metric=the_metric())
    assert result.made == 0
    files = {Path(i.file).name for i in (*result.manifest.stimuli, *result.manifest.verification)}
    assert {path.name for path in (copy.out / "media").iterdir()} == files


@pytest.mark.slow
def test_a_spoilt_file_is_made_again(copy):
    manifest = read_manifest(copy.out)
    spoilt = copy.out / manifest.stimuli[1].file
    data = bytearray(spoilt.read_bytes())
    data[len(data) // 3] ^= 255
    spoilt.write_bytes(data)
    (copy.out / manifest.stimuli[2].file).unlink()
    result = generate_stimulus_set(copy, metric=the_metric())
    assert result.made == 2
    assert result.manifest.stimuli == manifest.stimuli


@pytest.mark.slow
def test_another_metric_of_the_same_name_is_not_taken_for_it(copy):
    result = generate_stimulus_set(dataclasses.replace(copy, attacks=copy.attacks[:1]), metric=the_metric(peak=21.0))
    assert result.made == 4  # references and attacks; the verification stimuli know no metric


@pytest.mark.parametrize("change", ["tolerance", "form of the gain"])
def test_what_else_a_strength_depends_on_makes_it_again(copy, monkeypatch, change):
    request = dataclasses.replace(copy, sources=copy.sources[:1], attacks=copy.attacks[:1])
    if change == "tolerance":
        request = dataclasses.replace(request, tolerance=0.03)
    else:
        monkeypatch.setattr("stimuli.generate.common_form", lambda *_: "scaled")
    result = generate_stimulus_set(request, metric=the_metric())
    assert (result.made, result.reused) == (1, 2)  # the reference and the verification stimulus do not depend on it


@pytest.mark.parametrize(
    ("change", "word"), [({"gain": 0.2}, "gain"), ({"seed": 7}, "seed"), ({"rounding": "nearest"}, "rounding")]
)
def test_folder_of_another_set_is_refused(copy, change, word):
    before = state(copy.out)
    with pytest.raises(SetConflict, match=f"another set, made with {word}"):
        generate_stimulus_set(dataclasses.replace(copy, **change), metric=the_metric())
    assert state(copy.out) == before


def test_folder_with_other_files_is_refused(made, tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(SetConflict, match="not empty"):
        generate_stimulus_set(dataclasses.replace(made[0], out=tmp_path), metric=the_metric())
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_two_runs_at_once(copy):
    script = (
        "import sys, time; from pathlib import Path; from stimuli.store import SetFolder\n"
        "with SetFolder.open(Path(sys.argv[1]), {}): print('locked', flush=True); time.sleep(60)"
    )
    other = subprocess.Popen([sys.executable, "-c", script, str(copy.out)], stdout=subprocess.PIPE, text=True)
    try:
        assert other.stdout.readline().strip() == "locked"
        with pytest.raises(SetConflict, match="Another run"):
            generate_stimulus_set(copy, metric=the_metric())
    finally:
        other.kill()
        other.wait()
    # A killed run holds nothing.
    assert generate_stimulus_set(copy, metric=the_metric()).made == 0


def test_unreachable_gain_is_recorded_and_all_else_made(tmp_path):
    source = write_clip(tmp_path / "clip.mp4")
    peaked = the_metric(peak=60.0)
    clean = peaked.score(torch.from_numpy(np.zeros((1, 3, 64, 80), np.float32)))
    assert float(clean) == pytest.approx(30)
    request = request_for([source], tmp_path / "out", attacks=parse_attacks("fgsm"), gain=5.0)
    result = generate_stimulus_set(request, metric=peaked)
    (missed,) = result.manifest.unreachable
    assert (missed.source, missed.condition) == ("clip", "fgsm")
    assert missed.best_gain < 5
    assert missed.strength > 0
    assert "target is 5" in missed.reason
    assert [s.condition for s in result.manifest.stimuli] == ["reference"]
    assert len(result.manifest.verification) == 1
    # Known now: a second run does not search again.
    assert generate_stimulus_set(request, metric=peaked).made == 0


def test_a_few_frames_that_mislead_do_not_make_an_attack_unreachable(made, tmp_path, monkeypatch):
    """The search before the codec sees eight frames; the whole delivered file has the last word."""

    def short(self, attack):
        raise Unreachable("too low on these frames", best_gain=0.5 * GAIN, strength=0.0013, evaluations=3)

    monkeypatch.setattr(ClosedLoop, "search_frames", short)
    request = request_for(made[0].sources[:1], tmp_path / "out", attacks=parse_attacks("fgsm"))
    manifest = generate_stimulus_set(request, metric=the_metric()).manifest
    assert not manifest.unreachable
    assert manifest.stimuli[1].gain_delivered == pytest.approx(GAIN, rel=TOLERANCE)


def test_nearest_rounding_is_kept_in_the_manifest(made, tmp_path):
    request = dataclasses.replace(
        made[0], sources=made[0].sources[:1], attacks=parse_attacks("ioi"), rounding="nearest", out=tmp_path / "out"
    )
    assert generate_stimulus_set(request, metric=the_metric()).manifest.rounding == "nearest"


def test_max_frames_uses_the_first_frames(made, tmp_path):
    request = dataclasses.replace(
        made[0], sources=made[0].sources[:1], attacks=parse_attacks("fgsm"), max_frames=3, out=tmp_path / "out"
    )
    manifest = generate_stimulus_set(request, metric=the_metric()).manifest
    assert {s.frames for s in (*manifest.stimuli, *manifest.verification, *manifest.sources)} == {3}


def test_lower_better_metric_is_fooled_downwards(tmp_path):
    class Blur(torch.nn.Module):
        def forward(self, frames):
            step = (frames[..., 1:] - frames[..., :-1]).pow(2).mean((1, 2, 3))
            return 100 * torch.exp(-20 * step)

    metric = wrap_module(Blur(), name="blur", lower_better=True, score_range=(0, 150))
    source = write_clip(tmp_path / "clip.mp4")
    request = request_for([source], tmp_path / "out", attacks=parse_attacks("fgsm"), gain=0.05)
    manifest = generate_stimulus_set(request, metric=metric).manifest
    reference, attacked = manifest.stimuli
    assert attacked.score_delivered < reference.score_delivered
    assert attacked.gain_delivered == pytest.approx(0.05, rel=0.021)
    assert manifest.target_metric.lower_better


def test_scores_near_zero_use_the_scaled_form(tmp_path):
    class Centred(Sharpness):
        def forward(self, frames):
            return super().forward(frames) - 80

    metric = wrap_module(Centred(), name="centred", score_range=(-50, 150))
    source = write_clip(tmp_path / "clip.mp4")
    request = request_for([source], tmp_path / "out", attacks=parse_attacks("fgsm"), gain=0.01)
    manifest = generate_stimulus_set(request, metric=metric).manifest
    assert manifest.gain.form == "scaled"
    assert manifest.stimuli[1].gain_delivered == pytest.approx(0.01, rel=0.021)


@pytest.mark.slow
def test_one_strength_for_the_whole_set(made, tmp_path):
    """--match dataset: the mean of the clips' gains is the target, at one strength; a second run makes nothing."""
    request = dataclasses.replace(made[0], match="dataset", attacks=parse_attacks("fgsm"), out=tmp_path / "out")
    manifest = generate_stimulus_set(request, metric=the_metric()).manifest
    attacked = [stimulus for stimulus in manifest.stimuli if stimulus.attack]
    assert len({stimulus.strength for stimulus in attacked}) == 1
    gains = [stimulus.gain_delivered for stimulus in attacked]
    assert np.mean(gains) == pytest.approx(GAIN, rel=TOLERANCE + 1e-6)
    assert gains[0] != gains[1]
    for source, stimulus in zip(manifest.sources, attacked, strict=True):
        clean, scores = (
            decoded_scores(request.out / s.file, source.delivered.colour.matrix)
            for s in (next(s for s in manifest.stimuli if s.source == source.id), stimulus)
        )
        assert ((scores - clean) / clean).mean() == pytest.approx(stimulus.gain_delivered, abs=2e-4)
    assert generate_stimulus_set(request, metric=the_metric()).made == 0
    # The strength belongs to all sources: with one of them taken away it is another.
    fewer = dataclasses.replace(request, sources=request.sources[:1])
    assert generate_stimulus_set(fewer, metric=the_metric()).made == 1


@pytest.mark.slow
def test_a_dataset_that_falls_short_is_recorded_for_every_source(made, tmp_path):
    request = dataclasses.replace(
        made[0], match="dataset", gain=5.0, attacks=parse_attacks("fgsm"), max_frames=3, out=tmp_path / "out"
    )
    manifest = generate_stimulus_set(request, metric=the_metric(peak=60.0)).manifest
    assert [(missed.source, missed.condition) for missed in manifest.unreachable] == [("one", "fgsm"), ("two", "fgsm")]
    assert all(0 < missed.best_gain < 5 and missed.best_linf is None for missed in manifest.unreachable)


@pytest.mark.slow
def test_the_same_largest_change(made, tmp_path):
    request = dataclasses.replace(
        made[0],
        sources=made[0].sources[:1],
        match="linf",
        gain=None,
        linf=3.0,
        attacks=parse_attacks("fgsm,ioi"),
        out=tmp_path / "out",
    )
    manifest = generate_stimulus_set(request, metric=the_metric()).manifest
    assert (manifest.gain.target, manifest.gain.linf, manifest.gain.match) == (None, 3.0, "linf")
    reference, fgsm, ioi = manifest.stimuli
    assert reference.linf == 0
    assert fgsm.linf == pytest.approx(3, rel=TOLERANCE)
    assert ioi.linf == pytest.approx(3, rel=TOLERANCE)
    assert fgsm.strength == pytest.approx(3 / 255, rel=TOLERANCE)
    # FGSM changes every value by as much, IOI few of them.
    assert fgsm.gain_delivered > 1.5 * ioi.gain_delivered > 0
    luma = [next(read_planes(request.out / s.file, chunk=9)).y.int() for s in (reference, fgsm)]
    assert 2 <= (luma[1] - luma[0]).abs().float().quantile(0.9) <= 5
    assert generate_stimulus_set(request, metric=the_metric()).made == 0


def test_attacks_of_several_gradients_are_marked_on_request(made, copy):
    assert {stimulus.speed_matched for stimulus in made[1].manifest.stimuli} == {None}
    result = generate_stimulus_set(dataclasses.replace(copy, speed_matched=True), metric=the_metric())
    assert result.made == 0
    assert result.manifest.speed_matched
    marks = {stimulus.condition: stimulus.speed_matched for stimulus in result.manifest.stimuli}
    assert marks == {"reference": None, "fgsm": True, "ifgsm:iterations=3": False, "ioi": True}


@pytest.fixture
def trained(tmp_path):
    """A folder with a universal perturbation trained against the metric of these tests, and one against another."""
    pictures, folder = tmp_path / "pictures", tmp_path / "trained"
    pictures.mkdir()
    rows, columns = np.mgrid[:64, :80] / 9
    for index in range(2):
        wave = 100 + 60 * np.sin(rows * (index + 1) + columns)[..., None] * [1, 0.7, 0.4]
        Image.fromarray(wave.astype(np.uint8)).save(pictures / f"{index}.png")
    other = wrap_module(Sharpness(peak=40.0), name="other")
    for name, metric in (("mine", the_metric()), ("other", other)):
        train_attack("uap_optimized", metric, pictures, folder / f"{name}.safetensors", epochs=2, batch=2, crop=48)
    return folder


@pytest.mark.slow
def test_a_trained_file_is_found_by_its_metric(made, trained, tmp_path):
    request = dataclasses.replace(
        made[0],
        sources=made[0].sources[:1],
        attacks=parse_attacks("uap_optimized"),
        trained=(trained,),
        speed_matched=True,
        out=tmp_path / "out",
    )
    stimulus = generate_stimulus_set(request, metric=the_metric()).manifest.stimuli[1]
    assert stimulus.condition == "uap_optimized"
    assert stimulus.attack.options["file"] == "mine.safetensors"
    assert stimulus.attack.options["file_sha256"] == hash_of_file(trained / "mine.safetensors")
    assert str(tmp_path) not in json.dumps(stimulus.attack.options)
    assert stimulus.speed_matched
    assert (stimulus.metric_cost.forwards, stimulus.metric_cost.backwards) == (0, 0)
    # The file counts by its content: moved elsewhere, and named by hand, it is the same condition.
    moved = shutil.copy(trained / "mine.safetensors", tmp_path / "mine.safetensors")
    again = dataclasses.replace(request, trained=(Path(moved),))
    assert generate_stimulus_set(again, metric=the_metric()).made == 0
    with pytest.raises(InvalidRequest, match="uap_optimized and uap_optimized:file=mine are the same attack"):
        twins = dataclasses.replace(request, attacks=parse_attacks(f"uap_optimized,uap_optimized:file={moved}"))
        generate_stimulus_set(twins, metric=the_metric())


def test_a_file_of_another_metric_is_taken_on_request_only(made, trained, tmp_path):
    request = dataclasses.replace(
        made[0],
        sources=made[0].sources[:1],
        attacks=parse_attacks("fgsm,uap_optimized,ioi"),
        trained=(trained / "other.safetensors",),
        max_frames=2,
        out=tmp_path / "out",
    )
    with pytest.raises(TrainedFileError, match=r"train_attack uap_optimized .*--transfer.* ready: fgsm,ioi") as caught:
        generate_stimulus_set(request, metric=the_metric())
    assert "\n" not in str(caught.value)
    assert not request.out.exists()
    conditions = build_conditions(dataclasses.replace(request, transfer=True), the_metric())
    assert conditions[1].describe()["options"]["trained_against"] == "other"


def test_black_box_queries_are_counted_beforehand():
    class Asking:
        info = SimpleNamespace(name="asking", access="black-box")
        options = {"queries": 8000}

    (fgsm,) = build_conditions(request_for([], Path("out"), attacks=parse_attacks("fgsm")), the_metric())
    assert query_note([fgsm], 300) is None
    assert "up to 8,000 scores per frame, 2,400,000 for the 300 frames" in query_note(
        [fgsm, Condition("asking", Asking())], 300
    )


@pytest.mark.slow
def test_lossless_delivery_shows_what_was_meant(made, tmp_path):
    request = dataclasses.replace(
        made[0],
        sources=made[0].sources[:1],
        attacks=parse_attacks("fgsm"),
        delivery="vp9-lossless",
        out=tmp_path / "out",
    )
    manifest = generate_stimulus_set(request, metric=the_metric()).manifest
    items = (*manifest.stimuli, *manifest.verification)
    assert {Path(item.file).suffix for item in items} == {".webm"}
    assert len({(request.out / item.file).stat().st_size for item in items}) == 1
    reference, fgsm = manifest.stimuli
    assert fgsm.codec == "vp09.00.10.08"
    assert (reference.quality.psnr, reference.quality.ssim) == (None, 1)
    assert fgsm.gain_delivered == pytest.approx(fgsm.gain_frames, rel=1e-5)
    assert manifest.sources[0].delivered.settings == manifest.delivery.settings
    for item in items:
        data = (request.out / item.file).read_bytes()
        assert data[item.bytes_encoded] == 0xEC
        assert probe(request.out / item.file).frames == item.frames


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"gain": -0.1}, InvalidRequest, "ratio above 0"),
        ({"gain": float("nan")}, InvalidRequest, "ratio above 0"),
        ({"tolerance": 0}, InvalidRequest, "tolerance"),
        ({"match": "linf"}, InvalidRequest, "--linf"),
        ({"delivery": "av1"}, InvalidRequest, "choose one of: h264"),
        ({"rounding": "down"}, InvalidRequest, "dither or nearest"),
        ({"max_frames": 0}, InvalidRequest, "at least 1"),
        ({"chunk": -1}, InvalidRequest, "at least 1"),
        ({"seed": -1}, InvalidRequest, "seed"),
        ({"attacks": ()}, InvalidRequest, "at least one"),
        ({"attacks": parse_attacks("ifgsm,ifgsm:iterations=10")}, InvalidRequest, "are the same attack"),
        ({"attacks": parse_attacks("fgsm,fgsm")}, InvalidRequest, "given twice"),
        (
            {"attacks": parse_attacks("fgsm,ssah:iterations=1")},
            InvalidRequest,
            "ssah:iterations=1 are the same picture",
        ),
        ({"attacks": parse_attacks("ssah:iterations=1,fgsm")}, InvalidRequest, "at one iteration both are fgsm"),
        (
            {"attacks": parse_attacks("ssah:iterations=1,zhang:iterations=1")},
            InvalidRequest,
            "ssah:iterations=1 and zhang:iterations=1 are the same picture",
        ),
        ({"attacks": parse_attacks("fgms")}, UnknownName, "fgsm"),
        ({"attacks": parse_attacks("ioi:kepe=0.1")}, InvalidOption, "keep"),
        ({"sources": ()}, InvalidRequest, "at least"),
        ({"sources": (Path("nowhere.mp4"),)}, InvalidRequest, "There is no file nowhere.mp4"),
    ],
)
def test_wrong_requests_are_one_sentence_and_write_nothing(made, tmp_path, change, error, words):
    request = dataclasses.replace(made[0], out=tmp_path / "out", **change)
    with pytest.raises(error, match=words) as caught:
        generate_stimulus_set(request, metric=the_metric())
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_a_misspelt_metric_suggests_the_nearest(made, tmp_path):
    with pytest.raises(UnknownName, match="demo"):
        generate_stimulus_set(dataclasses.replace(made[0], metric="dmeo", out=tmp_path / "out"))


def test_same_source_twice(made, tmp_path):
    one = made[0].sources[0]
    with pytest.raises(InvalidRequest, match="Two sources are called"):
        generate_stimulus_set(dataclasses.replace(made[0], sources=(one, one), out=tmp_path / "a"), metric=the_metric())
    twin = shutil.copy(one, tmp_path / "twin.mp4")
    with pytest.raises(InvalidRequest, match="same video"):
        generate_stimulus_set(
            dataclasses.replace(made[0], sources=(one, twin), out=tmp_path / "b"), metric=the_metric()
        )


@pytest.mark.slow
def test_a_folder_stands_for_its_videos(made, tmp_path):
    folder = tmp_path / "clips"
    folder.mkdir()
    for name in ("b.mp4", "a.mp4"):
        write_clip(folder / name, frames=2, seed=ord(name[0]))
    (folder / "notes.txt").write_text("not a clip")
    request = dataclasses.replace(made[0], sources=(folder,), attacks=parse_attacks("fgsm"), out=tmp_path / "out")
    assert [s.id for s in generate_stimulus_set(request, metric=the_metric()).manifest.sources] == ["a", "b"]
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(InvalidRequest, match="holds no video"):
        generate_stimulus_set(dataclasses.replace(request, sources=(empty,)), metric=the_metric())


def test_a_bad_source_stops_before_any_work(made, tmp_path):
    bad = tmp_path / "bad.mp4"
    bad.write_text("no video")
    request = dataclasses.replace(made[0], sources=(*made[0].sources, bad), out=tmp_path / "out")
    with pytest.raises(InvalidSource, match=r"bad\.mp4"):
        generate_stimulus_set(request, metric=the_metric())
    assert not any((tmp_path / "out" / "media").iterdir())


@pytest.mark.slow
def test_a_run_that_made_nothing_binds_nobody(made, tmp_path):
    bad = tmp_path / "bad.mp4"
    bad.write_text("no video")
    request = dataclasses.replace(made[0], sources=(bad,), out=tmp_path / "out")
    with pytest.raises(InvalidSource):
        generate_stimulus_set(request, metric=the_metric())
    source = write_clip(tmp_path / "good.mp4", frames=2)
    request = dataclasses.replace(request, sources=(source,), attacks=parse_attacks("fgsm"), gain=0.05)
    assert generate_stimulus_set(request, metric=the_metric()).manifest.gain.target == 0.05


def test_a_source_that_cannot_be_read_is_not_blamed_on_the_folder(made, tmp_path, monkeypatch):
    def denied(path, size=None):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("stimuli.sources.hash_of_file", denied)
    with pytest.raises(InvalidSource, match=r"\.mp4 cannot be read: Permission denied"):
        generate_stimulus_set(dataclasses.replace(made[0], out=tmp_path / "out"), metric=the_metric())


def test_a_tiny_source_is_refused(made, tmp_path):
    source = write_clip(tmp_path / "tiny.mp4", height=32, width=64)
    with pytest.raises(InvalidSource, match="at least 48 pixels"):
        generate_stimulus_set(
            dataclasses.replace(made[0], sources=(source,), out=tmp_path / "out"), metric=the_metric()
        )


@pytest.mark.slow
@pytest.mark.parametrize("victim", ["media", "record", "manifest", "encoder"])
def test_a_full_disk_keeps_what_was_finished(made, tmp_path, monkeypatch, victim):
    request = dataclasses.replace(
        made[0], sources=made[0].sources[:1], attacks=parse_attacks("fgsm"), out=tmp_path / "out"
    )
    full = OSError(errno.ENOSPC, "No space left on device")
    with monkeypatch.context() as patch:
        if victim == "encoder":
            real = av.VideoFrame
            left = iter(range(20))

            def frame(*args):
                if next(left, None) is None:
                    raise full
                return real(*args)

            patch.setattr(av, "VideoFrame", frame)
        else:
            real_write = store.write_whole
            real_pad = SetFolder._pad

            def write(path, content):
                if victim in str(path):
                    raise full
                return real_write(path, content)

            def pad(self, *args):
                if victim == "media":
                    raise full
                return real_pad(self, *args)

            patch.setattr(store, "write_whole", write)
            patch.setattr(SetFolder, "_pad", pad)
        with pytest.raises(DiskFull) as caught:
            generate_stimulus_set(request, metric=the_metric())
        assert "\n" not in str(caught.value)
    assert not (request.out / "manifest.json").exists()
    assert not (request.out / ".work" / "tmp").exists()
    result = generate_stimulus_set(request, metric=the_metric())
    assert result.made + result.reused == 3
    assert all(hash_of_file(request.out / s.file) == s.sha256 for s in result.manifest.stimuli)
    if victim in ("media", "manifest"):
        assert result.made == 0


def test_a_delivered_file_that_decodes_short_is_not_kept(made, tmp_path, monkeypatch):
    from stimuli import clip as clip_module

    real = clip_module.read_planes

    def short(path, *, chunk, limit=None):
        return real(path, chunk=chunk, limit=limit if limit else 2)

    monkeypatch.setattr(clip_module, "read_planes", short)
    request = dataclasses.replace(made[0], sources=made[0].sources[:1], out=tmp_path / "out")
    with pytest.raises(VideoError, match="decodes to"):
        generate_stimulus_set(request, metric=the_metric())
    assert not (request.out / "manifest.json").exists()


KILLED_RUN = """
import sys, torch
from pathlib import Path
from attacks.metrics import wrap_module
from stimuli import StimulusRequest, generate_stimulus_set, parse_attacks
from tests.stimuli.conftest import Sharpness
torch.set_num_threads(1)
metric = wrap_module(Sharpness(delay=float(sys.argv[3])), name="sharpness", score_range=(0, 200))
generate_stimulus_set(
    StimulusRequest(sources=(Path(sys.argv[1]),), metric="sharpness", attacks=parse_attacks("fgsm,ioi"), gain=0.1,
                    out=Path(sys.argv[2]), chunk=2),
    metric=metric,
)
"""


@pytest.mark.slow
def test_killed_in_the_middle_and_continued(made, tmp_path):
    """SIGKILL while an attack is being encoded: finished stimuli are kept, nothing half made is trusted."""
    out = tmp_path / "out"
    source = made[0].sources[0]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    run = subprocess.Popen(
        [sys.executable, "-c", KILLED_RUN, str(source), str(out), "0.15"], env=environment, stderr=subprocess.PIPE
    )
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and not list(out.glob(".work/tmp/loops/*/attempt*.mp4")):
        assert run.poll() is None, run.stderr.read()
        time.sleep(0.02)
    run.send_signal(signal.SIGKILL)
    run.wait()
    assert list(out.glob(".work/tmp/loops/*/attempt*.mp4"))
    assert not (out / "manifest.json").exists()
    finished = len(list((out / "media").iterdir()))
    assert finished >= 2  # reference and verification stimulus

    request = StimulusRequest(
        sources=(source,), metric="sharpness", attacks=parse_attacks("fgsm,ioi"), gain=0.1, out=out, chunk=2
    )
    result = generate_stimulus_set(request, metric=the_metric())
    assert result.reused == finished
    assert result.made == 4 - finished
    assert not (out / ".work" / "tmp").exists()
    assert len(list((out / "media").iterdir())) == 4
    assert json.loads((out / "manifest.json").read_text())["format_version"] == 2


@pytest.mark.slow
def test_memory_of_a_whole_set_does_not_grow_with_the_clip(tmp_path):
    """Peak memory of matching, encoding and measuring: a clip four times as long takes no more."""
    code = """
import resource, sys, torch
from fractions import Fraction
from pathlib import Path
from attacks.metrics import wrap_module
from stimuli import StimulusRequest, generate_stimulus_set, parse_attacks
from tests.stimuli.conftest import Sharpness
from tests.stimuli.test_generate import write_clip
torch.set_num_threads(1)
source, frames = Path(sys.argv[1]), int(sys.argv[2])
write_clip(source, frames=4, height=176, width=240)
import stimuli.clip as clip
planes = next(clip.read_planes(source, chunk=4))
from stimuli.delivery import get_profile
from stimuli.video import write_video
from tests.stimuli.conftest import BT709
write_video(source, (planes for _ in range(frames // 4)), width=240, height=176, fps=Fraction(25), colour=BT709,
            profile=get_profile("h264"))
metric = wrap_module(Sharpness(), name="sharpness", score_range=(0, 200))
generate_stimulus_set(StimulusRequest(sources=(source,), metric="sharpness", attacks=parse_attacks("fgsm"), gain=0.1,
                      tolerance=0.2, out=source.with_name("out"), chunk=4), metric=metric)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    peaks = []
    # The shorter one already fills the encoder's look-ahead.
    for frames in (80, 176):
        folder = tmp_path / str(frames)
        folder.mkdir()
        done = subprocess.run(
            [sys.executable, "-c", code, str(folder / "in.mp4"), str(frames)],
            capture_output=True,
            text=True,
            env=environment,
        )
        assert done.returncode == 0, done.stderr
        peaks.append(int(done.stdout))
    # 96 more frames are 49 MB as float RGB, and their gradients as much again.
    assert peaks[1] - peaks[0] < 17, peaks
