"""Figures of a ranking: both formats, the same bytes twice, legible in print and apart, what they must name."""

import itertools
import re
from types import SimpleNamespace
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pandas as pd
import pytest

from analysis import fit_bradley_terry, letters
from analysis.drawing import COLUMN, PAGE, SMALLEST
from analysis.errors import InvalidOption
from analysis.labels import shortened, shortened_apart
from analysis.report.forest_figure import draw_forest
from analysis.report.objective_figure import draw_objective
from analysis.report.participant_figure import draw_participants
from analysis.report.preference_figure import draw_preferences
from analysis.report.rules_figure import draw_rules
from analysis.report.source_figure import draw_sources
from analysis.report.width_curve import width_against_votes
from analysis.report.width_figure import draw_width
from analysis.simulation import simulate_votes

ODD = ["reference", "a very long name with eps=8/255 and keep=0.07", "naïve $5_ü <&>"]


@pytest.fixture(scope="module")
def study():
    return simulate_votes(
        dict(zip(ODD, (0.8, 0.1, -0.9), strict=True)), participants=12, votes_each=12, sources=5, seed=4
    )


@pytest.fixture(scope="module")
def result(study):
    return fit_bradley_terry(study)


@pytest.fixture(scope="module")
def crowd():
    """Participants as a screening gives them."""

    def people(count):
        rng = np.random.default_rng(0)
        decision = np.array(["keep", "keep", "down-weight", "remove", "cannot judge", "set aside"])[
            np.arange(count) % 6
        ]
        return pd.DataFrame(
            {
                "participant": [f"P{k}" for k in range(count)],
                "n_votes": 20,
                "n_verification": 4,
                "verification_right": rng.integers(0, 5, count),
                "z_likelihood": rng.normal(0, 1, count),
                "median_ms": rng.lognormal(8, 0.5, count),
                "decision": decision,
                "reason": [f"{k % 4} of 4 verification pairs wrong" for k in range(count)],
            }
        )

    return people


@pytest.fixture
def texts(monkeypatch):
    """Every text that is drawn, with its size, box and figure."""
    drawn = []
    draw = matplotlib.text.Text.draw

    def noting(self, renderer):
        if self.get_visible() and self.get_text().strip():
            box = self.get_window_extent(renderer)
            drawn.append(
                SimpleNamespace(
                    text=self.get_text(), size=self.get_fontsize(), box=box, artist=self, figure=self.figure
                )
            )
        return draw(self, renderer)

    monkeypatch.setattr(matplotlib.text.Text, "draw", noting)
    return drawn


def assert_readable(texts, smallest=SMALLEST):
    """No letter too small, no text beyond its figure, none upon another (slanted ones are not compared)."""
    assert min(text.size for text in texts) >= smallest
    for _, found in itertools.groupby(texts, key=lambda text: id(text.figure)):
        # Drawn for the SVG and for the PDF.
        unique = list({id(text.artist): text for text in found}.values())
        for text in unique:
            page = text.figure.bbox
            assert text.box.x0 >= -1 and text.box.y0 >= -1, text.text
            assert text.box.x1 <= page.x1 + 1 and text.box.y1 <= page.y1 + 1, text.text
        straight = [text for text in unique if text.artist.get_rotation() % 90 == 0]
        low, high = (np.array([getattr(text.box, end) for text in straight]) for end in ("min", "max"))
        # A hair's breadth is no overlap.
        upon = ((low[:, None] < high[None] - 1.5) & (low[None] < high[:, None] - 1.5)).all(axis=2)
        np.fill_diagonal(upon, False)
        assert not upon.any(), [(straight[i].text, straight[j].text) for i, j in np.argwhere(upon)]


def inches_wide(drawing):
    return float(re.search(r'width="([\d.]+)pt"', drawing.svg)[1]) / 72


def narrowed(result):
    ranking = result.to_frame()
    half = (ranking["high"] - ranking["low"]) / 4
    return ranking.assign(low_narrow=ranking["score"] - half, high_narrow=ranking["score"] + half)


