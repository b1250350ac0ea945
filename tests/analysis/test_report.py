"""The written report: complete, the same bytes twice, safe with odd labels, never half written."""

import dataclasses
import functools
import hashlib
import html.parser
import json
import xml.etree.ElementTree as ElementTree

import numpy as np
import pandas as pd
import pytest

from analysis import (
    AnalysisError,
    fit_bradley_terry,
    read_votes,
    screen_participants,
    simulate_votes,
    votes_to_flip,
    write_report,
)
from analysis.__main__ import main
from analysis.drawing import Drawing
from analysis.errors import CovarianceUnavailable, DisconnectedConditions, InvalidOption, InvalidVotes
from analysis.files import write_files
from analysis.participants.reliability import split_half_agreement
from analysis.plain import plain
from analysis.ranking.counts import code_votes
from analysis.report.alternatives import Nothing, compare_tie_models, cross_check, position_fit
from analysis.report.figures import FIGURES
from analysis.report.main_ranking import rank_votes
from analysis.report.methods import describe_methods
from analysis.report.pairs_judged import PairsJudged, pairs_judged
from analysis.report.study_votes import gather_votes, votes_digest
from analysis.report.summary import at_most
from analysis.votes import OPTIONAL_COLUMNS, counted_votes, validate_votes

SCORES = {"reference": 0.9, "ioi": 0.3, "ifgsm": -0.2, "fgsm": -1.0}
# Of an earlier report, and somebody's own.
OLDER = ("ranking.json", "forest.svg", "tables/metrics.tex", "figures/objective.pdf", "report.html", "mine.txt")
write_quickly = functools.partial(write_report, title="Pilot", resamples=20)


class Reader(html.parser.HTMLParser):
    """Text of a page outside its style and drawings, its tags, and whatever it would load from elsewhere."""

    def __init__(self, text):
        super().__init__()
        self.words, self.tags, self.loads, self.inside, self.ids, self.links = [], [], [], [], set(), set()
        self.feed(text)
        self.text = " ".join(" ".join(self.words).split()).replace("\xa0", " ")

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        if tag in ("style", "svg"):
            self.inside.append(tag)
        for name, value in attributes:
            if name in ("src", "href", "xlink:href"):
                if value.startswith("#"):
                    self.links.add(value[1:])
                else:
                    self.loads.append(value)
            if name == "id" and not self.inside:
                self.ids.add(value)

    def handle_endtag(self, tag):
        if self.inside and self.inside[-1] == tag:
            self.inside.pop()

    def handle_data(self, data):
        if not self.inside:
            self.words.append(data)


def page_of(files):
    return Reader(files.report_html.read_text(encoding="utf-8"))


def digests(folder):
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def votes():
    """Of 30 people; the last one met no verification pair."""
    table = simulate_votes(
        SCORES, participants=30, votes_each=15, sources=6, source_effect=0.3, tie_strength=0.3, verifications=2, seed=5
    )
    return table[((table["kind"] == "test") | (table["participant"] != "P00029")).to_numpy()]


@pytest.fixture
def no_drawings(monkeypatch):
    """For tests that do not look at the figures, which take half of a report's time."""
    monkeypatch.setattr(
        "analysis.report.write.report_figures", lambda *_: {name: Drawing("<svg/>", b"%PDF") for name in FIGURES}
    )


