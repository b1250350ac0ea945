"""The worked example of docs/adding-an-attack.md, taken from the page and run."""

import re
import shlex
import sys
import types

import pytest
from django.core.management import call_command

from attacks import list_attacks, table
from stimuli import parse_attacks, read_manifest
from tests.project_copy import ROOT, count_passed_in_a_copy
from tests.stimuli.conftest import the_metric, write_clip

PAGE = (ROOT / "docs" / "adding-an-attack.md").read_text()
MODULE, ROW, USE = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
(COMMANDS,) = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def added(monkeypatch):
    """The project with the module and the row of the page."""
    module = types.ModuleType("attacks.scattered")
    exec(MODULE, vars(module))
    monkeypatch.setitem(sys.modules, "attacks.scattered", module)
    (row,) = eval(f"({ROW})", vars(table))
    monkeypatch.setitem(table.ATTACKS, row.name, row)
    return row


def commands_of(name):
    lines = [shlex.split(line) for line in COMMANDS.splitlines()]
    return [line[line.index(name) + 1 :] for line in lines if name in line]


def test_it_takes_at_most_sixty_lines():
    assert len((MODULE + ROW).splitlines()) <= 60


def test_the_block_of_python_runs(added):
    exec(USE, {})


def test_the_lists_and_the_table_of_the_documentation_take_it_up(added, capsys):
    assert added in list_attacks()
    (arguments,) = commands_of("list_attacks")
    call_command("list_attacks", *arguments)
    said = capsys.readouterr().out
    assert f"scattered  {added.title}" in said and added.citation in said and "share=0.5" in said
    assert "scattered" in {spec.name for spec in parse_attacks("all")}
    from scripts.write_reference import reference

    assert f"| `scattered` | {added.title} |" in reference()


@pytest.mark.slow
def test_the_benchmark_takes_it_up(added, capsys, tmp_path):
    (arguments,) = commands_of("benchmark_attacks")
    call_command("benchmark_attacks", *arguments, "--rounds", "1", "--out", str(tmp_path), "--verbosity", "0")
    assert re.search(r"^\| scattered:share=0.2 +\| +0.0627 ", capsys.readouterr().out, re.MULTILINE)


@pytest.mark.slow
def test_a_set_is_made_with_it(added, monkeypatch, tmp_path):
    from stimuli import generate

    monkeypatch.setattr(generate, "create_metric", lambda *_: the_metric())
    clip = write_clip(tmp_path / "clip.mp4")
    attacks = ["--attacks", "scattered:share=0.6", "--gain", "0.1", "--out", str(tmp_path / "set")]
    call_command("generate_stimuli", str(clip), "--metric", "sharpness", *attacks, "--verbosity", "0")
    (made,) = [stimulus for stimulus in read_manifest(tmp_path / "set").stimuli if stimulus.attack]
    assert made.attack.name == "scattered" and made.attack.options["share"] == 0.6
    assert made.gain_delivered == pytest.approx(0.1, rel=0.02)


@pytest.mark.slow
def test_in_a_copy_of_the_project_the_tests_of_every_attack_hold_it_too(tmp_path):
    (arguments,) = commands_of("pytest")
    passed = count_passed_in_a_copy(
        tmp_path,
        files={"attacks/scattered.py": MODULE},
        table="attacks/table.py",
        before="    )\n}\n",
        row=ROW,
        arguments=arguments,
    )
    assert passed >= 33


def test_its_mathematics(added, seeded_frames):
    """Beside a second implementation of the formula on the page, on a metric whose gradient is known."""
    import numpy as np
    import torch

    from attacks import create_attack
    from attacks.metrics import wrap_module

    class Squares(torch.nn.Module):
        def forward(self, frames):
            return (frames - 0.5).square().sum(dim=(1, 2, 3))

    frames = seeded_frames(2, 12, 16)
    attack = create_attack("scattered", share=0.3, seed=4, iterations=3)
    adversarial = attack.perturb(frames, wrap_module(Squares()), 30 / 255).numpy()
    pattern = torch.rand(12, 16, generator=torch.Generator().manual_seed(4)).numpy() < 0.3
    expected = frames.numpy()
    for _ in range(3):
        expected = np.clip(expected + 10 / 255 * pattern * np.sign(2 * (expected - 0.5)), 0, 1)
    np.testing.assert_allclose(adversarial, expected, atol=1e-6)