def test_labels_that_begin_and_end_alike_are_told_apart():
    alike = [f"a_collection_of_clips_{k}_with_a_long_name.mp4" for k in (10, 11, 12)]
    assert len({shortened(label) for label in alike}) == 1
    labels = shortened_apart([*alike, "short"])
    assert labels[3] == "short" and len(set(labels)) == 4
    assert labels[0].startswith("…0_with_a") and max(map(len, labels)) <= 26


def test_a_figure_is_svg_and_pdf_without_a_date(result, texts):
    first = draw_forest(narrowed(result), reference="reference", level=0.9)
    ElementTree.fromstring(first.svg.encode())
    assert first.pdf.startswith(b"%PDF")
    assert b"CreationDate" not in first.pdf
    assert set(first.files("forest")) == {"forest.svg", "forest.pdf"}
    assert first.boxes == ""
    assert inches_wide(first) == pytest.approx(COLUMN)
    assert_readable(texts)
    said = {text.text for text in texts}
    assert {"reference", "score [90 %]", "naïve $5_ü <&>", "interval for participants alone"} <= said


def test_letters_that_the_house_font_lacks(monkeypatch):
    """Another font of the machine has them, or they are named."""
    fonts = [font for font in letters.fontManager.ttflist if font.name == "STIXGeneral" and font.style == "normal"]
    stix = letters._characters(fonts[0].fname) - letters._characters_of_house()
    letter = min(letter for letter in stix if letter.isalpha())
    monkeypatch.setattr(letters.fontManager, "ttflist", fonts)
    monkeypatch.setattr(letters, "findSystemFonts", lambda: [])
    letters._families.cache_clear()
    figure = matplotlib.figure.Figure()
    plain, mixed = figure.text(0, 0, "naïve"), figure.text(0, 0, f"{letter}\U0010abcd視")
    assert letters.provide_letters(figure) == "視"
    assert mixed.get_fontfamily() == [letters.HOUSE_FONT, "STIXGeneral"] and "STIXGeneral" not in plain.get_fontfamily()
    letters._families.cache_clear()


@pytest.mark.slow
def test_what_is_told_apart_is_marked_on_both_sides_of_the_diagonal(result, texts):
    comparisons = result.compare()
    drawings = [draw_preferences(result.probabilities(), comparisons, level=level) for level in (0.95, 0.95, 0.5)]
    assert drawings[0] == drawings[1]
    patches = [drawing.svg.count('id="patch_') for drawing in drawings]
    told = [(comparisons["p_adjusted"] < 1 - level).sum() for level in (0.95, 0.5)]
    assert told[0] < told[1]
    assert patches[2] - patches[1] == 2 * (told[1] - told[0])
    assert_readable(texts)


@pytest.mark.slow
@pytest.mark.usefixtures("plain_letters")
@pytest.mark.parametrize(("count", "width"), [(10, COLUMN), (20, PAGE)])
def test_a_heat_map_is_a_column_or_a_page_wide(texts, count, width):
    names = [f"uap_optimized_{k:02d}_with_a_long_name_{k}" for k in range(count)]
    worths = np.exp(np.linspace(2, -2, count))
    shares = pd.DataFrame(worths[:, None] / (worths[:, None] + worths), names, names)
    pairs = pd.DataFrame([(a, b, 0.01) for a, b in itertools.combinations(names, 2)])
    drawing = draw_preferences(shares, pairs.set_axis(["first", "second", "p_adjusted"], axis=1), level=0.95)
    assert inches_wide(drawing) == pytest.approx(width, abs=0.01)
    assert_readable(texts)


