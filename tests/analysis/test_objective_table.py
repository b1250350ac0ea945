"""Measures from manifests, and whether they are those of the votes."""

import json

import numpy as np
import pandas as pd
import pytest

from analysis import read_objective
from analysis.errors import InvalidObjective
from analysis.objective.objective_table import check_objective, validate_objective
from analysis.votes import validate_votes


def stimulus(source, condition, *, psnr=40.0, lpips=None, **fields):
    quality = {"psnr": psnr, "ssim": 0.99, "lpips": lpips}
    return {"source": source, "condition": condition, "gain_delivered": 0.1, "quality": quality, **fields}


def manifest(metric="maniqa", *, sources=("c0", "c1"), conditions=("reference", "fgsm", "ioi"), sha="0", **fields):
    return {
        "format_version": 2,
        "target_metric": {"name": metric},
        "sources": [{"id": source, "sha256": sha * 64} if isinstance(source, str) else source for source in sources],
        **({} if "stimuli" in fields else {"stimuli": [stimulus(s, c) for s in sources for c in conditions]}),
        **fields,
    }


@pytest.fixture
def write(tmp_path):
    def write(name="set", document=None, **fields):
        folder = tmp_path / name
        folder.mkdir()
        text = document if isinstance(document, str) else json.dumps(manifest(**fields))
        (folder / "manifest.json").write_text(text)
        return folder

    return write


@pytest.fixture
def votes():
    rows = [("P1", "c0", "fgsm", "reference", "left"), ("P1", "c1", "ioi", "fgsm", "tie")]
    return pd.DataFrame(rows, columns=["participant", "source", "left", "right", "choice"])


def test_one_row_per_stimulus_and_one_column_per_measure(write):
    first = write(stimuli=[stimulus("c1", "ioi", psnr=None), stimulus("c0", "fgsm", psnr=41.5)])
    found = read_objective(first)
    # lpips exists nowhere here, so there is no such column.
    assert list(found) == ["target_metric", "source", "condition", "ssim", "psnr", "gain_delivered"]
    assert found["source"].tolist() == ["c0", "c1"] and found["psnr"].tolist()[0] == 41.5
    assert np.isnan(found["psnr"][1])
    other = write("other", metric="vsfa", stimuli=[stimulus("c0", "fgsm", psnr=30.0)])
    both = read_objective([first / "manifest.json", other])
    assert both["target_metric"].tolist() == ["maniqa", "maniqa", "vsfa"] and len(read_objective([first, first])) == 2


def test_a_measure_that_one_manifest_lacks_is_taken_from_the_other(write):
    without, measured = write(stimuli=[stimulus("c0", "a")]), write("b", stimuli=[stimulus("c0", "a", lpips=0.2)])
    assert read_objective([without, measured])["lpips"].tolist() == [0.2]
    assert read_objective([measured, without])["lpips"].tolist() == [0.2]


def test_the_manifests_of_this_program_are_read(write):
    fields = {"unreachable": [], "verification": [{"id": "v", "source": "c0", "file": "v.mp4"}], "lpips": None}
    assert set(read_objective(write(**fields))["condition"]) == {"reference", "fgsm", "ioi"}


REFUSED = [
    ({"format_version": 1}, "format version 1 and this program reads 2"),
    ({"document": "{"}, "cannot be read as JSON"),
    ({"document": "[]"}, "format version None"),
    ({"stimuli": None}, "stimuli is missing or no list"),
    ({"stimuli": []}, "none has a stimulus"),
    ({"target_metric": {}}, "target_metric.name is None"),
    ({"stimuli": [stimulus("c9", "a")]}, r"stimuli\[0\] is of the source 'c9', which is not listed"),
    ({"stimuli": [stimulus("c0", "a", psnr="40")]}, "psnr of 'a' is '40'; expected a finite number"),
    ({"stimuli": [stimulus("c0", "a", psnr=float("nan"))]}, "psnr of 'a' is 'nan'"),
    ({"stimuli": [stimulus("c0", "a", psnr=True)]}, "psnr of 'a' is 'True'"),
    ({"stimuli": [{"source": "c0", "condition": "a"}]}, r"stimuli\[0\].quality is missing"),
    (
        {"stimuli": [stimulus("c0", "a"), stimulus("c0", "a", psnr=41)]},
        "gives twice psnr of 'a' on 'c0' for 'maniqa', as 40 and 41",
    ),
    ({"sources": [{"id": "c0", "sha256": digit * 64} for digit in "12"], "stimuli": []}, "with two contents"),
]


