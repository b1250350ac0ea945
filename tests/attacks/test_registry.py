"""The tables of attacks and metrics: names, options, and what they may import."""

import subprocess
import sys

import pytest
import torch

from attacks import create_attack, list_attacks
from attacks.errors import InvalidFrames, InvalidOption, MetricUnavailable, UnknownName
from attacks.metrics import create_metric, list_metrics, metric_status
from attacks.metrics.pyiqa_table import PYIQA_METRICS

# Default strength, usual range and options of the authors' public presets.
PRESETS = {
    "fgsm": ((10 / 255, 1 / 255, 25 / 255), {"iterations": 1}),
    "ifgsm": ((1 / 255, 0.1 / 255, 10 / 255), {"iterations": 10, "eps": 10 / 255}),
    "mifgsm": ((1 / 255, 0.1 / 255, 10 / 255), {"iterations": 10, "eps": 10 / 255, "momentum": 1.0}),
    "amifgsm": ((0.5, 0.05, 5), {"iterations": 10, "momentum": 1.0, "variant": "niqe"}),
    "pgd": ((7 / 255, 1 / 255, 25 / 255), {"iterations": 12, "step": 2 / 7}),
    "madc": ((0.001, 1e-5, 1e-2), {"iterations": 8, "budget": 10 / 255}),
    "korhonen": ((0.005, 5e-5, 5e-2), {"iterations": 10, "variant": "weighted"}),
    "ssah": ((0.001, 1e-4, 1e-2), {"iterations": 10, "low_frequency": 0.1}),
    "zhang": ((0.005, 5e-5, 5e-2), {"iterations": 10, "fidelity": 1.0, "reference_metric": "ssim"}),
    "nvw": ((0.001, 1e-4, 1e-2), {"iterations": 1, "variant": "weighted"}),
    "advjnd": ((10 / 255, 1 / 255, 50 / 255), {"iterations": 1, "variant": "jnd"}),
    "uap_optimized": ((0.4, 0.1, 0.9), {"transfer": False}),
    "uap_cumulative": ((0.4, 0.1, 0.9), {"transfer": False}),
    "uap_generative": ((0.4, 0.1, 0.9), {"transfer": False}),
    "facpa": ((0.4, 0.1, 0.9), {"transfer": False}),
    "ioi": ((0.1, 0.01, 1), {"keep": 0.07, "mean_floor": 0.0, "peak_quantile": 1.0, "frequency": True}),
    "scoreboundary": ((0.05, 0.01, 0.5), {"queries": 8000}),
}


@pytest.mark.parametrize("name", PRESETS)
def test_the_authors_strengths_and_options(name):
    info = next(info for info in list_attacks() if info.name == name)
    strength, options = PRESETS[name]
    assert (info.strength.default, info.strength.low, info.strength.high) == pytest.approx(strength)
    defaults = {option.name: option.default for option in info.options}
    assert {key: defaults[key] for key in options} == options
    assert info.iterations == defaults.get("iterations", 0)


@pytest.mark.parametrize("info", list_attacks(), ids=lambda info: info.name)
def test_attack_rows_fit_together(info):
    names = {other.name for other in list_attacks()}
    module, _, attribute = info.factory.partition(":")
    assert module.startswith("attacks.") and attribute
    assert info.same_at_one_iteration is None or info.same_at_one_iteration in names - {info.name}
    # One that would be another's picture has no place of its own in the one-iteration comparison.
    assert info.paper is None or info.same_at_one_iteration is None
    accepted = {option.name: option for option in info.options}
    for key, value in (info.paper or {}).items():
        assert accepted[key].check(info.name, value) == value


def test_options_are_checked_and_completed(tmp_path):
    assert create_attack("ioi", keep=0.1, frequency="no").options == {
        "iterations": 1,
        "keep": 0.1,
        "mean_floor": 0.0,
        "peak_quantile": 1.0,
        "frequency": False,
        "weighting": True,
    }
    assert create_attack("amifgsm", variant="reference", parameters=tmp_path).options["parameters"] == str(tmp_path)


