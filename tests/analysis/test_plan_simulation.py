"""A planned study held with model people: the same answers as by formula where the formula's assumptions hold."""

import numpy as np
import pytest

from analysis import plan_study, simulate_plan
from analysis.errors import InvalidOption, PlanOutOfReach
from analysis.planning.plan_design import taste_design_effect


@pytest.fixture(scope="module")
def small():
    """A small plan, held three times, and the calls of its progress."""
    plan = plan_study(conditions=3, clips=4, participants=30, votes_each=8, difference=0.5, lost=0, spread=0.4)
    calls = []
    return plan, simulate_plan(plan, seed=3, studies=3, progress=calls.append), calls


def test_the_same_seed_gives_the_same_result(small):
    plan, found, calls = small
    again = simulate_plan(plan, seed=3, studies=3)
    assert again.pairs.equals(found.pairs) and again.half_width == found.half_width and again.power == found.power
    assert simulate_plan(plan, seed=4, studies=3).half_width != found.half_width
    assert calls == [1, 1, 1] and found.studies == found.fitted == 3


def test_every_pair_has_its_power_and_its_error(small):
    _, found, _ = small
    table = found.pairs
    assert list(table["first"] + table["second"]) == ["C01C02", "C01C03", "C02C03"]
    assert (table["difference"] > 0).all() and (table["power_holm"] <= table["power"]).all()
    assert (table["power"] <= table["right_order"]).all()
    assert table["power_error"].tolist() == pytest.approx(np.sqrt(table["power"] * (1 - table["power"]) / 3).tolist())
    middle = table.iloc[2]
    assert (found.power.value, found.difference) == (middle["power"], middle["difference"])
    assert found.difference == pytest.approx(0.5, abs=0.02)


def test_what_cannot_be_simulated_is_one_sentence():
    plan = plan_study(conditions=3, clips=4, participants=30)
    one_clip = plan_study(conditions=5, clips=1, participants=30, votes_each=4)
    for given, options, words in (
        (plan, {"studies": 1}, "studies is 1; expected at least 2"),
        (plan, {"seed": -1}, "seed is -1"),
        (plan, {"taste": -0.1}, "taste is -0.1"),
        (plan, {"tie_strength": float("nan")}, "tie_strength is nan"),
        (plan, {"scores": {"a": 0, "b": 1}}, "2 scores for the plan's 3 conditions"),
        (one_clip, {}, "plan more of them"),
        (plan, {"spammers": 2}, "expected a share from 0 to 1"),
        (plan, {"screening": "lapses"}, "did you mean 'lapse'"),
        (plan, {"studies": 10**7}, "are too many to simulate"),
        (plan_study(conditions=10, clips=9, participants=10**9), {}, "votes on 45 pairs are too many to simulate"),
    ):
        with pytest.raises(InvalidOption, match=words):
            simulate_plan(given, **{"seed": 0, "studies": 2, **options})


def test_too_few_votes_for_any_ranking():
    hopeless = plan_study(conditions=12, clips=3, participants=3, votes_each=2)
    with pytest.raises(PlanOutOfReach, match="none of 2 simulated studies gave a ranking"):
        simulate_plan(hopeless, seed=0, studies=2)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("design", "taste"),
    [
        ({"clips": 24, "clip_effect": 0.25}, 0.3),
        ({"clips": 12, "clip_effect": 0.0, "new_clips": False}, 0.3),
        ({"clips": 12, "clip_effect": 0.0, "new_clips": False, "votes_each": 40}, 0.4),
    ],
)
def test_simulation_agrees_with_the_formula(design, taste):
    """Small effects, so that the logistic curve is nearly straight; the formula is of first order in them."""
    size = {"conditions": 6, "participants": 90, "lost": 0, "spread": 0.5, "difference": 0.35, **design}
    plan = plan_study(**{"votes_each": 12, **size})
    effect = taste_design_effect(taste, conditions=6, votes_each=12, spread=0.5)
    plan = plan_study(**{"votes_each": 12, **size, "design_effect": effect})
    known = plan.new_clips if plan.goal.new_clips else plan.these_clips
    found = simulate_plan(plan, seed=11, studies=80, taste=taste)
    assert found.predicted == pytest.approx(known.half_width)
    assert found.half_width.value == pytest.approx(known.half_width, rel=0.05)
    assert abs(found.power.value - known.power) < 0.03 + 3 * found.power.error
    assert found.power_holm.value > known.power_holm - 0.03 - 3 * found.power_holm.error
    assert 0.93 - 3 * found.coverage.error < found.coverage.value < 0.97 + 3 * found.coverage.error


@pytest.mark.slow
def test_spammers_cost_power_and_coverage_and_screening_wins_them_back():
    plan = plan_study(conditions=6, clips=20, participants=100, votes_each=12, difference=0.3, new_clips=False)
    clean, spammed, screened = (
        simulate_plan(plan, seed=2, studies=40, **options)
        for options in ({}, {"spammers": 0.3}, {"spammers": 0.3, "screening": "lapse"})
    )
    assert spammed.power.value < clean.power.value - 0.1
    assert spammed.coverage.value < clean.coverage.value - 0.1
    assert screened.coverage.value > 0.93 - 3 * screened.coverage.error
    assert screened.right_orders.value > spammed.right_orders.value
