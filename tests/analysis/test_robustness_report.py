"""The written robustness report: complete, in agreement with the scores, the same bytes twice."""

import json
import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pandas as pd
import pytest

from analysis import robustness_scores, validate_scores, write_robustness_report
from analysis.__main__ import main
from analysis.errors import InvalidOption, InvalidScores

ALWAYS = {
    "distributions.svg",
    "gains.svg",
    "robustness.csv",
    "robustness.html",
    "robustness.json",
    "robustness.md",
    "robustness.tex",
}
STRENGTH = {"strength.csv", "strength.svg"}
TRANSFER = {"transfer.csv", "transfer.md", "transfer.svg", "transfer.tex"}
DRAWINGS = ("distributions_svg", "gains_svg", "strength_svg", "transfer_svg", "transfer_by_attack_svg")


@pytest.fixture
def no_drawings(monkeypatch):
    """For tests that look at the numbers: without figures, and with few resamples."""
    monkeypatch.setattr("analysis.robustness.distances._RESAMPLES", 19)
    for name in DRAWINGS:
        monkeypatch.setattr(f"analysis.robustness.report.{name}", lambda *_, **__: "<svg/>")


def names(folder):
    return {path.name for path in folder.iterdir()}


@pytest.mark.slow
@pytest.mark.usefixtures("no_drawings")
def test_tables_hold_the_scores_of_the_rows_they_name(score_table, tmp_path):
    scores = score_table(
        metrics=("maniqa", "niqe"), attacks=("fgsm", "uap_optimized"), datasets=("a", "b"), settings=("default", "high")
    )
    files = write_robustness_report(scores, tmp_path)
    table = pd.read_csv(files.robustness_csv, float_precision="round_trip")
    assert len(table) == 2 * 3 * 5
    assert list(table["attack"].head(5)) == ["all", "iterative", "universal", "uap_optimized", "fgsm"]
    default = scores[(scores["setting"] == "default") & (scores["metric"] == "niqe")]
    of_niqe = table[table["metric"] == "niqe"].to_dict("records")
    for dataset, attack, rows in (
        ("all", "all", default),
        ("b", "fgsm", default[(default["dataset"] == "b") & (default["attack"] == "fgsm")]),
        ("all", "universal", default[default["attack"] == "uap_optimized"]),
        ("all", "iterative", default[default["attack"] == "fgsm"]),
    ):
        expected = robustness_scores(
            rows["clear"], rows["attacked"], lower_better=True, groups=rows["dataset"] + rows["source"]
        )
        (found,) = [row for row in of_niqe if (row["dataset"], row["attack"]) == (dataset, attack)]
        assert (found["n"], found["interval"], found["sources"]) == (expected.n, "groups", expected.groups)
        for measure in ("absolute_gain", "relative_gain", "robustness", "wasserstein", "energy"):
            score = getattr(expected, measure)
            assert found[measure] == score.mean
            assert (found[f"{measure}_low"], found[f"{measure}_high"]) == pytest.approx((score.low, score.high))
        assert np.isnan(found["relative_gain_raw"])
    document = json.loads(files.robustness_json.read_text(encoding="utf-8"))
    assert document == files.document
    assert document["scores"][0]["absolute_gain"]["mean"] == table["absolute_gain"][0]
    first = table.set_index(["metric", "dataset", "attack"]).loc[("maniqa", "all", "fgsm"), "absolute_gain"]
    assert f"| {first:.3f} (" in files.robustness_md.read_text(encoding="utf-8")
    strengths = pd.read_csv(files.strength_csv)
    assert list(strengths["multiple"]) == [1, 2] * 4
    gains = strengths.groupby("multiple")["absolute_gain"].mean()
    assert gains[2] == pytest.approx(2 * gains[1], rel=0.1)


