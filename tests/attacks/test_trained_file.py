"""Files of trained attacks: found by their headers, refused when they are not what they should be."""

import dataclasses
import json
import struct
import subprocess
import sys

import pytest
import torch

from attacks import create_attack, find_trained_file
from attacks.errors import TrainedFileError
from attacks.metrics import wrap_module
from attacks.trained_file import save_trained
from attacks.trained_header import TrainedHeader, read_header
from tests.conftest import REPOSITORY

NAMES = ("uap_optimized", "uap_cumulative", "uap_generative", "facpa")
every = pytest.mark.parametrize("name", NAMES)

HEADER = TrainedHeader(
    attack="uap_optimized",
    metric="net",
    weights_sha256="aa",
    score_range=(0.0, 100.0),
    lower_better=False,
    data={},
    settings={},
    history={},
    torch="2",
)
PATTERN = {"perturbation": torch.full((1, 3, 4, 4), 0.1)}


@pytest.fixture
def make_file(tmp_path):
    """make_file(name, attack=..., metric=...) -> path of a trained file with that header."""

    def make(name="u.safetensors", tensors=PATTERN, **changes):
        save_trained(tmp_path / name, dataclasses.replace(HEADER, **changes), tensors)
        return tmp_path / name

    return make


def find(*paths, metric="net", sha="aa", **options):
    return find_trained_file("uap_optimized", paths, metric=metric, weights_sha256=sha, **options)


def test_the_header_comes_back_as_written(make_file):
    assert read_header(make_file()) == HEADER


def test_the_file_that_fits_is_found_among_files_and_folders(make_file, tmp_path):
    right = make_file("right.safetensors")
    make_file("attack.safetensors", attack="uap_cumulative")
    make_file("metric.safetensors", metric="other")
    make_file("weights.safetensors", weights_sha256="bb")
    (tmp_path / "foreign.safetensors").write_bytes(b"something else")
    (tmp_path / "notes.txt").write_text("")
    assert find(tmp_path) == right
    assert find(right) == find(str(right)) == find(right, tmp_path) == right
    assert find(tmp_path, transfer=True) == right
    assert find(tmp_path, sha="bb").name == "weights.safetensors"


def test_finding_a_file_loads_no_pytorch(make_file):
    code = (
        "import sys, attacks; attacks.find_trained_file('uap_optimized', [sys.argv[1]], metric='net', "
        "weights_sha256='aa'); print('torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(make_file())], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"


def test_without_a_fitting_file_the_command_is_given_and_what_there_is(make_file, tmp_path):
    with pytest.raises(TrainedFileError, match=r"manage\.py train_attack uap_optimized --metric net --images"):
        find(tmp_path)
    make_file(metric="other")
    with pytest.raises(TrainedFileError, match=r"--metric net .*u\.safetensors \(other\)"):
        find(tmp_path)
    assert find(tmp_path, transfer=True).name == "u.safetensors"


def test_of_several_that_fit_none_is_taken_silently(make_file, tmp_path):
    make_file("one.safetensors"), make_file("two.safetensors")
    with pytest.raises(TrainedFileError, match=r"several .*one\.safetensors.*two\.safetensors"):
        find(tmp_path)


def test_a_path_given_by_itself_must_be_a_trained_file(tmp_path):
    (tmp_path / "x").write_bytes(b"something else")
    for path, says in ((tmp_path / "missing", "no file"), (tmp_path / "x", "not a file made by")):
        with pytest.raises(TrainedFileError, match=says):
            find(path)


@every
@pytest.mark.parametrize("kept", [0, 4, 8, 100, 0.5, -1])
def test_a_file_cut_off_anywhere_is_refused(name, kept, trained_files, tmp_path):
    content = trained_files[name].read_bytes()
    length = int(kept * len(content)) if isinstance(kept, float) else kept
    path = tmp_path / "cut"
    path.write_bytes(content[:length])
    with pytest.raises(TrainedFileError, match=r"cut (is|off)|not a file made by"):
        create_attack(name, file=path)
    with pytest.raises(TrainedFileError):
        read_header(path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff" * 64,
        struct.pack("<Q", 2) + b"{}",
        struct.pack("<Q", 2) + b"[]",
        struct.pack("<Q", 5) + b"{\xff\xff\xff}",
        struct.pack("<Q", 2**60) + b"{}",
        (lambda text: struct.pack("<Q", len(text)) + text)(
            json.dumps({"__metadata__": {"trained_attack": "1"}}).encode()
        ),
    ],
)
def test_what_is_no_trained_file_is_refused(content, tmp_path):
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(TrainedFileError, match="x "):
        read_header(tmp_path / "x")


