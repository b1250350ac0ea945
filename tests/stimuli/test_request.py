"""The attack syntax and the list of sources."""

import dataclasses
from pathlib import Path

import pytest

from attacks import list_attacks
from stimuli import AttackSpec, StimulusRequest, collect_sources, parse_attacks
from stimuli.errors import InvalidRequest


def test_attacks_with_options():
    assert parse_attacks("fgsm, ifgsm:iterations=4:eps=0.03,ioi:keep=1e-1") == (
        AttackSpec("fgsm"),
        AttackSpec("ifgsm", {"iterations": 4, "eps": 0.03}),
        AttackSpec("ioi", {"keep": 0.1}),
    )


def test_condition_labels_tell_options_apart():
    labels = [spec.condition for spec in parse_attacks("ioi,ioi:keep=0.1,ifgsm:momentum=1:iterations=4")]
    assert labels == ["ioi", "ioi:keep=0.1", "ifgsm:iterations=4:momentum=1"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ioi:keep", "write ioi:option=value"),
        ("ioi:keep=", "write ioi:option=value"),
        ("ioi:keep=0.1:keep=0.2", "keep of ioi is given twice"),
    ],
)
def test_unreadable_options(text, words):
    with pytest.raises(InvalidRequest, match=words):
        parse_attacks(text)


def test_words_stay_words_and_numbers_become_numbers():
    (spec,) = parse_attacks("nvw:variant=weighted:iterations=3:normalised=yes")
    assert spec.options == {"variant": "weighted", "iterations": 3, "normalised": "yes"}


def test_a_file_is_called_by_its_bare_name():
    (spec,) = parse_attacks("facpa:file=/home/me/trained/small.safetensors:transfer=yes")
    assert spec.options["file"] == "/home/me/trained/small.safetensors"
    assert spec.condition == "facpa:file=small:transfer=yes"


def test_all_is_every_attack_with_its_defaults():
    assert parse_attacks("all") == tuple(AttackSpec(info.name) for info in list_attacks())


def test_paper_is_one_iteration_each_and_no_picture_twice():
    specs = {spec.name: spec.options for spec in parse_attacks("paper")}
    rows = {info.name: info for info in list_attacks()}
    assert {"fgsm", "ioi", "nvw", "korhonen"} <= specs.keys()
    for name, options in specs.items():
        assert options.get("iterations", rows[name].iterations) <= 1
        assert rows[name].same_at_one_iteration is None


REQUEST = StimulusRequest(
    sources=(Path("a.mp4"),), metric="demo", attacks=parse_attacks("fgsm"), gain=0.1, out=Path("out")
)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"match": "dataset"},
        {"match": "linf", "linf": 4.0, "gain": None},
        {"delivery": "auto"},
        {"delivery": "auto", "retention_floor": 1.0},
        {"delivery": "vp9-lossless"},
    ],
)
def test_requests_in_order(change):
    dataclasses.replace(REQUEST, **change).check()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"match": "frame"}, "clip, dataset, linf"),
        ({"gain": None}, "Give --gain, the target of --match clip"),
        ({"linf": 4.0}, "no --linf, which goes with --match linf"),
        ({"match": "dataset", "gain": None, "linf": 4.0}, "Give --gain, the target of --match dataset"),
        ({"match": "linf"}, "takes its target from --linf"),
        ({"match": "linf", "linf": 4.0}, "and no --gain"),
        ({"match": "linf", "linf": 0.0, "gain": None}, "8-bit levels above 0"),
        ({"match": "linf", "linf": float("nan"), "gain": None}, "8-bit levels above 0"),
        ({"match": "linf", "linf": 256.0, "gain": None}, "at most 255"),
        ({"retention_floor": 0.9}, "give --delivery auto with it"),
        ({"delivery": "auto", "retention_floor": 1.1}, "at most 1"),
        ({"delivery": "auto", "retention_floor": 0.0}, "above 0"),
        ({"delivery": "h265"}, "h264-crf14, h264-crf10, h264, h264-crf1, vp9-lossless, auto"),
    ],
)
def test_requests_that_contradict_themselves(change, words):
    with pytest.raises(InvalidRequest, match=words) as caught:
        dataclasses.replace(REQUEST, **change).check()
    assert "\n" not in str(caught.value)


def test_an_empty_list_has_no_attacks():
    assert parse_attacks(" , ") == ()


def test_sources_keep_their_order(tmp_path):
    for name in ("b.mp4", "a.mkv", "c.mp4"):
        (tmp_path / name).touch()
    assert collect_sources([tmp_path / "c.mp4", tmp_path / "a.mkv"]) == (tmp_path / "c.mp4", tmp_path / "a.mkv")
    assert [path.name for path in collect_sources([tmp_path])] == ["a.mkv", "b.mp4", "c.mp4"]


def test_an_attack_is_taken_out_of_those_before_it():
    names = [spec.name for spec in parse_attacks("all,-scoreboundary,-facpa,ioi:weighting=no")]
    assert "scoreboundary" not in names and "facpa" not in names
    assert names.count("ioi") == 2 and len(names) == len(list_attacks()) - 1
    with pytest.raises(InvalidRequest, match="takes nothing out"):
        parse_attacks("paper,-scoreboundary")