@pytest.mark.slow
@pytest.mark.usefixtures("no_drawings")
def test_what_is_written_follows_what_there_is_and_older_files_go(score_table, tmp_path):
    both = {"metrics": ("maniqa", "niqe"), "attacks": ("fgsm", "ioi")}
    (tmp_path / "notes.txt").write_text("mine")
    everything = score_table(**both, transfer=("maniqa", "niqe"), settings=("low", "default"))
    files = write_robustness_report(everything, tmp_path)
    assert names(tmp_path) == ALWAYS | STRENGTH | TRANSFER | {"transfer_by_attack.svg", "notes.txt"}
    transfer = pd.read_csv(files.transfer_csv)
    assert len(transfer) == 3 * 2 * 2
    own = transfer["target_metric"] == transfer["metric"]
    assert transfer.loc[own, "relative_gain"].min() > transfer.loc[~own, "relative_gain"].max() > 0
    robustness = files.robustness_csv.read_text()
    own = everything[(everything["setting"] == "default") & (everything["target_metric"] == everything["metric"])]
    files = write_robustness_report(own, tmp_path)
    assert names(tmp_path) == ALWAYS | {"notes.txt"}
    assert files.transfer_csv is None and files.strength_svg is None
    # Transferred rows and other strengths count in no table of robustness.
    assert files.robustness_csv.read_text() == robustness


@pytest.mark.usefixtures("no_drawings")
def test_captions_say_the_domain(score_table, tmp_path):
    scores = score_table(metrics=("maniqa", "niqe"), attacks=("a_b", "c&d"))
    files = write_robustness_report(scores, tmp_path, domain="quantile", reference_metric="maniqa")
    latex = files.robustness_tex.read_text()
    captions = re.findall(r"\\caption\{(.*)\}", latex)
    assert len(captions) == 4 and all("Domain: that of maniqa" in caption for caption in captions)
    assert r"a\_b" in latex and r"c\&d" in latex and "a_b" not in latex
    assert "Domain: that of maniqa" in files.robustness_html.read_text()
    assert (files.document["domain"], files.document["domain_reference_metric"]) == ("quantile", "maniqa")
    assert all(not row["lower_better"] for row in files.document["scores"])


@pytest.mark.usefixtures("no_drawings")
def test_a_cell_that_cannot_be_scored_says_why_and_takes_nothing_with_it(score_table, tmp_path):
    scores = score_table(datasets=("a", "b"), metrics=("maniqa",))
    scores.loc[scores["dataset"] == "b", "clear"] = 0.5
    files = write_robustness_report(scores, tmp_path)
    (row,) = [r for r in files.document["scores"] if (r["dataset"], r["attack"]) == ("b", "fgsm")]
    assert row["absolute_gain"] is None and "all 12 clear scores are 0.5" in row["note"]
    assert "all 12 clear scores are 0.5" in files.robustness_html.read_text()
    assert "\N{EN DASH}" in files.robustness_md.read_text(encoding="utf-8")


def answer(scores, folder):
    return write_robustness_report(scores, folder).document["answer"]


@pytest.mark.slow
@pytest.mark.usefixtures("no_drawings")
def test_the_answer_calls_no_metric_robust_that_is_lowered(score_table, tmp_path):
    scores = score_table(metrics=("maniqa", "niqe", "spaq"), attacks=("fgsm", "ioi"))
    scores.loc[scores["metric"] == "spaq", "attacked"] -= 9
    said = answer(scores, tmp_path)
    assert re.match(r"Of 3 metrics under 2 attacks, (maniqa|niqe) gains least \(\d+ % of its clear range", said)
    assert re.search(r"The attacks lower spaq \(by \d+ % of its clear range, 95 % interval \d+ % to \d+ %\)\.", said)
    assert re.search(r"highest for (maniqa|niqe) \([\d.]+\) and lowest for spaq", said)
    assert "gain is largest under ioi and smallest under fgsm" in said
    first = (tmp_path / "robustness.md").read_text().split("\n\n")[3]
    (lowered,) = [line for line in first.splitlines() if line.startswith("| spaq")]
    assert lowered.count("**") == 0 and first.count("**") == 2 * 5
    only = scores[scores["metric"] == "spaq"]
    assert answer(only, tmp_path).startswith("Under 2 attacks, spaq is lowered by ")
    only = scores[(scores["metric"] == "spaq") | (scores["attack"] == "fgsm")]
    assert answer(only, tmp_path).endswith("2 metrics met fewer attacks than the others (niqe, maniqa).")
    assert "niqe, attack ioi: the scores have no such rows" in (tmp_path / "robustness.html").read_text()
    nothing = scores.assign(attacked=scores["clear"] - 9 + 18 * (scores["metric"] == "niqe"))
    assert "under 2 attacks, none gains. The attacks lower maniqa" in answer(nothing, tmp_path)


