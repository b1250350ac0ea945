"""Universal perturbations at work, against NumPy."""

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from attacks import create_attack
from attacks.errors import TrainedFileError

NAMES = ("uap_optimized", "uap_cumulative", "uap_generative")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [(24, 32), (16, 16), (7, 50), (33, 3)])
@pytest.mark.parametrize("strength", [0.2, 1.0, 30.0])
def test_the_pattern_is_tiled_from_the_top_left_scaled_added_and_clipped(
    name, size, strength, trained_files, seeded_frames, make_metric
):
    frames = seeded_frames(2, *size)
    pattern = load_file(trained_files[name])["perturbation"].numpy()[0]
    expected = frames.numpy().copy()
    for row in range(size[0]):
        for column in range(size[1]):
            expected[:, :, row, column] += np.float32(strength) * pattern[:, row % 16, column % 16]
    result = create_attack(name, file=trained_files[name]).perturb(frames, make_metric("net"), strength)
    np.testing.assert_allclose(result.numpy(), expected.clip(0, 1), atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_every_frame_gets_the_same_pattern_whatever_the_chunk(name, trained_files, seeded_frames, make_metric):
    frames, attack, metric = seeded_frames(5, 20, 20), create_attack(name, file=trained_files[name]), make_metric("net")
    whole = attack.perturb(frames, metric, 0.4)
    chunks = torch.cat([attack.perturb(part, metric, 0.4) for part in frames.split(2)])
    assert torch.equal(whole, chunks)


def test_the_record_of_it_names_the_file_by_its_content_and_no_folder(trained_files):
    path = trained_files["uap_optimized"]
    record = create_attack("uap_optimized", file=path).describe()
    assert record["file"] == path.name and record["trained_against"] == "net" and record["transfer"] is False
    assert len(record["file_sha256"]) == 64
    assert str(path.parent) not in str(record)


def test_without_a_file_the_command_that_makes_one_is_named():
    with pytest.raises(TrainedFileError, match=r"manage\.py train_attack uap_generative --metric"):
        create_attack("uap_generative")
