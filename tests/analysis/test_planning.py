"""Plans by formula, against the tables that the formula was checked with by simulation."""

import math

import pytest
from scipy.stats import nct
from scipy.stats import t as student_t

from analysis import SessionCosts, plan_study
from analysis.errors import InvalidOption, PlanOutOfReach
from analysis.planning.plan import alternatives
from analysis.planning.plan_design import Design, evenness

# Votes for a 95 % half-width of 0.1, 0.2, 0.3, 0.5 JOD between conditions whose scores have standard deviation 0.8.
VOTES = {5: (6435, 1608, 715, 257), 10: (14468, 3617, 1607, 578), 20: (30452, 7613, 3383, 1218)}
# Independent votes of people who are alike, none of them lost, about these clips.
IDEAL = {"design_effect": 1.0, "lost": 0.0, "new_clips": False}


@pytest.mark.parametrize("conditions", VOTES)
def test_the_published_votes_give_the_published_widths(conditions):
    for votes, width in zip(VOTES[conditions], (0.1, 0.2, 0.3, 0.5), strict=True):
        design = Design(conditions, clips=4, participants=votes, votes_each=1, design_effect=1.0, lost=0.0)
        error = design.standard_error(new_clips=False)
        assert 1.959964 * error / math.log(3) == pytest.approx(width, rel=0.003)


@pytest.mark.parametrize(("conditions", "votes"), [(5, 2735), (10, 6149)])
def test_the_published_number_of_people(conditions, votes):
    """0.2 JOD with a design effect of 1.7 at 12 votes each: 228 and 512 people, by normal quantiles."""
    plan = plan_study(conditions=conditions, clips=20, half_width=0.2, unit="jod", new_clips=False, lost=0)
    assert plan.design_effect == 1.7 and plan.design.votes_each == 12
    assert plan.votes == pytest.approx(votes, rel=0.02)


def test_the_study_of_685_people():
    plan = plan_study(conditions=10, clips=27, participants=685, lost=0)
    assert plan.these_clips.half_width / math.log(3) == pytest.approx(0.17, abs=0.005)
    full = plan_study(conditions=10, clips=27, participants=685, votes_each=18, lost=0)
    assert full.votes == 12330 and full.votes_per_pair_and_clip == pytest.approx(10, abs=0.2)
    costs = SessionCosts(pay_per_hour=12, extra_minutes=3.2, clip_seconds=6, answer_seconds=6, extra_pairs=11)
    nine_minutes = plan_study(conditions=10, clips=27, participants=685, votes_each=18, costs=costs)
    assert nine_minutes.minutes_each == pytest.approx(9)
    assert nine_minutes.cost == pytest.approx(1233)


def test_the_table_of_votes_per_pair():
    """Close conditions: half-width by N votes per pair over all clips, and with a clip effect of 0.5."""
    for votes, width in ((10, 0.55), (30, 0.32), (100, 0.18), (400, 0.09)):
        plan = plan_study(conditions=10, clips=9, participants=votes * 45, votes_each=1, spread=0, **IDEAL)
        assert plan.votes_per_pair == votes and plan.votes_per_pair_and_clip == pytest.approx(votes / 9)
        assert plan.these_clips.half_width == pytest.approx(width, abs=0.006)
    more_clips = plan_study(conditions=10, clips=40, participants=9000, votes_each=1, spread=0, **IDEAL)
    assert 1.959964 * more_clips.new_clips.standard_error == pytest.approx(1.959964 * math.sqrt(0.66 / 40))


def test_evenness_is_one_for_equal_conditions_and_falls():
    assert evenness(0) == pytest.approx(1)
    assert evenness(0.8) == pytest.approx(0.79, abs=0.005)
    assert evenness(3) < evenness(2) < evenness(1) < 1


def test_what_is_found_is_the_least_that_reaches_the_goal():
    wanted = {"conditions": 8, "half_width": 0.35}
    people = plan_study(clips=60, **wanted).design
    clips = plan_study(participants=people.participants, **wanted).design
    votes = plan_study(clips=60, participants=people.participants, **wanted).design
    for found, name in ((people, "participants"), (clips, "clips"), (votes, "votes_each")):
        size = {part: getattr(found, part) for part in ("participants", "clips", "votes_each")}
        assert plan_study(**wanted, **size).reached
        assert not plan_study(**wanted, **{**size, name: size[name] - 1}).reached
    free = plan_study(**wanted)
    assert free.reached and free.design.clips >= 10 and free.design.votes_each == 12
    ends = free.these_clips.standard_error**2, free.new_clips.standard_error**2
    assert ends[1] == pytest.approx(2 * ends[0], rel=0.1)


@pytest.mark.parametrize("clips", [2, 4, 25])
def test_power_is_that_of_the_noncentral_t(clips):
    size = {"conditions": 6, "clips": clips, "participants": 300, "votes_each": 12, "power": 0.9}
    plan = plan_study(**size, difference=0.4)
    for known in (plan.these_clips, plan.new_clips):
        for found, alpha in ((known.power, 0.05), (known.power_holm, 0.05 / 15)):
            critical = student_t.isf(alpha / 2, known.degrees_of_freedom)
            shift = 0.4 / known.standard_error
            exact = nct.sf(critical, known.degrees_of_freedom, shift) + nct.cdf(
                -critical, known.degrees_of_freedom, shift
            )
            assert found == pytest.approx(exact, abs=1e-5)
        assert known.detectable < known.detectable_holm
        again = plan_study(**size, difference=known.detectable)
        same = again.these_clips if known is plan.these_clips else again.new_clips
        assert same.power == pytest.approx(0.9, abs=1e-6)


