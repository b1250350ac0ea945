"""The dashboard's pictures and words, from numbers given by hand; no database."""

import datetime
from xml.etree import ElementTree

import pytest

from studyserver.dashboard.condition_figures import percent, shares_svg, signed, sources_svg, triangle_svg
from studyserver.dashboard.count_figures import Bar, bars_svg, columns_svg, growth_svg, histogram_svg
from studyserver.dashboard.numbers import Histogram, Share, bins_of_time
from studyserver.dashboard.page import bars_figure, counted, duration_text, histogram_figure, thousands
from studyserver.dashboard.svg import round_ticks, shortened
from studyserver.selectors import AnswerShare, PairVotes

NOON = datetime.datetime(2026, 5, 4, 12, 0, tzinfo=datetime.UTC)
PAIRS = (
    PairVotes("cat", "reference", "fgsm", votes=3, pending=1, quota=4),
    PairVotes("dog", "reference", "fgsm", votes=6, pending=0, quota=4),
    PairVotes("cat", "ioi", "fgsm", votes=0, pending=0, quota=4),
    PairVotes("dog", "ioi", "fgsm", votes=4, pending=0, quota=4),
)


def marks(svg, tag, css=""):
    found = ElementTree.fromstring(svg).iter(tag)
    return [item for item in found if css in item.get("class", "").split() or not css]


def words(svg):
    return [item.text for item in marks(svg, "text")]


def tips(svg):
    return [item.text for item in marks(svg, "title")]


def test_bars_are_as_long_as_their_counts():
    svg = bars_svg([Bar("finished", 40), Bar("left", 10, "grey"), Bar("at: quiz", 5, "grey", part=True)], "t", total=50)
    (longest,) = marks(svg, "rect", "blue")
    half, part = marks(svg, "rect", "grey")
    assert float(longest.get("width")) == pytest.approx(4 * float(half.get("width")))
    assert float(longest.get("width")) == pytest.approx(8 * float(part.get("width")))
    assert words(svg) == ["finished", "40 (80 %)", "left", "10 (20 %)", "at: quiz", "5"]


def test_bars_without_anybody():
    assert words(bars_svg([Bar("finished", 0)], "t", total=0)) == ["finished", "0"]


def test_a_small_share_is_not_called_nothing():
    assert words(bars_svg([Bar("stalls", 1)], "t", total=500)) == ["stalls", "1 (under 1 %)"]


def test_columns_are_stacked():
    bins = bins_of_time({"a": [NOON] * 3, "b": [NOON]}, ("a", "b"))
    svg = columns_svg(bins, {"a": "blue", "b": "grey"}, "t")
    lower, upper = marks(svg, "rect", "blue")[0], marks(svg, "rect", "grey")[0]
    assert float(lower.get("height")) == pytest.approx(3 * float(upper.get("height")))
    assert float(upper.get("y")) + float(upper.get("height")) == pytest.approx(float(lower.get("y")), abs=0.1)
    assert tips(svg) == ["4 May 12:00: 3 a", "4 May 12:00: 1 b"]


def test_growth_is_dashed_to_the_quota_at_the_present_pace():
    hours = [NOON + datetime.timedelta(hours=hour) for hour in range(5)]
    now = NOON + datetime.timedelta(hours=5)
    svg = growth_svg(hours, 10, now, datetime.timedelta(hours=5), "t")
    (dashes,) = marks(svg, "polyline", "dashed")
    (quota,) = marks(svg, "line", "rule")
    begin, end = (tuple(map(float, point.split(","))) for point in dashes.get("points").split())
    assert end[1] == pytest.approx(float(quota.get("y1")), abs=0.1)
    # Half of the time is over, and half of the votes are there.
    assert begin[0] == pytest.approx((44 + 468) / 2, abs=0.1)
    assert begin[1] == pytest.approx((186 + 34) / 2, abs=0.1)
    assert not marks(growth_svg(hours, 5, now, None, "t"), "polyline", "dashed")