def test_another_version_of_the_format_is_refused(make_file):
    with pytest.raises(TrainedFileError, match="another version"):
        read_header(make_file(format=2))


@every
def test_a_missing_file_and_one_of_another_attack_are_refused(name, trained_files, tmp_path):
    with pytest.raises(TrainedFileError, match="there is no file"):
        create_attack(name, file=tmp_path / "missing")
    other = NAMES[NAMES.index(name) - 1]
    with pytest.raises(TrainedFileError, match=f"trained for {other}, not for {name}; .*train_attack {name}"):
        create_attack(name, file=trained_files[other])


@every
def test_only_the_metric_of_the_training_is_attacked_unless_transfer(
    name, trained_files, seeded_frames, make_module, make_metric
):
    frames, file = seeded_frames(1, 24, 32), trained_files[name]
    attack, transfer = create_attack(name, file=file), create_attack(name, file=file, transfer=True)
    attack.prepare(frames, make_metric("net"))
    other_weights = make_metric("net")
    other_weights.weights_sha256 = "bb"
    for metric, says in (
        (wrap_module(make_module("net"), name="other"), "against the metric 'net', not 'other'; .*--metric other"),
        (other_weights, "other weights"),
        (make_metric("net", lower_better=True), "other direction"),
    ):
        with pytest.raises(TrainedFileError, match=f"{says}.*transfer"):
            attack.prepare(frames, metric)
        transfer.prepare(frames, metric)


@pytest.mark.parametrize(
    "tensors",
    [
        {"perturbation": torch.zeros(3, 4, 4)},
        {"perturbation": torch.zeros(2, 3, 4, 4)},
        {"perturbation": torch.zeros(1, 1, 4, 4)},
        {"pattern": torch.zeros(1, 3, 4, 4)},
        PATTERN | {"more": torch.zeros(1)},
        {"perturbation": torch.zeros(1, 3, 4, 4, dtype=torch.float16)},
        {"perturbation": torch.full((1, 3, 4, 4), float("nan"))},
    ],
)
def test_a_pattern_of_another_shape_or_kind_is_refused(tensors, make_file):
    with pytest.raises(TrainedFileError, match=r"u\.safetensors.* train it again"):
        create_attack("uap_optimized", file=make_file(tensors=tensors))


@pytest.mark.parametrize("settings", [{}, {"width": 2, "eps": 0.1}, {"width": "1", "eps": 0.1}, {"width": 1}])
def test_a_network_that_is_not_the_described_one_is_refused(settings, trained_files, make_file):
    from safetensors.torch import load_file

    path = make_file(attack="facpa", tensors=load_file(trained_files["facpa"]), settings=settings)
    with pytest.raises(TrainedFileError, match="train it again"):
        create_attack("facpa", file=path)


def test_a_file_is_written_whole_or_not_at_all(make_file, monkeypatch):
    import attacks.trained_file

    path = make_file()
    before = path.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(attacks.trained_file.os, "fsync", full)
    with pytest.raises(TrainedFileError, match="cannot be written: No space left"):
        make_file(metric="other")
    assert path.read_bytes() == before
