"""The delivery ladder: the cheapest rung that keeps every attack, for all stimuli of a source alike."""

from fractions import Fraction

import av
import numpy as np
import pytest
import torch

from stimuli import StimulusRequest, generate_stimulus_set, parse_attacks
from stimuli.closed_loop import ClosedLoop
from stimuli.colour import Planes
from stimuli.delivery import LADDER, get_profile
from stimuli.ladder import choose_rung
from stimuli.video import write_video
from tests.stimuli.conftest import BT709, textured, the_metric

MADE_UP = {
    "smooth": dict(zip(LADDER, (0.95, 0.97, 1.0, 1.0, 1.0), strict=True)),
    "noise": dict(zip(LADDER, (0.2, 0.6, 0.92, 0.97, 1.0), strict=True)),
    "faint": dict(zip(LADDER, (0.0, 0.1, 0.5, 0.7, 0.8), strict=True)),
    "nothing": dict.fromkeys(LADDER),
}


@pytest.mark.parametrize(
    ("conditions", "floor", "rung"),
    [
        (["smooth"], 0.9, "h264-crf14"),
        (["smooth", "noise"], 0.9, "h264"),
        (["noise", "smooth"], 0.9, "h264"),
        (["noise", "smooth"], 0.95, "h264-crf1"),
        (["noise"], 0.6, "h264-crf10"),
        (["faint", "smooth"], 0.9, "vp9-lossless"),
        (["nothing"], 0.9, "h264-crf14"),
    ],
)
def test_the_cheapest_rung_that_keeps_all(conditions, floor, rung):
    assert choose_rung(conditions, lambda name, profile: MADE_UP[name][profile.name], floor) == get_profile(rung)


def test_no_rung_is_asked_about_that_another_condition_ruled_out():
    asked = []

    def retention(name, profile):
        asked.append((name, profile.name))
        return MADE_UP[name][profile.name]

    choose_rung(["noise", "smooth"], retention, 0.9)
    assert asked == [("noise", "h264-crf14"), ("noise", "h264-crf10"), ("noise", "h264"), ("smooth", "h264")]


def luma_planes(path):
    """(N,H,W) luma in [0,1], float64, of a file's code values, read without the project's code."""
    with av.open(str(path)) as container:
        frames = [
            np.frombuffer(frame.planes[0], np.uint8).reshape(-1, frame.planes[0].line_size)[:, : frame.width]
            for frame in container.decode(video=0)
        ]
    return (np.stack(frames).astype(float) - 16) / 219


