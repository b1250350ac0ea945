"""Costs of the attacks: what is counted, against what is known; and the project's own targets."""

import json
import time

import pytest
import torch
from django.core.management import CommandError, call_command

from attacks import create_attack, list_attacks, measure_costs, synthetic_scene
from attacks.errors import InvalidFrames, InvalidOption, NotDifferentiable
from attacks.measuring import fastest, peak_memory
from attacks.metrics import wrap_module

CPU = torch.device("cpu")
MIB = 2**20


@pytest.mark.slow
def test_peak_memory_of_a_known_allocation():
    def run():
        first = torch.zeros(MIB)  # 4 MiB
        second = first + 1  # 8 at one time
        del first
        third = torch.zeros(MIB // 4)  # 5
        return second, third

    kept = []
    assert peak_memory(run, CPU) == pytest.approx(8 * MIB, abs=4096)
    assert peak_memory(lambda: kept.append(torch.zeros(MIB)), CPU) == pytest.approx(4 * MIB, abs=4096)
    assert peak_memory(lambda: kept.append(torch.zeros(MIB)), CPU) == pytest.approx(4 * MIB, abs=4096)
    assert peak_memory(lambda: kept.clear(), CPU) == 0


@pytest.mark.slow
def test_peak_memory_sees_inside_operations_and_the_backward_pass():
    weight = torch.rand(8, 8)
    leaf = torch.rand(MIB // 32, 8, requires_grad=True)  # 1 MiB

    def run():
        hidden = leaf @ weight
        torch.autograd.grad((hidden.exp() @ weight).sum(), leaf)

    # Kept for the backward: exp; and with it two of {hidden, the gradient on its way, its successor}.
    assert 3 * MIB <= peak_memory(run, CPU) <= 5 * MIB
    spectrum = torch.rand(256, 1024)  # 1 MiB; the complex result is 1 MiB and needs a scratch of its own size or none
    assert peak_memory(lambda: torch.fft.rfft2(spectrum), CPU) >= MIB


def test_all_take_turns_and_the_least_counts():
    calls, pauses = [], {"a": iter([0.03, 0.0, 0.03]), "b": iter([0.02, 0.02, 0.02])}

    def work(name):
        calls.append(name)
        end = time.process_time() + next(pauses[name])
        while time.process_time() < end:
            pass

    best = fastest({name: lambda name=name: work(name) for name in pauses}, CPU, rounds=3)
    assert calls == ["a", "b"] * 3
    assert best["a"] < 0.02 <= best["b"] < 0.03


def test_seconds_of_a_cpu_leave_out_waiting():
    assert fastest({"sleep": lambda: time.sleep(0.05)}, CPU, rounds=1)["sleep"] < 0.02


@pytest.mark.slow
def test_counts_ratios_and_the_rows(make_metric):
    frames = synthetic_scene(2, 24, 32)
    attacks = {"fgsm": create_attack("fgsm"), "three": create_attack("ifgsm", iterations=3)}
    threads = torch.get_num_threads()
    table = measure_costs(attacks, make_metric("net"), frames, rounds=2, threads=2, strength="low")
    assert torch.get_num_threads() == threads and table.threads == 2
    assert (table.metric, table.width, table.height, table.batch, table.device) == ("net", 32, 24, 2, "cpu")
    one, three = table.attacks
    assert (one.attack, one.metric_forwards, one.metric_backwards) == ("fgsm", 1, 1)
    assert (three.attack, three.metric_forwards, three.metric_backwards) == ("three", 3, 3)
    assert three.strength == attacks["three"].info.strength.low
    assert three.ratio_per_gradient == pytest.approx(three.ratio / 3) and three.seconds_per_query is None
    assert one.ratio == pytest.approx(one.seconds / table.bare_seconds) and one.frames_per_second == 1 / one.seconds
    assert one.memory_ratio == pytest.approx(one.peak_bytes / table.bare_bytes) and one.memory_ratio > 0.9
    assert table.not_measured == {}


@pytest.mark.slow
def test_a_bare_pass_of_ones_own_is_what_the_ratios_refer_to(make_metric):
    def slow(frames):
        end = time.process_time() + 0.02
        while time.process_time() < end:
            pass
        return frames.mean(dim=(1, 2, 3))

    table = measure_costs(
        {"fgsm": create_attack("fgsm")}, make_metric("net"), synthetic_scene(1, 24, 32), rounds=1, bare=slow
    )
    assert table.bare_seconds >= 0.02 and table.attacks[0].ratio < 1


def test_what_cannot_be_measured_says_why(make_metric):
    attacks = {"ioi": create_attack("ioi"), "fgsm": create_attack("fgsm")}
    table = measure_costs(attacks, make_metric("net"), torch.rand(1, 3, 2, 40), rounds=1)
    assert [cost.attack for cost in table.attacks] == ["fgsm"]
    assert "3x3" in table.not_measured["ioi"] and "* `ioi` was not measured: " in table.to_markdown()


def test_bad_input_is_named(make_metric):
    attack, frames = {"fgsm": create_attack("fgsm")}, synthetic_scene(1, 24, 32)
    with pytest.raises(InvalidOption, match="default, low or high"):
        measure_costs(attack, make_metric("net"), frames, strength="strong")
    with pytest.raises(InvalidFrames, match="shape"):
        measure_costs(attack, make_metric("net"), frames[0])

    class NoGradient(torch.nn.Module):
        def forward(self, frames):
            return frames.detach().mean(dim=(1, 2, 3))

    with pytest.raises(NotDifferentiable, match="no gradient"):
        measure_costs(attack, wrap_module(NoGradient()), frames)


def test_the_scene_is_the_same_every_time_and_on_whole_levels():
    scene = synthetic_scene(2, 24, 32)
    state = torch.random.get_rng_state()
    assert torch.equal(scene, synthetic_scene(2, 24, 32)) and not torch.equal(scene, synthetic_scene(2, 24, 32, seed=1))
    assert torch.equal(state, torch.random.get_rng_state())
    assert torch.equal(scene, (255 * scene).round() / 255) and scene.min() >= 0 and scene.max() <= 1
    assert scene.shape == (2, 3, 24, 32) and not torch.equal(scene[0], scene[1]) and scene.std() > 0.1


def run(capsys, out, *arguments):
    call_command("benchmark_attacks", "--metric", "demo", "--size", "64x48", "--rounds", "1", "--out", out, *arguments)
    return capsys.readouterr()


def test_the_command_prints_and_writes_the_table(capsys, tmp_path):
    said = run(capsys, tmp_path / "new" / "costs", "--attacks", "fgsm,ioi:keep=0.1,uap_optimized")
    text = (tmp_path / "new" / "costs" / "costs.md").read_text()
    assert "| ioi:keep=0.1 " in said.out and said.out.partition("\nWritten")[0] in text
    document = json.loads((tmp_path / "new" / "costs" / "costs.json").read_text())
    assert [row["attack"] for row in document["attacks"]] == ["fgsm", "ioi:keep=0.1"]
    assert "train_attack" in document["not_measured"]["uap_optimized"]
    assert (document["metric"], document["width"], document["height"]) == ("demo", 64, 48)
    assert sorted(path.name for path in (tmp_path / "new" / "costs").iterdir()) == ["costs.json", "costs.md"]
    assert "run" in said.err and "%" in said.err


def test_a_batch_shorter_than_the_window_is_refused(capsys, tmp_path, monkeypatch):
    from studyserver.management.commands import benchmark_attacks

    class MeanOfFrames(torch.nn.Module):
        def forward(self, frames):
            return frames.square().mean()

    def in_windows(name, device, weights, window):
        windows.append(window)
        return wrap_module(MeanOfFrames(), window=3)

    windows = []
    monkeypatch.setattr(benchmark_attacks, "create_metric", in_windows)
    with pytest.raises(CommandError, match=r"the --batch comes to 2 frames.* --window 2"):
        run(capsys, tmp_path, "--attacks", "fgsm", "--batch", "2")
    said = run(capsys, tmp_path, "--attacks", "fgsm", "--json", "--window", "3")
    assert json.loads(said.out)["batch"] == 3 and windows == [None, 3]


def test_json_stands_alone_on_standard_output(capsys, tmp_path):
    said = run(capsys, tmp_path, "--attacks", "fgsm", "--json", "--batch", "2", "--strength", "high")
    assert json.loads(said.out) == json.loads((tmp_path / "costs.json").read_text())
    assert json.loads(said.out)["attacks"][0]["strength"] == pytest.approx(25 / 255)
    assert json.loads(said.out)["batch"] == 2


@pytest.mark.slow
def test_black_box_attacks_get_few_queries_and_say_so(capsys, tmp_path):
    document = json.loads(run(capsys, tmp_path, "--attacks", "scoreboundary", "--json").out)
    (row,) = document["attacks"]
    assert row["attack"] == "scoreboundary:queries=64"
    assert 0 < row["metric_forwards"] <= 65 and row["metric_backwards"] == 0
    assert row["ratio_per_gradient"] is None
    assert row["seconds_per_query"] == pytest.approx(row["seconds"] / row["metric_forwards"])


@pytest.mark.slow
def test_trained_attacks_are_measured_where_their_file_is_found(capsys, tmp_path, trained_files):
    folder = str(trained_files["facpa"].parent)
    said = run(capsys, tmp_path, "--attacks", "uap_optimized:transfer=yes,facpa", "--trained", folder, "--json")
    document = json.loads(said.out)
    (row,) = document["attacks"]
    assert row["attack"] == "uap_optimized:transfer=yes"
    assert (row["metric_forwards"], row["metric_backwards"], row["ratio_per_gradient"]) == (0, 0, None)
    assert "another metric" in document["not_measured"]["facpa"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--attacks", "fsgm"], "did you mean"),
        (["--size", "big"], "WIDTHxHEIGHT"),
        (["--size", "0x10"], "WIDTHxHEIGHT"),
        (["--rounds", "0"], "1 or more"),
        (["--strength", "huge"], "default, low or high"),
        (["--device", "abacus"], "device"),
        (["--attacks", "fgsm:keep=1"], "no option"),
        (["--attacks", ","], "name at least one"),
    ],
)
def test_bad_arguments_are_one_sentence(capsys, tmp_path, arguments, words):
    with pytest.raises(CommandError, match=words) as caught:
        run(capsys, tmp_path, *arguments)
    assert "\n" not in str(caught.value)


def test_a_folder_that_cannot_be_written_is_said_before_the_work(capsys, tmp_path):
    (tmp_path / "file").write_text("")
    started = time.monotonic()
    with pytest.raises(CommandError, match="choose another --out"):
        run(capsys, tmp_path / "file" / "costs")
    assert time.monotonic() - started < 1


@pytest.mark.slow
def test_every_attack_that_needs_no_file_is_measured(capsys, tmp_path):
    said = run(capsys, tmp_path, "--size", "112x96", "--json")
    document = json.loads(said.out)
    measured = {row["attack"].partition(":")[0]: row for row in document["attacks"]}
    assert set(measured) | set(document["not_measured"]) == {info.name for info in list_attacks()}
    for info in list_attacks():
        assert (info.name in measured) == (info.access != "trained")
        if info.access == "white-box":
            assert measured[info.name]["metric_backwards"] == info.iterations
            assert measured[info.name]["ratio"] > 0.5 * info.iterations


@pytest.mark.slow
def test_the_targets_of_speed_and_memory_hold_on_a_metric_of_resnet_18_size():
    """The project's targets, 15 % looser in time: this machine may be busy with other work."""
    from benchmarks.stand_in import stand_in

    network = stand_in()
    attacks = {
        "fgsm": create_attack("fgsm"),
        "ioi": create_attack("ioi"),
        "three": create_attack("ifgsm", iterations=3),
    }
    table = measure_costs(attacks, wrap_module(network), synthetic_scene(1, 270, 480), rounds=4, bare=network)
    fgsm, ioi, three = table.attacks
    assert fgsm.ratio < 1.05 * 1.15
    assert ioi.ratio < 1.20 * 1.15
    assert three.ratio_per_gradient < 1.05 * 1.15
    assert fgsm.memory_ratio < 1.10 and ioi.memory_ratio < 1.10
