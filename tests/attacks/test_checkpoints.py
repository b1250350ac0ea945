"""Published checkpoint files: read in every form they come in, run in none, and refused in one sentence."""

import argparse
import collections
import os
import random
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from attacks.errors import MetricUnavailable
from attacks.metrics.checkpoints import find_weights, load_state, read_state
from attacks.metrics.table import MetricInfo, WeightsFile


def small_network():
    with torch.random.fork_rng():
        torch.manual_seed(5)
        return torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))


class Malicious:
    """A pickle of it makes a folder while it is read."""

    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return os.makedirs, (str(self.folder), 0o777, True)


def trained(network):
    """A checkpoint as training scripts keep it, with objects beside the parameters that no scoring needs."""
    return {
        "epoch": 3,
        "best": np.float64(0.9),
        "history": collections.defaultdict(list, {"loss": [0.5]}),
        "options": argparse.Namespace(rate=0.1),
        "state_dict": network.state_dict(),
    }


FORMS = {
    "state dict": lambda network: network.state_dict(),
    "under state_dict": trained,
    "under model": lambda network: {"model": network.state_dict(), "k": [2, 3.5], "b": 1.25},
    "whole module": lambda network: network,
    "of DataParallel": lambda network: torch.nn.DataParallel(network).state_dict(),
}


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_tensors(tmp_path, form, zipped):
    network = small_network()
    path = tmp_path / "file.pth"
    torch.save(FORMS[form](network), path, _use_new_zipfile_serialization=zipped)
    state = read_state(path)
    assert list(state) == list(network.state_dict())
    assert all(torch.equal(state[name], tensor) for name, tensor in network.state_dict().items())


def test_safetensors(tmp_path):
    network = small_network()
    save_file(network.state_dict(), tmp_path / "file.safetensors")
    assert read_state(tmp_path / "file.safetensors").keys() == network.state_dict().keys()


def test_numbers_beside_the_parameters(tmp_path):
    torch.save(FORMS["under model"](small_network()), tmp_path / "file.pth")
    state = read_state(tmp_path / "file.pth", constants=("k", "b", "absent"))
    assert state["k"].tolist() == [2, 3.5] and state["b"].item() == 1.25 and "absent" not in state


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_nothing_in_a_file_is_run(tmp_path, zipped):
    made, path, inner = tmp_path / "made", tmp_path / "file.pth", tmp_path / "inner.pth"
    torch.save(Malicious(made), inner, _use_new_zipfile_serialization=zipped)
    # A pickle inside a pickle, which PyTorch's own function would unpack.
    nested = type("Nested", (), {"__reduce__": lambda _: (torch.storage._load_from_bytes, (inner.read_bytes(),))})()
    content = {"state_dict": small_network().state_dict(), "a": Malicious(made), "b": nested}
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    assert len(read_state(path)) == 7
    assert not made.exists()
    torch.load(path, weights_only=False)
    assert made.exists(), "the file of this test does nothing, so it proves nothing"


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_damaged_files_are_refused_in_one_sentence(tmp_path, zipped):
    path, chance = tmp_path / "file.pth", random.Random(1)
    torch.save(trained(small_network()), path, _use_new_zipfile_serialization=zipped)
    whole = path.read_bytes()
    for length in (0, 1, 30, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(MetricUnavailable, match="truncated or something else") as refusal:
            read_state(path)
        assert "\n" not in str(refusal.value) and str(path) in str(refusal.value)
    refused = 0
    for _ in range(20):
        damaged = bytearray(whole)
        for _ in range(3):
            damaged[chance.randrange(len(whole))] = chance.randrange(256)
        path.write_bytes(damaged)
        try:
            read_state(path)
        except MetricUnavailable:
            refused += 1
    assert refused > 5


@pytest.mark.parametrize("content", [b"", b"not a checkpoint\n" * 9, b"\x80\x04N."], ids=["empty", "text", "none"])
@pytest.mark.parametrize("name", ["file.pth", "file.safetensors"])
def test_other_files_are_refused(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(MetricUnavailable, match="cannot be read as a checkpoint"):
        read_state(tmp_path / name)


def test_a_file_without_parameters_is_refused(tmp_path):
    torch.save({"epoch": 3, "names": ["a"]}, tmp_path / "file.pth")
    with pytest.raises(MetricUnavailable, match="holds no network's parameters"):
        read_state(tmp_path / "file.pth")


def test_another_architecture_is_refused_by_the_names_that_differ():
    network = small_network()
    state = {**network.state_dict(), "0.weight": torch.zeros(4, 1, 3, 3), "extra.weight": torch.zeros(2)}
    del state["1.bias"]
    with pytest.raises(MetricUnavailable) as refusal:
        load_state(network, state, Path("file.pth"), what="a network")
    message = str(refusal.value)
    assert "file.pth is not a checkpoint of a network" in message
    assert "1 of 6 tensors missing (1.bias); 1 tensor unknown (extra.weight)" in message
    assert "1 tensor of another shape (0.weight (4, 1, 3, 3) instead of (4, 3, 3, 3))" in message
    many = {f"part{index}.weight": torch.zeros(1) for index in range(500)}
    with pytest.raises(MetricUnavailable) as refusal:
        load_state(network, many, Path("file.pth"), what="a network")
    assert len(str(refusal.value)) < 400


def test_published_names_are_translated_and_old_files_need_no_counters():
    network, state = small_network(), small_network().state_dict()
    del state["1.num_batches_tracked"]
    published = {f"old.{name}": tensor + 1 for name, tensor in state.items()} | {"head.weight": torch.zeros(1)}
    load_state(
        network,
        published,
        Path("file.pth"),
        what="a network",
        rename=lambda name: None if name.startswith("head.") else name.removeprefix("old."),
    )
    assert torch.equal(network.state_dict()["1.bias"], state["1.bias"] + 1)


def test_where_weights_are_looked_for(tmp_path, monkeypatch):
    own, home = tmp_path / "own", tmp_path / "hub" / "checkpoints"
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("METRIC_WEIGHTS_DIR", str(own))
    file = WeightsFile("a.pth", folder="checkpoints", origin="example.org/a", aliases=("b.pth",))
    info = MetricInfo("m", "M", "c", False, (0, 1), "MIT", "x:y", weights=file)
    with pytest.raises(MetricUnavailable, match=r"a\.pth \(example\.org/a\).*METRIC_WEIGHTS_DIR"):
        find_weights(info, file)
    for path in (home / "b.pth", home / "a.pth", own / "b.pth", own / "a.pth"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        assert find_weights(info, file) == path
    assert find_weights(info, file, given=home / "b.pth") == home / "b.pth"