def test_whole_numbers_stay_whole():
    options = create_attack("ifgsm", iterations=4.0, eps=1).options
    assert options["iterations"] == 4 and isinstance(options["iterations"], int)
    assert isinstance(options["eps"], float)


@pytest.mark.parametrize(("typed", "meant"), [("fgms", "fgsm"), ("IOI", "ioi"), ("i-fgsm", "ifgsm")])
def test_a_misspelt_attack_gets_the_nearest(typed, meant):
    with pytest.raises(UnknownName, match=meant):
        create_attack(typed)


def test_a_name_like_no_other_gets_them_all():
    with pytest.raises(UnknownName, match="names: " + ", ".join(info.name for info in list_attacks())):
        create_attack("xyzzy")


def test_a_misspelt_option_gets_the_nearest():
    with pytest.raises(InvalidOption, match="'keep'"):
        create_attack("ioi", kepp=0.1)
    with pytest.raises(InvalidOption, match=r"no option 'eps'; known names: iterations\."):
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
    with pytest.raises(InvalidFrames, match=r"shape \(N, 3, H, W\)"):
        metric.score(torch.zeros(1, 32, 32, 3))
    assert metric.score(torch.zeros(1, 3, 32, 32)).shape == (1,)


def test_weights_of_another_network_are_refused(shared_dir):
    with pytest.raises(MetricUnavailable, match="eonss"):
        create_metric("demo", weights=shared_dir / "weights" / "eonss.safetensors")
    with pytest.raises(MetricUnavailable, match=r"\.mat"):
        create_metric("demo", weights=shared_dir / "weights" / "niqe_modelparameters.mat")


def test_status_follows_the_file(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.delenv("METRIC_WEIGHTS_DIR", raising=False)
    row = next(info for info in list_metrics() if info.name == "niqe")
    monkeypatch.setattr("importlib.util.find_spec", lambda *_: object())
    assert not metric_status(row).usable
    path = tmp_path / "hub" / "pyiqa" / "niqe_modelparameters.mat"
    assert str(path) in metric_status(row).missing
    path.parent.mkdir(parents=True)
    path.touch()
    assert metric_status(row).usable


def test_what_is_missing_says_where_it_is_and_how_to_give_it(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("METRIC_WEIGHTS_DIR", str(tmp_path / "own"))
    monkeypatch.setattr("importlib.util.find_spec", lambda *_: object())
    rows = {info.name: info for info in list_metrics()}
    head, published = metric_status(rows["vsfa"]).missing, "github.com/lidq92/VSFA"
    assert (
        published in head
        and "VSFA.pt" in head
        and "--weights FILE" in head
        and f"METRIC_WEIGHTS_DIR names (now {tmp_path / 'own'})" in head
    )
    assert "download" not in head and "download" in metric_status(rows["niqe"]).missing
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "VSFA.pt").touch()
    backbone = metric_status(rows["vsfa"]).missing
    assert "resnet50" in backbone and "--weights" not in backbone
    (tmp_path / "own" / "resnet50-19c8e357.pth").touch()
    assert metric_status(rows["vsfa"]).usable


@pytest.mark.parametrize("info", list_metrics(), ids=lambda info: info.name)
def test_metric_rows_are_complete(info):
    assert info.title and info.citation and info.licence and info.preprocessing and info.factory and info.needs
    assert info.scope == ("clip" if info.window > 1 else "frame")
    assert all(file.origin for file in info.files if file.folder != "package")
    assert all(file.downloads is (info in PYIQA_METRICS) for file in info.files)
    assert info.score_range[0] < info.score_range[1]
    assert isinstance(info.lower_better, bool)


def test_the_metrics_of_the_robustness_benchmark_and_of_the_attacks_papers_have_rows():
    named = "maniqa tres spaq paq2piq vsfa linearity mdtvsfa wsp nima fpr koncept512 hyperiqa rankiqa meta-iqa clipiqa"
    later = "cnniqa-live dbcnn unique liqe musiq niqe brisque"
    assert {*named.split(), *later.split()} <= {info.name for info in list_metrics()}


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