def test_histogram_marks_its_median_and_what_lies_beyond():
    histogram = Histogram(step=5.0, counts=(1, 3, 2), median=7.0, largest=60)
    svg = histogram_svg(histogram, "minutes", "t", marks=[("promised", 9.0)])
    assert tips(svg) == ["0 to 5 minutes: 1", "5 to 10 minutes: 3", "10 and more minutes: 2"]
    assert {"median 7", "promised 9", "15+"} <= set(words(svg))
    figure = histogram_figure("Session", histogram, "minutes")
    assert figure.numbers.rows == (("0 to 5", "1"), ("5 to 10", "3"), ("10 and more", "2"))


def test_triangle_fills_source_by_source():
    svg = triangle_svg(PAIRS, "t")
    # The reference stands before the attacks.
    assert [word for word in words(svg) if not word[0].isdigit() and "of" not in word] == ["reference", "fgsm", "ioi"]
    assert tips(svg) == ["reference – fgsm: 9 of 8 votes, 1 pending", "fgsm – ioi: 4 of 8 votes"]
    # Nine votes where eight are wanted, and one is missing all the same: six on one source fill no other.
    full = float(marks(svg, "rect", "track")[0].get("width"))
    filled = [float(item.get("width")) for item in marks(svg, "rect", "blue") if item.get("height") == "5"]
    assert filled == [pytest.approx(full * 7 / 8, abs=0.1), pytest.approx(full * 4 / 8, abs=0.1)]
    assert float(marks(svg, "rect", "sky")[0].get("width")) == pytest.approx(full, abs=0.1)


def test_sources_by_pairs_outline_what_has_no_vote():
    svg = sources_svg(PAIRS, "t")
    assert len(marks(svg, "rect", "blue")) == 4
    assert len(marks(svg, "rect", "alarm")) == 1
    assert "cat, fgsm – ioi: 0 of 4 votes, 0 pending" in tips(svg)


def test_shares_with_and_without_answers():
    half = Share(hits=5, total=10, low=0.2, high=0.8)
    svg = shares_svg(
        [
            AnswerShare("Left", "", everybody=half, counted=None, chance=0.5),
            AnswerShare("Equals", "", None, None, None),
        ],
        "t",
    )
    assert {"50\N{NO-BREAK SPACE}% (5 of 10)", "no answers"} <= set(words(svg))
    (interval,) = marks(svg, "line", "thick")
    (chance,) = marks(svg, "line", "rule")
    assert (float(interval.get("x1")) + float(interval.get("x2"))) / 2 == float(chance.get("x1"))


def test_names_come_out_escaped():
    svg = bars_svg([Bar("<b>&", 1)], '"quoted"', total=1)
    assert "<b>" not in svg
    assert words(svg)[0] == "<b>&"


def test_many_names_are_gathered_after_the_eighth():
    figure = bars_figure("Scale", [(f"{number}", 10) for number in range(10)], "blue", 100)
    assert words(figure.svg)[-2:] == ["others", "20 (20 %)"]
    assert len(figure.numbers.rows) == 10


@pytest.mark.parametrize(
    ("minutes", "text"),
    [(0.1, "1 min"), (59, "59 min"), (60, "1 h"), (125, "2 h 5 min"), (3000, "2 d 2 h"), (2880, "2 d")],
)
def test_durations(minutes, text):
    assert duration_text(datetime.timedelta(minutes=minutes)).replace("\N{NO-BREAK SPACE}", " ") == text


def test_numbers_in_words():
    assert percent(0.414) == "41\N{NO-BREAK SPACE}%"
    assert percent(0.99996) == "99.9\N{NO-BREAK SPACE}%"
    assert percent(1) == "100\N{NO-BREAK SPACE}%"
    assert (signed(-0.001), signed(0.5), signed(-1)) == ("+0.00", "+0.50", "\N{MINUS SIGN}1.00")
    assert thousands(12150) == "12\N{NARROW NO-BREAK SPACE}150"
    assert (counted(1, "pair"), counted(2, "pair")) == ("1 pair", "2 pairs")
    assert shortened("a name that is much longer than its place", 10) == "a nam…lace"
    assert round_ticks(0, 1080) == [0, 500, 1000]
    assert round_ticks(-0.6, 0.52) == pytest.approx([-0.5, 0, 0.5])
