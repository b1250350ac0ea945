"""One strength for all clips of a set."""

from fractions import Fraction
from statistics import fmean

import numpy as np
import pytest
import torch

from attacks import create_attack
from stimuli.clip import Clip
from stimuli.colour import display_frames
from stimuli.dataset_matching import match_dataset
from stimuli.delivery import get_profile
from stimuli.errors import Unreachable
from stimuli.video import probe, write_video
from tests.stimuli.conftest import BT709, textured, the_metric
from tests.stimuli.loops import loop_on

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """Three clips, one of them much longer than the others, one of low contrast and one dull."""
    folder = tmp_path_factory.mktemp("sources")
    paths = []
    for seed, (frames, contrast) in enumerate(((4, 1.0), (12, 0.6), (4, 0.3))):
        paths.append(folder / f"{seed}.mp4")
        planes = textured(frames, 48, 64, seed)
        planes.y[:] = (planes.y * contrast + 126 * (1 - contrast)).round().to(torch.uint8)
        write_video(
            paths[-1], [planes], width=64, height=48, fps=Fraction(25), colour=BT709, profile=get_profile("h264")
        )
    return paths


def loops_on(sources, metric, folder, **options):
    made = [loop_on(source, metric, folder / source.stem, **options) for source in sources]
    return [loop for loop, _, _ in made], [metered for _, metered, _ in made], [scores for _, _, scores in made]


def scores_of(path):
    clip = Clip.open(path, probe(path), max_frames=None, chunk=4, device=torch.device("cpu"))
    frames = torch.cat([display_frames(planes, clip.colour) for _, planes in clip.chunks()])
    return the_metric().score(frames).double().numpy()


@pytest.mark.parametrize("name", ["fgsm", "ioi"])
def test_the_mean_over_the_sources_is_the_target(name, sources, tmp_path):
    loops, meters, references = loops_on(sources, the_metric(), tmp_path)
    before = [metered.forwards for metered in meters]
    found = match_dataset(loops, create_attack(name), name)
    assert len({item.strength for item in found}) == 1
    # Computed from the files: each source counts the same, not each frame.
    gains = [(scores_of(item.path) / np.array(clean) - 1).mean() for item, clean in zip(found, references, strict=True)]
    assert [item.gain_delivered for item in found] == pytest.approx(gains, rel=1e-5)
    assert fmean(gains) == pytest.approx(0.1, rel=0.02)
    assert max(gains) > 1.2 * min(gains)
    assert [item.path.parent for item in found] == [tmp_path / name for name in "012"]
    for item, metered, start, frames in zip(found, meters, before, (4, 12, 4), strict=True):
        # All but the gradient that attacks share and one score of the report.
        assert item.matching_cost[0] == pytest.approx((metered.forwards - start) / frames - 2)
        assert item.matching_cost[0] <= 5


def test_out_of_reach_for_the_set(sources, tmp_path):
    metric = the_metric(peak=1.05 * scores_of(sources[0]).mean())
    loops, _, _ = loops_on(sources[:1], metric, tmp_path, target=0.5)
    with pytest.raises(Unreachable, match="over these clips") as caught:
        match_dataset(loops, create_attack("fgsm"), "fgsm")
    assert 0.02 < caught.value.best_gain < 0.06
    assert not list(tmp_path.rglob("attempt*"))


def test_a_clip_that_falls_short_alone_is_carried_by_the_others(sources, tmp_path):
    metric = the_metric(peak=1.05 * scores_of(sources[0]).mean())
    loops, _, _ = loops_on(sources[:1], metric, tmp_path / "alone", target=0.08)
    with pytest.raises(Unreachable):
        loops[0].match(create_attack("fgsm"), "fgsm")
    loops, _, _ = loops_on(sources[::2], metric, tmp_path / "both", target=0.08)
    found = match_dataset(loops, create_attack("fgsm"), "fgsm")
    assert fmean(item.gain_delivered for item in found) == pytest.approx(0.08, rel=0.02)
    assert found[0].gain_delivered < 0.06
