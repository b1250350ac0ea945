"""The written report: complete, the same bytes twice, safe with odd labels, never half written."""

import functools
import hashlib
import html.parser
import json
import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pandas as pd
import pytest

from analysis import AnalysisError, fit_bradley_terry, read_votes, write_report
from analysis.__main__ import main
from analysis.errors import DisconnectedConditions, InvalidOption
from analysis.reliability import split_half_agreement
from analysis.summary import answer_sentence
from analysis.votes import validate_votes

FILES = ["comparisons.csv", "forest.svg", "ranking.csv", "ranking.json", "report.html"]


class Reader(html.parser.HTMLParser):
    """Text of a page outside its style and drawings, its tags, and whatever it would load from elsewhere."""

    def __init__(self, text):
        super().__init__()
        self.words, self.tags, self.loads, self.inside = [], [], [], []
        self.feed(text)
        self.text = " ".join(" ".join(self.words).split()).replace("\xa0", " ")

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        if tag in ("style", "svg"):
            self.inside.append(tag)
        for name, value in attributes:
            if name in ("src", "href", "xlink:href") and not value.startswith("#"):
                self.loads.append(value)

    def handle_endtag(self, tag):
        if self.inside and self.inside[-1] == tag:
            self.inside.pop()

    def handle_data(self, data):
        if not self.inside:
            self.words.append(data)


@pytest.fixture(autouse=True)
def few_splits(monkeypatch):
    """The hundred splits of a real report take as long as all the rest of it."""
    few = functools.partial(split_half_agreement, splits=8)
    monkeypatch.setattr("analysis.document.split_half_agreement", few)


@pytest.fixture
def no_drawings(monkeypatch):
    """For tests that do not look at the figures, which take half of a report's time."""
    for name in ("forest_svg", "preference_svg"):
        monkeypatch.setattr(f"analysis.report.{name}", lambda *_, **__: "<svg/>")


