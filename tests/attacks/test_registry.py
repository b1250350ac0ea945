"""The tables of attacks and metrics: names, options, and what they may import."""

import subprocess
import sys

import pytest
import torch

from attacks import create_attack, list_attacks
from attacks.errors import InvalidFrames, InvalidOption, MetricUnavailable, UnknownName
from attacks.metrics import create_metric, list_metrics, metric_status


def test_the_three_attacks_and_their_defaults():
    infos = {info.name: info for info in list_attacks()}
    assert {"fgsm", "ifgsm", "ioi"} <= set(infos)
    assert create_attack("ifgsm").options == {"iterations": 10, "eps": 10 / 255, "momentum": 0.0}
    assert create_attack("ioi").options == {"keep": 0.07, "mean_floor": 0.0, "peak_quantile": 1.0}
    assert create_attack("ioi", keep=0.1).options["keep"] == 0.1
    assert infos["fgsm"].strength.default == 10 / 255
    assert infos["ioi"].strength.default == 0.1


def test_whole_numbers_stay_whole():
    options = create_attack("ifgsm", iterations=4.0, eps=1).options
    assert options["iterations"] == 4 and isinstance(options["iterations"], int)
    assert isinstance(options["eps"], float)


@pytest.mark.parametrize(("typed", "meant"), [("fgms", "fgsm"), ("IOI", "ioi"), ("i-fgsm", "ifgsm")])
def test_a_misspelt_attack_gets_the_nearest(typed, meant):
    with pytest.raises(UnknownName, match=meant):
        create_attack(typed)


def test_a_name_like_no_other_gets_them_all():
    with pytest.raises(UnknownName, match="fgsm, ifgsm, ioi"):
        create_attack("xyzzy")


def test_a_misspelt_option_gets_the_nearest():
    with pytest.raises(InvalidOption, match="'keep'"):
        create_attack("ioi", kepp=0.1)
    with pytest.raises(InvalidOption, match="none"):
        create_attack("fgsm", eps=0.1)


@pytest.mark.parametrize(("typed", "meant"), [("dem", "demo"), ("paq2pik", "paq2piq"), ("NIQE", "niqe")])
def test_a_misspelt_metric_gets_the_nearest(typed, meant):
    with pytest.raises(UnknownName, match=meant):
        create_metric(typed)


def test_a_missing_package_is_one_sentence_with_the_command(monkeypatch):
    import importlib.util

    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *a: None if name == "pyiqa" else find(name, *a))
    with pytest.raises(MetricUnavailable, match="make pyiqa"):
        create_metric("paq2piq")
    with pytest.raises(MetricUnavailable, match="make pyiqa"):
        create_metric("pyiqa:musiq-ava")
    row = next(info for info in list_metrics() if info.name == "paq2piq")
    assert "make pyiqa" in metric_status(row).missing


def test_a_missing_weights_file_is_named(tmp_path):
    with pytest.raises(MetricUnavailable, match=r"nothing\.pth"):
        create_metric("demo", weights=tmp_path / "nothing.pth")


def test_a_device_that_is_not_there():
    with pytest.raises(MetricUnavailable, match="cpu"):
        create_metric("demo", device="gpu")
    with pytest.raises(MetricUnavailable, match="cpu"):
        create_metric("demo", device="cuda:99")


def test_the_demonstration_metric_needs_32_pixels():
    metric = create_metric("demo")
    with pytest.raises(InvalidFrames, match="31x32"):
        metric.score(torch.zeros(1, 3, 32, 31))
    assert metric.score(torch.zeros(1, 3, 32, 32)).shape == (1,)


def test_weights_of_another_network_are_refused(shared_dir):
    with pytest.raises(MetricUnavailable, match="eonss"):
        create_metric("demo", weights=shared_dir / "weights" / "eonss.safetensors")
    with pytest.raises(MetricUnavailable, match=r"\.mat"):
        create_metric("demo", weights=shared_dir / "weights" / "niqe_modelparameters.mat")


def test_status_follows_the_file(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    row = next(info for info in list_metrics() if info.name == "niqe")
    monkeypatch.setattr("importlib.util.find_spec", lambda *_: object())
    assert not metric_status(row).usable
    path = tmp_path / "hub" / "pyiqa" / "niqe_modelparameters.mat"
    assert str(path) in metric_status(row).missing
    path.parent.mkdir(parents=True)
    path.touch()
    assert metric_status(row).usable


@pytest.mark.parametrize("info", list_metrics(), ids=lambda info: info.name)
def test_metric_rows_are_complete(info):
    assert info.title and info.citation and info.licence
    assert info.score_range[0] < info.score_range[1]
    assert isinstance(info.lower_better, bool)


def test_the_tables_load_no_deep_learning_library():
    code = (
        "import sys, attacks, attacks.metrics as m; attacks.list_attacks();"
        "[m.metric_status(i) for i in m.list_metrics()];"
        "print([n for n in ('torch', 'torchvision', 'pyiqa', 'numpy') if n in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_public_names_can_be_imported():
    import attacks
    import attacks.metrics

    for module in (attacks, attacks.metrics):
        for name in module.__all__:
            assert getattr(module, name) is not None
        with pytest.raises(AttributeError):
            _ = module.no_such_name