@pytest.fixture(scope="module")
def few_splits():
    """The hundred splits of a real report take as long as all the rest of it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "analysis.participants.agreement.split_half_agreement", functools.partial(split_half_agreement, splits=8)
        )
        yield


@pytest.fixture(scope="module")
def written(votes, few_splits, tmp_path_factory):
    """One report of `votes` without drawings, and the analysis behind it for tests that need not compute it again."""
    import analysis.report.write

    kept = []

    def analysed(*arguments):
        kept.append(compute(*arguments))
        return kept[-1]

    compute = analysis.report.write.analyse_study
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(analysis.report.write, "analyse_study", analysed)
        patch.setattr(analysis.report.write, "report_figures", lambda *_: {"forest": Drawing("<svg/>", b"%PDF")})
        out = tmp_path_factory.mktemp("report") / "deep" / "out"
        for name in OLDER:
            (out / name).parent.mkdir(parents=True, exist_ok=True)
            (out / name).write_text("older")
        files = write_quickly(votes.assign(target_metric="demo"), out)
    return files, kept[0]


@pytest.fixture
def again(written, monkeypatch, no_drawings):
    """Writing without computing."""
    monkeypatch.setattr("analysis.report.write.analyse_study", lambda *_: written[1])


def test_everything_is_written_and_agrees(written, votes):
    files, analysis = written
    names = {"report.html", "results.json", "methods.md", "figures/forest.svg", "figures/forest.pdf"}
    names |= {
        f"tables/{table}.{kind}" for table in ("ranking", "comparisons", "sources") for kind in ("csv", "md", "tex")
    }
    names |= {f"tables/participants.{kind}" for kind in ("csv",)}
    assert names <= set(digests(files.report_html.parent))
    document = json.loads(files.results_json.read_text(encoding="utf-8"))
    assert document == files.document
    assert (document["gauge"], document["unit"], document["cluster"]) == ("sum of scores = 0", "logit", "two-way")
    ranking = pd.read_csv(files.tables["ranking.csv"], index_col="condition")
    by_participant = fit_bradley_terry(votes)
    np.testing.assert_allclose(ranking["score"], by_participant.to_frame()["score"], rtol=1e-12)
    assert list(ranking.index) == [row["condition"] for row in document["ranking"]]
    narrow = by_participant.interval().loc[ranking.index]
    assert (ranking["low"] <= narrow["low"]).all() and (ranking["high"] >= narrow["high"]).all()
    jod = (by_participant.scores - by_participant.scores["reference"]) / np.log(3)
    np.testing.assert_allclose(ranking["jod"], jod[ranking.index], atol=1e-12)
    comparisons = pd.read_csv(files.tables["comparisons.csv"])
    np.testing.assert_allclose(comparisons["p_adjusted"], analysis.main.result.compare()["p_adjusted"], rtol=1e-12)
    wide = by_participant.compare().set_index(["first", "second"])["standard_error"]
    assert (comparisons.set_index(["first", "second"])["standard_error"] >= wide - 1e-12).all()
    # The same votes have the same intervals wherever the report shows them.
    for above, beside in zip(document["ranking"], document["intervals"], strict=True):
        assert (above["low"], above["high"]) == (beside["report_low"], beside["report_high"])
    (as_given,) = (ruled for ruled in document["rules"]["rankings"] if ruled["rule"] == "as-given")
    for above, beside in zip(document["ranking"], as_given["ranking"]["rows"], strict=True):
        assert {name: above[name] for name in beside if name in above} == {
            n: v for n, v in beside.items() if n in above
        }
    # Nobody is removed, so that whoever failed a check counts, and the limits say so.
    check = document["verification"]
    assert check["counted_failed"] == len(check["failed"]) == check["asked"] - check["passed"] > 0
    assert (
        f"who failed a verification pair {'is' if check['counted_failed'] == 1 else 'are'} counted"
        in page_of(files).text
    )
    assert (check["asked"], check["counted_unasked"]) == (29, 1)
    assert "1 participant who met none is counted unchecked" in page_of(files).text
    assert document["cross_check"]["largest_difference"] < 1e-6
    assert document["votes"]["sha256"] == votes_digest(validate_votes(votes.assign(target_metric="demo")))
    assert (document["n_votes"], document["votes"]["rows"], document["n_participants"]) == (450, 508, 30)


def test_tables_and_forest_say_what_the_document_says(written):
    """Rounded numbers of one condition, in the page's table, in Markdown and in LaTeX."""
    files, _ = written
    for row in files.document["ranking"]:
        low, high = (f"{row[end]:+.2f}".replace("-", "−") for end in ("low", "high"))
        (line,) = (
            line for line in files.tables["ranking.md"].read_text().splitlines() if f"| {row['condition']} " in line
        )
        assert f" {low} to {high} |" in line
        assert f"& {low} to {high} &".replace("−", "$-$") in files.tables["ranking.tex"].read_text()
        assert f"{low} to {high}" in page_of(files).text


def test_pairs_that_were_judged_are_counted(write_counts):
    """By hand: a-b on both sides 5 times, b-c once, a-c never."""
    votes = validate_votes(write_counts([("a", "b", 2, 1, 0), ("b", "a", 1, 0, 1), ("b", "c", 1, 0, 0)]))
    assert pairs_judged(code_votes(votes)) == PairsJudged(possible=3, judged=2, fewest=1, median=3.0, most=5)
    assert (at_most(0.0121), at_most(0.00004), at_most(0.0)) == ("0.013", "0.001", "0.000")