def test_a_difference_is_planned_with_holm_or_without():
    wanted = {"conditions": 10, "clips": 120, "difference": 0.4}
    strict, plain = plan_study(**wanted), plan_study(**wanted, holm=False)
    assert strict.design.participants > 1.5 * plain.design.participants
    assert strict.new_clips.power_holm >= 0.8 > plain.new_clips.power_holm
    assert plain.new_clips.power >= 0.8


def test_jod_are_logits_over_ln_3():
    jod = plan_study(conditions=10, clips=60, half_width=0.3, unit="jod")
    logit = plan_study(conditions=10, clips=60, half_width=0.3 * math.log(3))
    assert jod == logit


def test_votes_of_one_person_are_worth_less_the_more_there_are():
    sizes = [plan_study(conditions=10, clips=20, participants=3600 // n, votes_each=n) for n in (1, 12, 36)]
    assert [plan.design_effect for plan in sizes] == pytest.approx([1, 1.7, 1 + 0.7 * 35 / 11])
    errors = [plan.these_clips.standard_error for plan in sizes]
    assert errors[0] < errors[1] < errors[2]
    assert errors[1] ** 2 / errors[0] ** 2 == pytest.approx(1.7)


def test_one_clip_says_nothing_of_others():
    plan = plan_study(conditions=4, clips=1, participants=50, votes_each=6)
    assert plan.new_clips is None and plan.these_clips is not None
    assert plan_study(conditions=4, clips=3, participants=1, votes_each=6).these_clips is None


def test_nobody_is_planned_to_see_a_pair_twice():
    assert plan_study(conditions=2, clips=5, participants=40).design.votes_each == 5
    for size in ({}, {"participants": 2000}):
        design = plan_study(conditions=2, half_width=0.5, **size).design
        assert design.votes_each == 12 <= design.clips * design.pairs


def test_out_of_reach_says_what_would_do():
    wanted = {"conditions": 10, "half_width": 0.3}
    with pytest.raises(PlanOutOfReach, match=r"out of reach with 20 clips.* leave ± 0.33 logits") as few_clips:
        plan_study(clips=20, **wanted)
    with pytest.raises(PlanOutOfReach, match="100 participants of 12 votes, on any number of clips") as few_people:
        plan_study(participants=100, **wanted)
    for refused, pattern in ((few_clips, "clips and"), (few_people, "participants and")):
        words = str(refused.value).split("would do")[0].replace(";", " ").split()
        numbers = [int(word) for word in words if word.isdigit()][-2:]
        clips, participants = numbers if pattern == "clips and" else numbers[::-1]
        assert plan_study(clips=clips, participants=participants, votes_each=12, **wanted).reached
    with pytest.raises(PlanOutOfReach, match="even if everybody judged all 900 pairs; 223 participants of 12 votes"):
        plan_study(conditions=10, half_width=0.5, clips=20, participants=100)


def test_other_numbers_are_shown_beside_the_plan():
    plan = plan_study(conditions=5, clips=12, participants=100, costs=SessionCosts(pay=2, fee=0.25))
    named = dict(alternatives(plan))
    assert named["as planned"] == plan and plan.cost == 250
    assert named["twice the people"].cost == 500
    assert named["twice the people"].these_clips.half_width < plan.these_clips.half_width
    assert named["twice the clips"].new_clips.half_width < plan.new_clips.half_width
    assert named["twice the clips"].cost == plan.cost


def test_what_cannot_be_planned_is_one_sentence():
    size = {"conditions": 5, "clips": 10, "participants": 50}
    for change, words in (
        ({"conditions": 1}, "needs a whole number of at least 2"),
        ({"conditions": math.nan}, "conditions is nan"),
        ({"participants": 10.5}, "participants is 10.5"),
        ({"clips": 0}, "clips is 0; expected a whole number"),
        ({"participants": -3}, "participants is -3"),
        ({"votes_each": 0}, "votes_each is 0"),
        ({"votes_each": 101}, "have 100 pairs and nobody sees one twice"),
        ({"half_width": 0}, "half_width is 0; expected a finite number above 0"),
        ({"difference": math.nan}, "difference is nan"),
        ({"power": 0.3}, "power is 0.3; expected a probability from 0.5"),
        ({"unit": "points"}, "unit is 'points'; expected 'logit' or 'jod'"),
        ({"clip_effect": -1}, "clip_effect is -1"),
        ({"design_effect": 0.5}, "design_effect is 0.5"),
        ({"lost": 1}, "lost is 1; expected a share"),
        ({"level": 95}, "level is 95"),
        ({"clips": None}, "give the number of clips and of participants, or what is wanted"),
        ({"clips": None, "half_width": 0.3, "new_clips": False}, "cannot choose them"),
        ({"costs": SessionCosts(pay=1, pay_per_hour=9)}, "expected one of them"),
        ({"costs": SessionCosts(plays=3)}, "plays is 3"),
        ({"costs": SessionCosts(fee=-0.1)}, "fee is -0.1"),
    ):
        with pytest.raises(InvalidOption, match=words.replace("(", r"\(")):
            plan_study(**{**size, **change})
