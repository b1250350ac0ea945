"""Metrics that score several frames together, from the search to the delivered file."""

import pytest
import torch

from attacks import create_attack
from attacks.metrics import wrap_module
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