@pytest.mark.slow
@pytest.mark.usefixtures("plain_letters")
def test_every_figure_is_drawn_from_few_and_from_many(result, study, crowd, texts):
    many = {f"attack_{k:02d}": k / 5 for k in range(13)}
    large = simulate_votes(many, participants=60, votes_each=60, sources=9, seed=1)
    ranked = fit_bradley_terry(large)
    # Of three measures and of twelve.
    widths = [COLUMN, PAGE]
    for fitted, table in ((result, study), (ranked, large)):
        frame = fitted.to_frame()
        sources = table["source"].cat.categories
        by_source = pd.DataFrame(
            [
                (s, c, frame.loc[c, "score"] + k / 9, frame.loc[c, "score"])
                for k, s in enumerate(sources)
                for c in frame.index
            ],
            columns=["source", "condition", "score", "shrunk"],
        )
        by_source.loc[0, "score"] = np.nan
        rule = {"participants": 9, "why_not": None}
        rules = [
            SimpleNamespace(title="First", result=fitted, **rule),
            SimpleNamespace(title="Same", result=fitted, **rule),
            SimpleNamespace(title="Other", result=fit_bradley_terry(table, ties="half", cluster=None), **rule),
            SimpleNamespace(title="Without", result=None, participants=0, why_not="nobody is left"),
        ]
        measures = [f"m{k}" for k in range(3 if fitted is result else 14)]
        points = pd.DataFrame(
            [(m, c, k + s, s, s - 0.1, s + 0.1) for k, m in enumerate(measures) for c, s in frame["score"].items()],
            columns=["measure", "condition", "value", "score", "low", "high"],
        )
        agreement = pd.DataFrame({"measure": measures, "over": "conditions", "srocc": 0.5, "srocc_low": np.nan})
        agreement["srocc_high"] = np.nan
        drawings = [
            draw_forest(frame, reference=None, level=0.95, unit="jod"),
            draw_sources(by_source, frame, reference=frame.index[0]),
            draw_participants(crowd(5 if fitted is result else 700)),
            draw_width(width_against_votes(table)),
            draw_rules(rules, level=0.95, reference=frame.index[0]),
            draw_objective(points, agreement),
        ]
        for drawing in drawings:
            ElementTree.fromstring(drawing.svg.encode())
            assert drawing.pdf.startswith(b"%PDF")
            assert inches_wide(drawing) == pytest.approx(COLUMN if drawing is not drawings[-1] else widths.pop(0))
    assert_readable(texts)
    said = {text.text for text in texts}
    assert {"First; Same (9 people)", "No ranking: Without"} <= said
    assert any("removed: 3 of 4 verification pairs wrong" in text for text in said)
    assert any(re.search(r"(?m)^\d+ removed: … of … verification pairs wrong", text) for text in said)


@pytest.mark.slow
def test_people_without_times_checks_or_likelihood_are_drawn_too(crowd, texts):
    people = crowd(6)
    people.loc[people["decision"] == "set aside", "z_likelihood"] = np.nan
    draw_participants(people)
    assert {"kept (2)", "set aside by the table (1, not drawn)"} <= {text.text for text in texts}
    bare = people.assign(z_likelihood=np.nan, median_ms=np.nan, n_verification=0, verification_right=0, left_share=0.5)
    ElementTree.fromstring(draw_participants(bare, threshold=0.5, title="As the table says").svg.encode())


@pytest.mark.slow
def test_width_by_time_and_by_people(study):
    """Against the fit of the same votes; widths shrink about as 1 / sqrt(votes)."""
    moments = pd.Timestamp("2026-01-01", tz="UTC") + pd.to_timedelta(np.arange(len(study))[::-1], unit="s")
    timed = study.assign(presented_at=moments)
    curve = width_against_votes(timed)
    assert curve.order == "presented_at"
    half = curve.points.iloc[-3]
    last = timed.iloc[-int(half["votes"]) :]
    compared = fit_bradley_terry(last).compare(None)
    # The interval of a difference of probabilities goes back to logits.
    logits = np.log(compared["high"] / (1 - compared["high"])) - compared["difference"]
    assert half["half_width"] == pytest.approx(logits.median())
    by_people = width_against_votes(study, seed=3)
    assert by_people.order == "random"
    pd.testing.assert_frame_equal(by_people.points, width_against_votes(study.iloc[::-1], seed=3).points)
    assert curve.half_width == by_people.half_width
    assert curve.expected(4 * curve.n_votes) == pytest.approx(curve.half_width / 2)
    assert curve.needed == pytest.approx(curve.n_votes * (curve.half_width / np.log(1.5)) ** 2, abs=1)
    with pytest.raises(InvalidOption, match="expected 'random', or 'presented_at' where every vote has the time"):
        width_against_votes(study, order="presented_at")
    with pytest.raises(InvalidOption, match="target is 0; expected a half-width"):
        width_against_votes(study, target=0)