def test_a_manifest_that_cannot_be_used_is_refused(write):
    for number, (fields, message) in enumerate(REFUSED):
        with pytest.raises(InvalidObjective, match=message):
            read_objective(write(f"set{number}", **fields))


def test_manifests_that_contradict_each_other_are_refused(write, tmp_path):
    first = write()
    with pytest.raises(InvalidObjective, match=r"set/manifest.json and .*b/manifest.json give psnr of 'fgsm' on 'c0'"):
        read_objective([first, write("b", stimuli=[stimulus("c0", "fgsm", psnr=35.0)])])
    with pytest.raises(InvalidObjective, match="source 'c0' is not the same clip everywhere"):
        read_objective([first, write("c", metric="vsfa", sha="1")])
    with pytest.raises(InvalidObjective, match="does not exist"):
        read_objective(tmp_path / "nowhere")
    with pytest.raises(InvalidObjective, match="no manifest was given"):
        read_objective([])


def test_stimuli_without_votes_are_reported(write, votes):
    found = check_objective(read_objective(write()), votes)
    assert (found.stimuli, found.with_votes) == (6, 4)
    assert found.without_votes[["source", "condition"]].values.tolist() == [["c0", "ioi"], ["c1", "reference"]]


UNKNOWN = [
    (
        {"left": ["fgsm", "ios"]},
        "no manifest has 'ios' on 'c1' .vote 2, row 3 of a CSV, closest is the condition 'ioi'",
    ),
    (
        {"source": ["d0", "c1"]},
        "no manifest has 'fgsm' on 'd0' .vote 1, .* the source 'c0'.; nor 'reference' on 'd0'",
    ),
    ({"target_metric": ["vsfa", "vsfa"]}, "for 'vsfa' .*and 1 more; give"),
    ({"target_metric": ["maniqa", None]}, "vote 2, row 3 of a CSV names no target_metric"),
]


def test_votes_on_unknown_stimuli_are_named(write, votes):
    objective = read_objective(write())
    for changes, message in UNKNOWN:
        with pytest.raises(InvalidObjective, match=message):
            check_objective(objective, votes.assign(**changes))


def test_only_votes_that_count_are_asked_for_and_numbers_are_those_of_the_file(write, votes):
    table = validate_votes(votes.assign(kind="test", expected=None))
    more = table.assign(left="verification", kind="verification", expected="left")
    everything = validate_votes(pd.concat([more, table], ignore_index=True))
    objective = read_objective(write())
    assert check_objective(objective, everything).with_votes == 4
    with pytest.raises(InvalidObjective, match="vote 4, row 5"):
        check_objective(objective[objective["condition"] != "ioi"], everything)


def test_which_of_several_metrics_must_be_told(write, votes):
    both = read_objective([write(), write("b", metric="vsfa")])
    with pytest.raises(InvalidObjective, match=r"2 target metrics \(maniqa, vsfa\) and the votes do not say"):
        check_objective(both, votes)
    assert check_objective(both, votes.assign(target_metric="vsfa")).with_votes == 4


def test_tables_of_other_origin_are_checked(votes):
    table = pd.DataFrame({"source": ["c0"], "condition": ["a"], "niqe": [3.0]})
    assert validate_objective(table)["niqe"].tolist() == [3.0]
    for wrong, message in (
        (table.drop(columns="source"), "expected a DataFrame with the columns source, condition"),
        (table.drop(columns="niqe"), "no measure"),
        (table.assign(niqe="good"), "niqe of 'a' on 'c0' is 'good'"),
        (pd.concat([table, table]), "'a' on 'c0' is there twice"),
    ):
        with pytest.raises(InvalidObjective, match=message):
            validate_objective(wrong)
