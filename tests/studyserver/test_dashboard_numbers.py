"""The arithmetic of the dashboard, by hand."""

import datetime

import pytest

from studyserver.dashboard.numbers import (
    agreement,
    bins_of_time,
    histogram,
    kind_of_reason,
    people_needed,
    share,
    votes_per_hour,
)

NOON = datetime.datetime(2026, 5, 4, 12, 0, tzinfo=datetime.UTC)


def after(*minutes):
    return [NOON + datetime.timedelta(minutes=each) for each in minutes]


def test_share_of_one_person_is_wilsons():
    found = share([(3, 4)])
    assert (found.hits, found.total, found.value) == (3, 4, 0.75)
    # Wilson (1927) for 3 of 4.
    assert (found.low, found.high) == pytest.approx((0.3006, 0.9544), abs=1e-4)


def test_share_counts_people_and_not_answers_where_people_differ():
    # Two people who always say the same: variance 2 * (2² + 2²) / 8² = 0.25, that of one answer.
    torn = share([(4, 4), (0, 4)])
    one = share([(0.5, 1)])
    assert (torn.low, torn.high) == pytest.approx((one.low, one.high))
    even = share([(2, 4), (2, 4)])
    assert even.low > torn.low and even.high < torn.high


def test_share_of_all_or_none_still_has_an_interval():
    found = share([(2, 2), (2, 2)])
    assert found.value == 1
    assert found.high == pytest.approx(1)
    assert found.low == pytest.approx(4 / (4 + 1.959964**2), abs=1e-6)
    assert share([(0, 0)]) is None
    assert share([]) is None


def test_agreement_counts_twos_of_people():
    # Three people, two of them alike: 1 of 3 twos. Two alike: 1 of 1. One alone: none.
    found = agreement([["first", "first", "tie"], ["second", "second"], ["tie"]])
    assert (found.hits, found.total) == (2, 4)
    assert agreement([["tie"]]) is None


def test_histogram_has_round_steps_and_holds_everything():
    found = histogram([0.4, 1.2, 1.3, 3.9])
    assert (found.step, found.counts, found.median) == (0.5, (1, 0, 2, 0, 0, 0, 0, 1), 1.25)
    assert not found.overflows
    assert histogram([]) is None
    assert histogram([0, 0]).counts == (2,)


def test_histogram_gathers_stragglers_in_its_last_bar():
    found = histogram([*range(100), 5000])
    assert found.overflows and found.largest == 5000
    assert sum(found.counts) == 101
    assert found.step * len(found.counts) <= 105


def test_histogram_reaches_a_mark_beyond_its_values():
    assert histogram([1.0, 2.0], reach=9).step * len(histogram([1.0, 2.0], reach=9).counts) >= 9


def test_bins_of_time_are_round_and_few():
    bins = bins_of_time({"came": after(3, 4, 61), "left": after(50)}, ("came", "left"))
    assert bins.width == datetime.timedelta(minutes=5)
    assert bins.start == NOON
    assert bins.length == 13
    assert [i for i, count in enumerate(bins.counts["came"]) if count] == [0, 12]
    assert bins.counts["came"][0] == 2 and bins.counts["left"][10] == 1
    assert bins_of_time({}, ("came",)) is None


def test_bins_of_a_long_study_stay_few():
    bins = bins_of_time({"came": after(0, 60 * 24 * 200)}, ("came",))
    assert bins.length <= 32 and sum(bins.counts["came"]) == 2


def test_pace_is_that_of_the_last_hour_when_it_holds_enough():
    now = NOON + datetime.timedelta(hours=2)
    busy = after(0, *[90] * 20)
    assert votes_per_hour(busy, now) == 20


def test_pace_of_a_slow_study_is_taken_over_longer():
    now = NOON + datetime.timedelta(hours=24)
    assert votes_per_hour(after(0, *range(600, 630)), now) == pytest.approx(31 / 24)
    assert votes_per_hour(after(*range(19)), now) is None
    assert votes_per_hour([], now) is None


def test_pace_of_a_young_study_is_taken_over_its_age():
    assert votes_per_hour(after(*[0] * 20), NOON + datetime.timedelta(minutes=15)) == 80


def test_people_needed():
    assert people_needed([0, 0], 10) == 0
    assert people_needed([5] * 20, 10) == 10
    # Nobody gives two votes on one pair.
    assert people_needed([4, 0, 0], 10) == 4


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("playback: 3 stalls on the left", "playback: … stalls on one side"),
        ("playback: 12 stalls on the right", "playback: … stalls on one side"),
        ("session not finished (active)", "session not finished"),
        ("participant chose the left side in 17 of 18 preferences", "participant chose one side in … of … preferences"),
        ("playback: watched 1.2 s of 5.0 s", "playback: watched … s of … s"),
    ],
)
def test_reasons_of_one_kind_are_told_by_what_they_share(reason, kind):
    assert kind_of_reason(reason) == kind