def test_files_of_an_earlier_report_go(written):
    out = written[0].report_html.parent
    assert [name for name in digests(out) if (out / name).read_bytes() == b"older"] == ["mine.txt"]


def test_the_page_answers_first_and_loads_nothing(written):
    files, _ = written
    page = page_of(files)
    assert page.loads == []
    assert "script" not in page.tags
    assert page.links <= page.ids
    for expected in (
        files.document["answer"],
        "The intervals hold for other people judging other clips like these.",
        "attack the metric demo",
        "58 votes (verification pairs)",
        "clip000",
        "pandas",
        "python -m analysis votes.csv --out report --title Pilot --resamples 20",
    ):
        assert expected in page.text
    assert page.text.index(files.document["answer"]) < 300
    methods = files.methods_md.read_text(encoding="utf-8")
    assert "The ranking counts 450 votes of 30 participants, 15 each" in methods
    assert "Of the 36 pairs of conditions on one clip, 36 were judged, each in " in methods
    assert "".join(methods.split("\n\n")[1].split()) in "".join(page.text.split())


@pytest.mark.slow
def test_a_small_study_says_what_it_cannot_tell(tmp_path, few_splits, no_drawings):
    votes = simulate_votes({"a": 0.2, "b": 0}, participants=5, votes_each=8, sources=1, seed=1)
    document = write_quickly(votes, tmp_path).document
    assert document["generalise"]["to"] == "these-sources"
    assert document["reference"] is None
    for part, says in (("content", "one source"), ("tie_models", "nobody tied"), ("metrics", "no target metric")):
        assert says in document[part]["why_not"]
    text = page_of_text(tmp_path)
    assert "Only 5 participants" in text
    assert "one clip; other clips may give another ranking" in text


def page_of_text(folder):
    return Reader((folder / "report.html").read_text(encoding="utf-8")).text


@pytest.mark.slow
def test_simulated_participants_are_called_so(votes, tmp_path, few_splits, no_drawings):
    small = votes[votes["participant"].astype(str) < "P00008"].assign(origin="simulated")
    files = write_quickly(small, tmp_path, generalise="these-sources")
    assert files.document["n_simulated_participants"] == 8
    assert "all of the 8 participants were simulated" in page_of(files).text
    assert "were simulated" in files.methods_md.read_text(encoding="utf-8")


