"""The worked example of docs/metrics.md, taken from the page and run."""

import re
import shlex
import sys
import types

import numpy as np
import pytest
import torch
from django.core.management import call_command

from attacks.errors import InvalidFrames, MetricUnavailable
from attacks.metrics import create_metric, list_metrics, metric_status, published_table, registry
from tests.project_copy import ROOT, count_passed_in_a_copy

PAGE = (ROOT / "docs" / "metrics.md").read_text().partition("\n## Adding a metric\n")[2].partition("\n## ")[0]
MODULE, ROW, USE = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
(COMMANDS,) = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def added(monkeypatch, tmp_path):
    """The project with the module and the row of the page, and an empty folder of weights."""
    module = types.ModuleType("attacks.metrics.edge_energy")
    exec(MODULE, vars(module))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    (row,) = eval(f"({ROW})", vars(published_table))
    monkeypatch.setitem(registry.METRICS, row.name, row)
    monkeypatch.setenv("METRIC_WEIGHTS_DIR", str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "cache"))
    return row


def test_it_takes_at_most_sixty_lines():
    assert len((MODULE + ROW).splitlines()) <= 60


def test_it_is_listed_built_and_attacked(added, capsys, tmp_path):
    assert added in list_metrics() and "edge_energy.pth (docs/metrics.md" in metric_status(added).missing
    with pytest.raises(
        MetricUnavailable, match=r"edge_energy\.pth .*METRIC_WEIGHTS_DIR names \(now .*\), or give it with"
    ):
        create_metric("edge-energy")
    exec(USE, {})
    assert metric_status(added).usable
    call_command("list_metrics")
    said = capsys.readouterr().out
    assert said.index("Usable on this machine now") < said.index("edge-energy") < said.index("Missing")
    from scripts.write_reference import reference

    assert f"| `edge-energy` | {added.title} |" in reference()
    with pytest.raises(InvalidFrames, match="2x9"):
        create_metric("edge-energy").score(torch.rand(1, 3, 9, 2))


def test_its_numbers(added, seeded_frames):
    """Beside a second implementation of the formula on the page."""
    exec(USE, {})
    metric, frames = create_metric("edge-energy"), seeded_frames(1, 7, 9)
    filters = metric._module.filters.weight.numpy()[:, 0]
    luma = np.einsum("chw,c->hw", frames[0].numpy(), [0.2126, 0.7152, 0.0722])
    windows = np.lib.stride_tricks.sliding_window_view(luma, (3, 3))
    expected = 100 * np.square(np.einsum("hwij,fij->fhw", windows, filters)).mean(axis=(1, 2)).sum()
    np.testing.assert_allclose(metric.score(frames).numpy(), [expected], rtol=1e-5)


@pytest.mark.slow
def test_in_a_copy_of_the_project_the_tests_of_every_metric_hold_it_too(tmp_path):
    (arguments,) = [shlex.split(line)[3:] for line in COMMANDS.splitlines() if "pytest" in line]
    passed = count_passed_in_a_copy(
        tmp_path,
        files={"attacks/metrics/edge_energy.py": MODULE},
        table="attacks/metrics/published_table.py",
        before=")\n",
        row=ROW,
        arguments=arguments,
    )
    assert passed >= 10
