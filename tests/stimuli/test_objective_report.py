"""`manage.py objective_report`: from manifests to the table that a paper prints."""

import copy
import json

import pandas as pd
import pytest
from django.core.management import CommandError, call_command

from tests.studyserver.tiny_set import write_tiny_set


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """The manifest of a set: two sources, the reference, fgsm and ioi."""
    folder = write_tiny_set(tmp_path_factory.mktemp("sets") / "tiny", frames=2)
    return json.loads((folder / "manifest.json").read_text())


@pytest.fixture
def make_set(original, tmp_path):
    """A folder with that manifest, changed."""

    def make(name="set", change=lambda document: None):
        document = copy.deepcopy(original)
        change(document)
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.json").write_text(json.dumps(document))
        return str(tmp_path / name)

    return make


def report(capsys, *arguments):
    call_command("objective_report", *arguments)
    return capsys.readouterr().out


def documents(capsys, *arguments):
    return json.loads(report(capsys, *arguments, "--json"))["tables"]


def test_the_table_and_its_files(make_set, tmp_path, capsys):
    folder, out = make_set(), tmp_path / "out"
    lines = report(capsys, folder, "--out", str(out)).splitlines()
    assert lines[0].startswith("Objective quality of attacks on Demonstration at a relative gain of +10 % in each file")
    table = [line for line in lines if line.startswith(("Attack", "reference", "fgsm", "ioi"))]
    assert [line.split()[0] for line in table] == ["Attack", "reference", "fgsm", "ioi"]
    assert "45.00 ± 0.00*" in table[3] and "42.00 ± 0.00 " in table[2]
    assert "from before LPIPS was measured" in "\n".join(lines)
    rows = pd.read_csv(out / "objective.csv")
    assert list(rows["psnr_mean"]) == [48, 42, 45]
    assert (rows["target_metric"] == "demo").all() and (rows["gain"] == 0.1).all()
    for name in ("objective.md", "objective.tex"):
        assert "45.00 ± 0.00" in (out / name).read_text(encoding="utf-8").replace(r"$\pm$", "±")


def test_what_is_not_there_is_said(make_set, capsys):
    def change(document):
        short = next(item for item in document["stimuli"] if item["id"] == "clip1-ioi")
        document["stimuli"].remove(short)
        document["unreachable"] = [
            {
                "source": "clip1",
                "attack": short["attack"],
                "condition": "ioi",
                "best_gain": 0.04,
                "best_linf": None,
                "strength": 1.0,
                "reason": "the highest gain is 0.04",
            }
        ]
        document["lpips"] = {"files": {}, "missing": ["LPIPS_v0.1_alex-df73285e.pth"]}
        for item in document["stimuli"]:
            item["speed_matched"] = item["condition"] == "ioi" if item["attack"] else None

    text = report(capsys, make_set(change=change))
    assert "Not reached: ioi on 1 of 2 sources." in " ".join(text.split())
    assert "Not reached: ioi on clip1: the highest gain is 0.04" in text
    assert "lacked LPIPS_v0.1_alex-df73285e.pth" in text
    assert "fgsm†" in text and "ioi†" not in text


def test_one_table_for_each_metric_target_and_lpips(make_set, capsys):
    sets = [
        make_set("a"),
        make_set("b", lambda d: d["target_metric"].update(name="niqe", title="NIQE", lower_better=True)),
        make_set("c", lambda d: d.update(gain={**d["gain"], "target": None, "linf": 4, "match": "linf"})),
        make_set("d", lambda d: d.update(delivery={"profile": "auto", "settings": None, "retention_floor": 0.75})),
        make_set("e", lambda d: d.update(lpips={"files": {"LPIPS.pth": "0" * 64}, "missing": []})),
    ]
    tables = documents(capsys, *sets)
    assert [(t["target_metric"], t["match"], t["delivery"]) for t in tables] == [
        ("demo", "clip", "h264"),
        ("niqe", "clip", "h264"),
        ("demo", "linf", "h264"),
        ("demo", "clip", "auto"),
        ("demo", "clip", "h264"),
    ]
    assert "NIQE" in tables[1]["caption"]
    assert "a largest change of 4 levels" in tables[2]["caption"]
    assert "(auto, retention floor 0.75)" in tables[3]["caption"]
    assert tables[0]["without_lpips"] and tables[4]["without_lpips"] is None


def test_sets_of_one_kind_share_a_table(make_set, capsys):
    def other_sources(document):
        for source in document["sources"]:
            source["sha256"] = source["sha256"].replace("0", "f")

    def other_attack(document):
        document["stimuli"] = [item for item in document["stimuli"] if item["condition"] in ("reference", "ioi")]
        for item in document["stimuli"]:
            item["condition"] = item["condition"].replace("ioi", "madc")

    (table,) = documents(capsys, make_set("a"), make_set("b", other_sources), make_set("c", other_attack))
    assert {c["condition"]: c["sources"] for c in table["conditions"]} == {
        "reference": 4,
        "fgsm": 4,
        "ioi": 4,
        "madc": 2,
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.update(stimuli=[s for s in d["stimuli"] if not s["attack"]]), "it has only the reference"),
        (lambda d: d.pop("gain"), "gain is missing"),
        (lambda d: d.update(format_version=1), "make the set again"),
    ],
)
def test_a_set_without_a_table_is_one_sentence(make_set, change, message):
    with pytest.raises(CommandError, match=message):
        call_command("objective_report", make_set(change=change))


def test_a_folder_that_is_no_set_and_a_set_given_twice(make_set, tmp_path):
    with pytest.raises(CommandError, match=r"There is no .*manifest\.json"):
        call_command("objective_report", str(tmp_path))
    folder = make_set()
    with pytest.raises(CommandError, match=r"'fgsm' of the source 'clip0.*' is there twice"):
        call_command("objective_report", folder, folder)
