"""Metrics that score several frames together, from the search to the delivered file."""

import json

import pytest
import torch

from attacks import create_attack
from attacks.metrics import wrap_module
from stimuli import StimulusRequest, generate_stimulus_set, parse_attacks, read_manifest
from stimuli.errors import SetConflict
from stimuli.store import hash_of_file
from tests.stimuli.conftest import Sharpness, write_clip
from tests.stimuli.loops import loop_on


class Lively(torch.nn.Module):
    """The sharpness of a clip, and what changes in it from frame to frame: (W, 3, H, W) -> ()."""

    def __init__(self):
        super().__init__()
        self.sharpness = Sharpness()

    def forward(self, frames):
        step = 255 * (frames[1:] - frames[:-1])
        motion = step.square().add(1).sqrt().mean() if len(step) else 0.0
        return self.sharpness(frames).mean() + motion


@pytest.fixture
def metric():
    return wrap_module(Lively(), "lively", score_range=(0, 200), window=4)


@pytest.mark.slow
def test_chunks_of_any_number_of_windows_give_the_same_bytes(metric, tmp_path):
    source = write_clip(tmp_path / "clip.mp4", frames=10, height=48, width=64)
    found = []
    # 3 is rounded up to a whole window; the last window is a short one.
    for chunk in (3, 8, None):
        loop, _, reference = loop_on(source, metric, tmp_path / f"{chunk}", chunk=chunk)
        found.append((hash_of_file(loop.match(create_attack("fgsm"), "fgsm").path), reference))
        assert len({round(score, 6) for score in reference}) == 3
    assert all(item == found[0] for item in found)


@pytest.mark.slow
def test_a_set_tells_the_window_and_is_not_continued_with_another(metric, tmp_path):
    source = write_clip(tmp_path / "clip.mp4", frames=6, height=48, width=64)
    request = StimulusRequest(
        sources=(source,), metric="lively", attacks=parse_attacks("fgsm"), gain=0.1, out=tmp_path / "set"
    )
    manifest = generate_stimulus_set(request, metric=metric).manifest
    assert manifest.target_metric.window == 4
    again = generate_stimulus_set(request, metric=metric)
    assert (again.made, again.reused) == (0, 3)
    with pytest.raises(SetConflict, match="made with window 4 instead of 2"):
        generate_stimulus_set(request, metric=wrap_module(Lively(), "lively", score_range=(0, 200), window=2))
    document = json.loads((request.out / "manifest.json").read_text())
    del document["target_metric"]["window"]
    (request.out / "manifest.json").write_text(json.dumps(document))
    assert read_manifest(request.out).target_metric.window == 1


def test_the_gain_is_that_of_whole_windows(metric, tmp_path):
    source = write_clip(tmp_path / "clip.mp4", frames=8, height=48, width=64)
    loop, metered, reference = loop_on(source, metric, tmp_path / "work")
    before = metered.forwards
    found = loop.match(create_attack("ioi"), "ioi")
    # One of the two windows is searched on, so an evaluation costs half of the clip.
    assert metered.forwards - before == 8 + 4 * (found.evaluations - found.encodes) + 8 * found.encodes + 8
    assert found.gain_delivered == pytest.approx(0.1, rel=0.02)
    scores = torch.tensor(found.delivered.scores)
    assert (scores[:4] == scores[0]).all() and (scores[4:] == scores[4]).all() and scores[0] != scores[4]
    assert found.gain_delivered == pytest.approx(float((scores / torch.tensor(reference) - 1).mean()), rel=1e-5)
