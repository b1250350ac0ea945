"""The attack syntax and the list of sources."""

import pytest

from stimuli import AttackSpec, collect_sources, parse_attacks
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
        ("ioi:keep=much", "a number"),
        ("ioi:keep=0.1:keep=0.2", "keep of ioi is given twice"),
    ],
)
def test_unreadable_options(text, words):
    with pytest.raises(InvalidRequest, match=words):
        parse_attacks(text)


def test_an_empty_list_has_no_attacks():
    assert parse_attacks(" , ") == ()


def test_sources_keep_their_order(tmp_path):
    for name in ("b.mp4", "a.mkv", "c.mp4"):
        (tmp_path / name).touch()
    assert collect_sources([tmp_path / "c.mp4", tmp_path / "a.mkv"]) == (tmp_path / "c.mp4", tmp_path / "a.mkv")
    assert [path.name for path in collect_sources([tmp_path])] == ["a.mkv", "b.mp4", "c.mp4"]
