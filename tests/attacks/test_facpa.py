"""FACPA at work on frames of any size."""

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

import attacks.facpa
from attacks import create_attack
from attacks.generators import UNetGenerator


@pytest.mark.parametrize("size", [(24, 32), (256, 256), (300, 257), (1, 9), (129, 511)])
def test_the_frame_is_continued_by_reflection_and_the_perturbation_cropped(
    size, trained_files, seeded_frames, make_metric
):
    frames = seeded_frames(2, *size)
    network = UNetGenerator(1).eval()
    network.load_state_dict(load_file(trained_files["facpa"]))
    missing = [(0, -side % 256) for side in size]
    padded = np.pad(frames.numpy(), [(0, 0), (0, 0), *missing], mode="reflect")
    with torch.no_grad():
        delta = 0.05 * network(torch.from_numpy(padded))[..., : size[0], : size[1]]
    prepared = create_attack("facpa", file=trained_files["facpa"]).prepare(frames, make_metric("net"))
    for strength in (0.4, 7.0):
        expected = (frames + strength * delta).clamp(0, 1)
        torch.testing.assert_close(prepared.at(strength), expected, rtol=0, atol=1e-5)


def test_the_network_runs_once_for_all_strengths(trained_files, seeded_frames, make_metric):
    attack, calls = create_attack("facpa", file=trained_files["facpa"]), []
    attack._network.register_forward_hook(lambda *_: calls.append(1))
    prepared = attack.prepare(seeded_frames(3, 40, 40), make_metric("net"))
    for strength in (0.1, 0.4, 1.0):
        prepared.at(strength)
    assert len(calls) == 1


def test_many_pixels_go_through_the_network_in_parts(monkeypatch, trained_files, seeded_frames, make_metric):
    attack, frames, metric = (
        create_attack("facpa", file=trained_files["facpa"]),
        seeded_frames(3, 40, 40),
        make_metric("net"),
    )
    whole, sizes = attack.perturb(frames, metric, 1.0), []
    attack._network.register_forward_hook(lambda _, inputs, __: sizes.append(len(inputs[0])))
    monkeypatch.setattr(attacks.facpa, "_MOST_PIXELS", 2 * 256 * 256)
    torch.testing.assert_close(attack.perturb(frames, metric, 1.0), whole, rtol=0, atol=1e-6)
    assert sizes == [2, 1]