def test_nothing_is_written_where_there_is_no_ranking(write_counts, tmp_path):
    old = tmp_path / "report.html"
    old.write_text("an older report")
    with pytest.raises(DisconnectedConditions):
        write_quickly(write_counts([("a", "b", 3, 3, 0), ("c", "d", 3, 3, 0)]), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
    assert old.read_text() == "an older report"


@pytest.mark.slow
def test_a_disk_that_fails_leaves_the_older_files(again, votes, tmp_path, monkeypatch):
    (tmp_path / "report.html").write_text("an older report")

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(AnalysisError, match=r"cannot be written to .*: No space left on device"):
        write_quickly(votes, tmp_path)
    assert [path.name for path in tmp_path.rglob("*")] == ["report.html"]
    assert (tmp_path / "report.html").read_text() == "an older report"
    with pytest.raises(AnalysisError, match="the report cannot be written to"):
        write_files({"report.html": "new"}, tmp_path / "report.html")


def test_options_that_no_analysis_takes_are_refused(votes, tmp_path):
    for option, says in (
        ({"seed": -1}, "seed is -1"),
        ({"level": 1 - 1e-16}, "level is 0.99"),
        ({"resamples": 0}, "resamples is 0; expected at least 2"),
        ({"generalise": "everything"}, "generalise is 'everything'; expected 'sources' or 'these-sources'"),
        ({"ties": "coin"}, "ties is 'coin'"),
        ({"screening": "horoscope"}, "horoscope"),
        ({"target_metric": "koncept"}, "no vote has the target metric 'koncept'; the votes name none"),
    ):
        with pytest.raises(InvalidOption, match=says):
            write_quickly(votes, tmp_path / "out", **option)
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_the_votes_that_would_flip_are_those_of_the_ranking_that_is_shown(tmp_path, few_splits, no_drawings):
    votes = simulate_votes(
        {"reference": 1.0, "a": 0.4, "b": 0.0, "c": -0.6},
        participants=40,
        votes_each=18,
        sources=3,
        seed=2,
        spammers=0.3,
        spam="hostile",
        verifications=3,
    )
    files = write_quickly(votes, tmp_path, screening="lapse")
    shown = json.loads(files.results_json.read_text())["flip"]
    weights = screen_participants(votes, "lapse").weights
    weighted, bare = (votes_to_flip(votes, leaving_out="reference", weights=given) for given in (weights, None))
    assert (shown["first"], shown["second"], shown["dropped"]) == (weighted.first, weighted.second, weighted.dropped)
    assert weighted.dropped != bare.dropped


def test_intervals_speak_of_other_clips_only_where_there_are_some(votes, write_counts):
    coded = code_votes(counted_votes(votes))
    assert rank_votes(coded).generalise == "sources"
    here = rank_votes(coded, generalise="these-sources")
    assert (here.generalise, here.result.cluster) == ("these-sources", "participant")
    one = code_votes(validate_votes(write_counts([("a", "b", 30, 20, 0)])))
    assert "1 source is too few" in rank_votes(one).why_not
    with pytest.raises(CovarianceUnavailable):
        rank_votes(one, generalise="sources")
    two = code_votes(counted_votes(votes[votes["source"].isin(["clip000", "clip001"])]))
    assert rank_votes(two, generalise="sources").result.degrees_of_freedom == 1
    assert rank_votes(two).generalise == "these-sources"


def test_another_program_ties_and_sides(pudding, write_counts):
    coded = code_votes(validate_votes(pudding))
    result = fit_bradley_terry(pudding)
    assert cross_check(coded).largest_difference < 1e-8
    models = compare_tie_models(coded, result)
    # Davidson (1970), example 2: nu is 0.7468.
    assert models.parameters["davidson"] == pytest.approx(0.7468, abs=1e-4)
    np.testing.assert_allclose(
        models.table["score_half"], fit_bradley_terry(pudding, ties="half").scores[models.table.index]
    )
    untied = validate_votes(write_counts([("a", "b", 30, 20, 0), ("b", "a", 30, 20, 0)]))
    with pytest.raises(Nothing, match="nobody tied"):
        compare_tie_models(code_votes(untied), fit_bradley_terry(untied))
    sides = position_fit(code_votes(untied), fit_bradley_terry(untied))
    # Left wins 60 of 100 however the sides lie: the bias is logit 0.6, and the two are equal.
    assert sides.probability == pytest.approx(0.6)
    assert sides.bias.value == pytest.approx(np.log(1.5))


def test_plain_values():
    @dataclasses.dataclass
    class Record:
        table: pd.DataFrame
        hidden: object = dataclasses.field(metadata={"plain": False})
        more: tuple = (np.int64(3), np.float64(np.inf), np.nan, None, True)

    frame = pd.DataFrame({"n": [1, 2]}, index=pd.Index(["a", "b"], name="condition"))
    assert plain(Record(frame, object())) == {
        "table": [{"condition": "a", "n": 1}, {"condition": "b", "n": 2}],
        "more": [3, None, None, None, True],
    }
    with pytest.raises(TypeError, match="cannot hold a object"):
        plain(object())


def test_the_digest_is_of_what_is_read(votes):
    digest = votes_digest(votes)
    assert digest == votes_digest(votes.assign(session="x"))
    assert digest != votes_digest(votes.iloc[::-1])
    assert digest != votes_digest(votes.assign(use=True))


def test_how_pairs_were_shown_and_letters_without_a_font_are_told(again, written, votes, tmp_path, monkeypatch):
    drawing = Drawing("<svg/>", b"%PDF", boxes="視源")
    monkeypatch.setattr("analysis.report.write.report_figures", lambda *_: {"forest": drawing})
    files = write_quickly(votes, tmp_path)
    assert files.boxes.startswith("The figures show boxes for 源 視: no font on this machine")
    assert files.boxes in page_of(files).text
    shown = dataclasses.replace(written[1].votes, counted=written[1].votes.counted.assign(presentation="toggle"))
    methods = describe_methods(dataclasses.replace(written[1], votes=shown), files.document)
    assert "shown in one place, switched by the participant, sides" in methods[0]
    assert "presentation" in OPTIONAL_COLUMNS


def test_the_command_line(study, tmp_path, capsys, again):
    study.to_csv(tmp_path / "my votes.csv", index=False)
    assert main([str(tmp_path / "my votes.csv"), "--out", str(tmp_path / "out"), "--resamples", "20", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["title"] == "my votes"
    assert document["votes"]["file_sha256"] == hashlib.sha256((tmp_path / "my votes.csv").read_bytes()).hexdigest()
    assert main([str(tmp_path / "none.csv"), "--out", str(tmp_path / "out")]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "none.csv does not exist" in captured.err
    for wrong, says in (([], "required"), ([str(tmp_path / "my votes.csv"), "--domain", "raw"], "does not apply")):
        with pytest.raises(SystemExit) as stopped:
            main([*wrong, "--out", str(tmp_path / "out")])
        assert stopped.value.code == 2
        assert says in capsys.readouterr().err
    (tmp_path / "scores.csv").write_text("target_metric,metric,clear,attacked\n")
    with pytest.raises(SystemExit):
        main([str(tmp_path / "scores.csv"), "--ties", "half", "--out", str(tmp_path / "out")])


@pytest.mark.slow
@pytest.mark.usefixtures("plain_letters")
def test_odd_labels_and_the_same_bytes_however_the_votes_are_read(study, tmp_path):
    labels = {"ioi": "$x_1$", "fgsm": "<script>alert(1)</script>", "ifgsm": "視覚"}
    study[["left", "right"]] = study[["left", "right"]].replace(labels)
    study.to_csv(tmp_path / "votes.csv", index=False)
    title = "{{ title }} </title>"
    write_quickly(study, tmp_path / "frame", seed=4, title=title)
    files = write_quickly(read_votes(tmp_path / "votes.csv"), tmp_path / "file", seed=4, title=title)
    assert digests(tmp_path / "frame") == digests(tmp_path / "file")
    assert ("boxes for" in page_of(files).text) == bool(files.boxes)
    drawn = {f"figures/{name}.{kind}" for name in FIGURES if name != "objective" for kind in ("svg", "pdf")}
    assert drawn <= set(digests(tmp_path / "file"))
    for figure in (tmp_path / "file" / "figures").glob("*.svg"):
        ElementTree.parse(figure)
    page = page_of(files)
    assert "cannot be given" not in page.text
    assert "script" not in page.tags
    assert title in page.text
    assert all(label in page.text for label in labels.values())
    assert {row["condition"] for row in files.document["ranking"]} == {"reference", *labels.values()}


@pytest.mark.slow
@pytest.mark.usefixtures("no_drawings", "few_splits")
def test_several_target_metrics_are_pooled_and_ranked_alone(votes, tmp_path):
    scores = dict(zip(SCORES, (1, -1, 0, 1), strict=True))
    other = simulate_votes(scores, participants=20, votes_each=20, sources=6, verifications=1, seed=2)
    few = other.iloc[:1]
    parts = {"demo": votes, "paq2piq": other, "spaq": few}
    both = pd.concat([part.assign(target_metric=name) for name, part in parts.items()], ignore_index=True)
    files = write_quickly(both, tmp_path / "pooled")
    assert files.document["n_votes"] == 450 + 400 + 1
    alone = write_quickly(both, tmp_path / "alone", target_metric="demo")
    rows = files.document["metrics"]["demo"]["ranking"]["rows"]
    assert [row["score"] for row in rows] == pytest.approx([row["score"] for row in alone.document["ranking"]])
    assert "spaq (1 vote) cannot be ranked alone" in page_of(files).text
    assert pd.read_csv(files.tables["metrics.csv"])["group"].unique().tolist() == ["demo", "paq2piq"]


@pytest.mark.slow
@pytest.mark.usefixtures("no_drawings", "few_splits")
@pytest.mark.parametrize("ties", ["rao-kupper", "half"])
def test_every_model_of_ties_gives_a_report(votes, tmp_path, ties):
    document = write_quickly(votes, tmp_path, ties=ties).document
    assert document["ties"] == ties
    fit = fit_bradley_terry(votes, ties=ties)
    assert {row["condition"]: row["score"] for row in document["ranking"]} == pytest.approx(fit.scores.to_dict())


def test_some_votes_name_no_target_metric(votes):
    mixed = votes.assign(target_metric=["", *["m1"] * (len(votes) - 1)])
    with pytest.raises(InvalidVotes, match=r"empty in 1 of the 450 counted votes.*'P00000'.*in every row"):
        gather_votes(validate_votes(mixed), target_metric=None, screening="as-given")


def test_a_condition_that_no_counted_vote_shows(votes):
    table = validate_votes(votes.assign(use=(votes["left"] != "ioi") & (votes["right"] != "ioi")))
    assert gather_votes(table, target_metric=None, screening="as-given").conditions_without_votes == ("ioi",)