def request_for(source, out, **changes):
    values = {"attacks": parse_attacks("fgsm,ioi"), "gain": 0.1, "delivery": "auto", **changes}
    if values["delivery"] == "auto":
        values = {"retention_floor": 0.78, **values}
    return StimulusRequest(sources=(source,), metric="sharpness", out=out, **values)


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A smooth clip: in flat areas an encoder drops weak noise first."""
    planes = textured(8, 64, 96)
    soft = [
        torch.nn.functional.avg_pool2d(plane.float()[:, None], 9, 1, 4, count_include_pad=False)[:, 0].round().byte()
        for plane in (planes.y, planes.u, planes.v)
    ]
    path = tmp_path_factory.mktemp("ladder") / "clip.mp4"
    profile = get_profile("h264-crf1")
    write_video(path, [Planes(*soft)], width=96, height=64, fps=Fraction(25), colour=BT709, profile=profile)
    return path


@pytest.fixture(scope="module")
def made(source, tmp_path_factory):
    request = request_for(source, tmp_path_factory.mktemp("ladder") / "out")
    return request, generate_stimulus_set(request, metric=the_metric())


@pytest.mark.slow
def test_a_source_is_delivered_at_one_rung_above_the_floor(made):
    request, result = made
    manifest = result.manifest
    assert (manifest.delivery.profile, manifest.delivery.settings) == ("auto", None)
    (delivered,) = (source.delivered for source in manifest.sources)
    assert delivered.settings == get_profile(delivered.profile).settings
    assert delivered.below_floor == ()
    assert {s.condition for s in manifest.stimuli} == {"reference", "fgsm", "ioi"}
    for stimulus in manifest.stimuli[1:]:
        assert stimulus.retention_luma >= manifest.delivery.retention_floor
        assert stimulus.gain_delivered == pytest.approx(0.1, rel=0.02)
    suffix = get_profile(delivered.profile).suffix
    files = [item.file for item in (*manifest.stimuli, *manifest.verification)]
    assert all(file.endswith(suffix) for file in files)
    # The rungs that were left behind have left no files.
    assert sorted(f"media/{path.name}" for path in (request.out / "media").iterdir()) == sorted(files)


@pytest.mark.slow
def test_a_rung_below_would_have_kept_too_little(made, source, tmp_path):
    """The same set at the next cheaper profile, named: one attack at least falls under the floor there."""
    manifest = made[1].manifest
    rung = LADDER.index(manifest.sources[0].delivered.profile)
    assert rung > 0
    cheaper = request_for(source, tmp_path / "out", delivery=LADDER[rung - 1])
    stimuli = generate_stimulus_set(cheaper, metric=the_metric()).manifest.stimuli
    assert min(s.retention_luma for s in stimuli[1:]) < manifest.delivery.retention_floor


@pytest.mark.slow
def test_a_second_run_tries_and_makes_nothing(made, monkeypatch):
    request, _ = made
    monkeypatch.setattr(ClosedLoop, "probe_retention", None)
    monkeypatch.setattr(ClosedLoop, "search_frames", None)
    again = generate_stimulus_set(request, metric=the_metric())
    assert again.made == 0
    assert again.manifest == made[1].manifest


@pytest.mark.slow
def test_where_the_trial_flattered_the_next_rung_is_taken(source, tmp_path, monkeypatch):
    """The delivered file has the last word, and a second run remembers it."""
    monkeypatch.setattr(
        ClosedLoop,
        "probe_retention",
        lambda self, attack, strength, frames, profiles: ((profile, 1.0) for profile in profiles),
    )
    request = request_for(source, tmp_path / "out", attacks=parse_attacks("fgsm"))
    result = generate_stimulus_set(request, metric=the_metric())
    manifest = result.manifest
    assert manifest.sources[0].delivered.profile != LADDER[0]
    assert manifest.stimuli[1].retention_luma >= manifest.delivery.retention_floor
    assert generate_stimulus_set(request, metric=the_metric()).made == 0
    # A set that names the rung it ended on is the same, file by file.
    named = request_for(
        source, tmp_path / "named", attacks=request.attacks, delivery=manifest.sources[0].delivered.profile
    )
    twin = generate_stimulus_set(named, metric=the_metric()).manifest
    assert [s.strength for s in twin.stimuli] == [s.strength for s in manifest.stimuli]
    planes = [
        luma_planes(folder / s.file)
        for folder, s in zip((request.out, named.out), (manifest.stimuli[1], twin.stimuli[1]), strict=True)
    ]
    assert np.array_equal(*planes)


@pytest.mark.slow
def test_a_floor_that_no_rung_holds_is_recorded(source, tmp_path, monkeypatch):
    """Plain rounding swallows a part of a weak change before any encoder sees it."""
    request = request_for(
        source, tmp_path / "out", attacks=parse_attacks("ioi"), rounding="nearest", retention_floor=1.0, max_frames=4
    )
    manifest = generate_stimulus_set(request, metric=the_metric()).manifest
    assert manifest.sources[0].delivered.profile == LADDER[-1]
    assert manifest.sources[0].delivered.below_floor == ("ioi",)
    assert manifest.stimuli[1].retention_luma < 1
    assert manifest.delivery.retention_floor == 1.0


@pytest.mark.slow
def test_the_shares_that_the_trial_gives_hold_when_computed_anew(source, tmp_path):
    """Retention of the delivered files from their own luma, by the definition: <shown, meant> / <meant, meant>."""
    request = request_for(
        source, tmp_path / "out", attacks=parse_attacks("fgsm"), delivery="vp9-lossless", max_frames=6
    )
    manifest = generate_stimulus_set(request, metric=the_metric()).manifest
    reference, fgsm = (luma_planes(request.out / s.file) for s in manifest.stimuli)
    shown = fgsm - reference
    # FGSM asks for one size of change everywhere; grey it is where the three signs agree, and dithering keeps the mean.
    assert np.abs(shown).mean() == pytest.approx(manifest.stimuli[1].strength, rel=0.25)
    assert manifest.stimuli[1].retention_luma == pytest.approx(1, abs=0.06)