def test_what_cannot_be_judged_is_refused_and_nothing_is_written(score_table, tmp_path):
    scores = score_table(settings=("low",))
    with pytest.raises(InvalidScores, match="no score is of setting default or set"):
        write_robustness_report(scores, tmp_path / "out")
    for option, says in (
        ({"level": 95}, "level is 95"),
        ({"level": 1 - 1e-16}, "level is"),
        ({"seed": -1}, "seed is -1"),
    ):
        with pytest.raises(InvalidOption, match=says):
            write_robustness_report(score_table(), tmp_path / "out", **option)
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
@pytest.mark.usefixtures("no_drawings")
def test_command_line(score_file, tmp_path, capsys):
    path = score_file(metrics=("maniqa", "niqe"))
    out = ["--out", str(tmp_path / "out")]
    assert main([str(path), *out, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "scores"
    assert main([str(path), *out, "--domain", "quantile", "--reference-metric", "niqe"]) == 0
    assert "robustness.html" in capsys.readouterr().out
    assert main([str(path), *out, "--domain", "quantile"]) == 1
    assert "needs a reference metric" in capsys.readouterr().err
    assert main([str(tmp_path), *out, "--domain", "raw"]) == 1
    assert "is a folder; give the path of a CSV of votes or of scores" in capsys.readouterr().err
    with pytest.raises(SystemExit) as stopped:
        main([str(path), *out, "--target-metric", "maniqa"])
    assert stopped.value.code == 2
    assert "does not apply" in capsys.readouterr().err


@pytest.mark.slow
def test_figures_and_page_are_whole_and_the_same_bytes_twice(score_table, tmp_path):
    shapes = {
        "one": {},
        "nothing": {"sources": 1, "frames": 1},
        "many": {
            "metrics": ("maniqa", "niqe", "$x_1$", "spaq"),
            # As a formula, the first would be none that can be set.
            "attacks": ("$\\frac$", "ioi", "<b>uap</b>", "a_very_long_name_of_an_attack_with_options"),
            "transfer": ("maniqa", "niqe", "$x_1$"),
            "settings": ("low", "default", "high"),
        },
    }
    for name, shape in shapes.items():
        scores = score_table(**shape)
        for run in ("first", "second"):
            order = scores if run == "first" else validate_scores(scores)
            files = write_robustness_report(order, tmp_path / name / run, title="Pilot & <b>more</b>", seed=3)
        first, second = (tmp_path / name / run for run in ("first", "second"))
        assert names(first) == names(second)
        for path in first.iterdir():
            assert path.read_bytes() == (second / path.name).read_bytes()
        judged = not files.document["answer"].startswith("No metric has enough clear scores")
        assert judged == (name != "nothing")
        drawings = [path for path in first.iterdir() if path.suffix == ".svg"]
        assert len(drawings) == (5 if name == "many" else 2)
        for path in drawings:
            assert ElementTree.parse(path).getroot().tag.endswith("svg")
        page = files.robustness_html.read_text(encoding="utf-8")
        assert page.count("<svg") == len(drawings)
        assert "<b>" not in files.robustness_md.read_text(encoding="utf-8").replace("\\<b", "")
        assert "<b>" not in page and "Pilot &amp; &lt;b&gt;more" in page
        assert not re.search(r'(src|href)="(?!#)', page.replace('xlink:href="#', ""))