def digests(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def test_everything_is_written_and_agrees(study, tmp_path):
    files = write_report(study, tmp_path / "deep" / "out", title="Pilot")
    assert sorted(path.name for path in (tmp_path / "deep" / "out").iterdir()) == FILES
    result = fit_bradley_terry(study)
    ranking = pd.read_csv(files.ranking_csv, index_col="condition")
    np.testing.assert_allclose(ranking["score"], result.to_frame()["score"], rtol=1e-10)
    np.testing.assert_allclose(
        ranking["against_reference"].dropna(), result.probability_against().loc[ranking.index[1:], "probability"]
    )
    comparisons = pd.read_csv(files.comparisons_csv)
    np.testing.assert_allclose(comparisons["p_adjusted"], result.compare()["p_adjusted"], rtol=1e-9)
    document = json.loads(files.ranking_json.read_text(encoding="utf-8"))
    assert document == files.document
    assert [row["condition"] for row in document["ranking"]] == list(ranking.index)
    assert (document["n_votes"], document["n_participants"], document["n_ties"]) == (600, 40, result.n_ties)
    ElementTree.parse(files.forest_svg)


def test_the_page_says_what_matters_and_loads_nothing(study, tmp_path):
    files = write_report(study.assign(target_metric="demo"), tmp_path, title="Pilot & <b>more</b>")
    page = Reader(files.report_html.read_text(encoding="utf-8"))
    assert page.loads == []
    assert "script" not in page.tags
    assert page.tags.count("svg") == 2
    for expected in (
        "Pilot & <b>more</b>",
        files.document["answer"],
        "38 of 40 participants who met it answered rightly (95 %)",
        "without the 2 who failed",
        "attack the metric demo",
        "40 votes (kind verification)",
        "clip0",
        "pandas",
    ):
        assert expected in page.text


@pytest.mark.slow
def test_the_same_votes_give_the_same_bytes_however_they_are_read(study, tmp_path):
    study.to_csv(tmp_path / "votes.csv", index=False)
    write_report(study, tmp_path / "frame", title="Pilot", seed=4)
    write_report(read_votes(tmp_path / "votes.csv"), tmp_path / "file", title="Pilot", seed=4)
    assert digests(tmp_path / "frame") == digests(tmp_path / "file")


@pytest.mark.slow
def test_the_seed_reaches_the_halves_and_nothing_else(study, tmp_path):
    for name, seed in (("one", 4), ("two", 5)):
        write_report(study, tmp_path / name, title="Pilot", seed=seed)
    changed = {name for name, digest in digests(tmp_path / "two").items() if digests(tmp_path / "one")[name] != digest}
    assert changed == {"ranking.json", "report.html"}


@pytest.mark.usefixtures("no_drawings")
def test_those_who_failed_are_set_beside_the_ranking(study, tmp_path):
    failed = study["participant"].isin(["P003", "P007"])
    everybody, others = fit_bradley_terry(study), fit_bradley_terry(study[~failed])
    counted = write_report(study, tmp_path / "a", title="t").document
    assert counted["verification"]["beside"] == "without"
    excluded = write_report(study.assign(use=~failed), tmp_path / "b", title="t").document
    assert excluded["verification"]["beside"] == "with"
    for document, above, beside in ((counted, everybody, others), (excluded, others, everybody)):
        assert (document["verification"]["passed"], document["verification"]["failed"]) == (38, ["P003", "P007"])
        for rows, result in ((document["ranking"], above), (document["verification"]["ranking"], beside)):
            found = {row["condition"]: row["score"] for row in rows}
            assert found == pytest.approx(result.scores.to_dict())
    assert {"why": "set aside", "votes": 30} in excluded["left_out"]


@pytest.mark.usefixtures("no_drawings")
def test_simulated_participants_are_called_so(study, tmp_path):
    files = write_report(study.assign(origin="simulated"), tmp_path, title="t")
    assert files.document["n_simulated_participants"] == 40
    assert "all of the 40 participants were simulated" in Reader(files.report_html.read_text(encoding="utf-8")).text


def test_labels_that_mean_something_elsewhere(simulate, tmp_path):
    labels = {"$x_1$": 0.5, "<script>alert(1)</script>": 0.2, "視覚": 0, "source": -0.2, "votes": -0.6}
    files = write_report(simulate(labels), tmp_path, title="{{ title }} </title>")
    page = Reader(files.report_html.read_text(encoding="utf-8"))
    assert "script" not in page.tags
    assert "{{ title }} </title>" in page.text
    assert all(label in page.text for label in labels)
    assert {row["condition"] for row in files.document["ranking"]} == set(labels)
    assert set(files.document["sources"][0]["shares"]) == set(labels)


@pytest.mark.usefixtures("no_drawings")
def test_one_source_and_few_votes_still_give_a_report(simulate, tmp_path):
    document = write_report(simulate({"a": 0.2, "b": 0}, sources=1, participants=3), tmp_path, title="t").document
    assert document["reference"] is None
    assert document["new_sources"]["degrees_of_freedom"] is None
    assert "one source" in document["new_sources"]["why_not"]
    assert document["split_half"] is None
    assert document["verification"] is None


@pytest.mark.usefixtures("no_drawings")
def test_observed_shares_by_source(write_counts, tmp_path):
    votes = pd.concat([write_counts([("a", "b", 6, 2, 2)]), write_counts([("b", "a", 5, 5, 0)]).assign(source="other")])
    sources = write_report(votes, tmp_path, title="t").document["sources"]
    assert sources == [
        {"source": "clip", "votes": 10, "shares": {"a": 0.7, "b": 0.3}},
        {"source": "other", "votes": 10, "shares": {"a": 0.5, "b": 0.5}},
    ]


@pytest.mark.usefixtures("no_drawings")
def test_left_share(write_counts, tmp_path):
    document = write_report(write_counts([("a", "b", 6, 2, 2)]), tmp_path, title="t").document
    assert (document["left_share"], document["n_decided"]) == (0.75, 8)


def test_nothing_is_written_where_there_is_no_ranking(write_counts, tmp_path):
    old = tmp_path / "report.html"
    old.write_text("an older report")
    with pytest.raises(DisconnectedConditions):
        write_report(write_counts([("a", "b", 3, 3, 0), ("c", "d", 3, 3, 0)]), tmp_path, title="t")
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
    assert old.read_text() == "an older report"


@pytest.mark.usefixtures("no_drawings")
def test_a_disk_that_fails_leaves_the_older_files(study, tmp_path, monkeypatch):
    write_report(study, tmp_path, title="older")
    before = digests(tmp_path)

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(AnalysisError, match=r"cannot be written to .*: No space left on device"):
        write_report(study, tmp_path, title="newer")
    assert digests(tmp_path) == before


@pytest.mark.usefixtures("no_drawings")
def test_a_folder_that_is_a_file(study, tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(AnalysisError, match="the report cannot be written to"):
        write_report(study, tmp_path / "out", title="t")


@pytest.mark.usefixtures("no_drawings")
def test_one_of_several_target_metrics(study, tmp_path):
    both = pd.concat([study.assign(target_metric="demo"), study.assign(target_metric="paq2piq")], ignore_index=True)
    assert write_report(both, tmp_path, title="t", target_metric="demo").document["n_votes"] == 600
    with pytest.raises(InvalidOption, match="the votes name demo, paq2piq"):
        write_report(both, tmp_path, title="t", target_metric="koncept")


@pytest.mark.parametrize(
    ("rows", "reference", "says"),
    [
        (
            [("reference", "good", 30, 20, 0), ("reference", "bad", 45, 5, 0), ("good", "bad", 40, 10, 0)],
            "reference",
            r"Of 2 attacks, good is the least visible \(preferred over the reference in 3\d % of votes, 95 % interval "
            r"\d+ % to \d+ %\); bad is the most visible \(.*\)\.",
        ),
        (
            [("reference", "x", 45, 5, 0), ("reference", "y", 45, 5, 0), ("x", "y", 25, 25, 0)],
            "reference",
            r"^No two of the 2 attacks are told apart: the highest score has x \(.*\), the lowest y \(.*\)\.$",
        ),
        (
            [("reference", c, 45, 5, 0) for c in "xyz"]
            + [("x", "y", 26, 24, 0), ("y", "z", 45, 5, 0), ("x", "z", 45, 5, 0)],
            "reference",
            r"^Of 3 attacks, x has the highest score \(.*\) but is not told apart from y; "
            r"z is the most visible \(.*\)\.$",
        ),
        (
            [("reference", "x", 40, 10, 0)],
            "reference",
            r"^x was preferred over .* 20 % .*, clearly not an even choice\.$",
        ),
        (
            [("reference", "x", 26, 24, 0)],
            "reference",
            r"^x was preferred over .* 48 % .*, not told apart from an even choice\.$",
        ),
        ([("a", "b", 40, 10, 0)], None, r"^a was preferred over b in 80 % of votes, .*, clearly not an even choice\.$"),
        (
            [("a", "b", 40, 10, 0), ("b", "c", 40, 10, 0)],
            None,
            r"^Of 3 conditions, a is preferred most; c is preferred least; "
            r"a is preferred over c in 94 % of votes, 95 % interval",
        ),
    ],
)
def test_the_answer_in_a_sentence(write_counts, rows, reference, says):
    result = fit_bradley_terry(write_counts(rows), cluster=None)
    assert re.search(says, answer_sentence(result, reference=reference, level=0.95))


@pytest.mark.slow
def test_halves_agree_when_people_do_and_not_when_they_guess(simulate):
    def votes(scores):
        return validate_votes(simulate(scores, participants=60, votes_each=30, taste=0))

    clear = split_half_agreement(votes({"a": 2, "b": 1, "c": 0, "d": -1, "e": -2}), seed=1)
    guess = split_half_agreement(votes(dict.fromkeys("abcde", 0)), seed=1)
    assert clear.mean > 0.98
    assert clear.fitted == clear.splits == 100
    assert abs(guess.mean) < 0.5
    assert split_half_agreement(votes({"a": 1, "b": 0}), seed=1) is None


def test_command_line(study, tmp_path, capsys):
    study.to_csv(tmp_path / "my votes.csv", index=False)
    assert main([str(tmp_path / "my votes.csv"), "--out", str(tmp_path / "out"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "my votes"
    assert main([str(tmp_path / "none.csv"), "--out", str(tmp_path / "out")]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "none.csv does not exist" in captured.err
    with pytest.raises(SystemExit) as stopped:
        main([])
    assert stopped.value.code == 2


def test_options_that_no_analysis_takes_are_refused(study, tmp_path):
    for option, says in (({"seed": -1}, "seed is -1"), ({"level": 1 - 1e-16}, "level is 0.99")):
        with pytest.raises(InvalidOption, match=says):
            write_report(study, tmp_path / "out", **({"title": "Pilot"} | option))
    assert not (tmp_path / "out").exists()
