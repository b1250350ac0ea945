"""A plan in words and tables for a terminal."""

import math
from collections.abc import Callable

from scipy.special import expit

from analysis.planning.plan import StudyPlan
from analysis.planning.plan_design import LOGITS_PER_JOD, Precision
from analysis.planning.plan_simulation import Measured, PlanSimulation
from analysis.tables import Table, text_table

__all__ = ["alternatives_table", "plan_sentences", "precision_table", "simulation_sentences"]


def plan_sentences(plan: StudyPlan) -> list[str]:
    """What is planned, what it takes, and whether that reaches what is wanted."""
    design = plan.design
    said = [
        f"{design.conditions} conditions on {_counted(design.clips, 'clip')}, "
        f"{_counted(design.participants, 'participant')} of {_counted(design.votes_each, 'vote')}: "
        f"{plan.votes} votes count ({design.lost:.0%} of the people lost), "
        f"{plan.votes_per_pair:.0f} per pair of conditions, {plan.votes_per_pair_and_clip:.1f} of them on each clip.",
        f"A session takes {plan.minutes_each:.0f} minutes, all of them {plan.hours:.0f} hours"
        + ("." if plan.cost is None else f" and {plan.cost:,.0f} {design.costs.currency}, fee included."),
    ]
    said.append(
        f"Assumed: design effect {plan.design_effect:.2f}, clips differ by {design.clip_effect:g} logits, conditions "
        f"by {design.spread:g}."
    )
    if plan.reached is not None:
        about = "clips in general" if plan.goal.new_clips else "these clips"
        said.append(f"Wanted, about {about}: {plan.goal}. {'Reached.' if plan.reached else 'NOT reached.'}")
    return said


def precision_table(plan: StudyPlan) -> str:
    """Rows of what will be known of a difference, on these clips and on others."""
    known = (plan.these_clips, plan.new_clips)
    tests = f"{plan.design.pairs} pairs" if plan.design.pairs > 1 else "1 pair"
    rows = [
        ("half-width of its interval, logits", *(_cell(item, lambda p: f"± {p.half_width:.2f}") for item in known)),
        ("the same in JOD", *(_cell(item, lambda p: f"± {p.half_width / LOGITS_PER_JOD:.2f}") for item in known)),
        ("the same in points near 50 %", *(_cell(item, lambda p: f"± {_points(p.half_width):.1f}") for item in known)),
        (
            f"found with power {plan.goal.power:g}, logits",
            *(_cell(item, lambda p: f"{p.detectable:.2f}") for item in known),
        ),
        (f"the same after Holm for {tests}", *(_cell(item, lambda p: f"{p.detectable_holm:.2f}") for item in known)),
    ]
    if plan.goal.difference is not None:
        apart = f"power for {plan.goal.difference:.2f} logits"
        rows.append((apart, *(_cell(item, lambda p: f"{p.power:.2f}") for item in known)))
        rows.append((f"{apart}, Holm", *(_cell(item, lambda p: f"{p.power_holm:.2f}") for item in known)))
    columns = ("a difference of two conditions", "these clips", "clips in general")
    return text_table(Table(columns, tuple(rows), caption="", label=""))


def alternatives_table(others: tuple[tuple[str, StudyPlan], ...]) -> str:
    """A row for each named plan, as `alternatives` gives them."""
    paid = others[0][1].cost is not None
    goal = others[0][1].goal
    apart = goal.difference is not None
    rows = []
    for name, plan in others:
        known = (plan.these_clips, plan.new_clips)
        asked = plan.new_clips if goal.new_clips else plan.these_clips
        rows.append(
            (
                name,
                str(plan.design.participants),
                str(plan.design.clips),
                str(plan.votes),
                *((f"{plan.cost:,.0f}",) if paid else ()),
                *(_cell(item, lambda p: f"± {p.half_width:.2f}") for item in known),
                *((_cell(asked, lambda p: f"{p.power_holm if goal.holm else p.power:.2f}"),) if apart else ()),
            )
        )
    columns = (
        "",
        "people",
        "clips",
        "votes",
        *((others[0][1].design.costs.currency,) if paid else ()),
        "these clips",
        "in general",
        *(("power",) if apart else ()),
    )
    return text_table(Table(columns, tuple(rows), caption="", label=""))


def simulation_sentences(plan: StudyPlan, found: PlanSimulation) -> list[str]:
    """What the simulated studies found, beside the formula."""
    about = "other clips" if plan.goal.new_clips else "these clips"
    said = [
        f"{found.studies} simulated studies (seed {found.seed}; tastes {found.taste:g}, spammers {found.spammers:.0%}, "
        f"screening {found.screening}, ties {found.tie_strength:g}), conclusions about {about}; "
        "± is the error of the simulation itself:",
        f"  half-width {_plus_minus(found.half_width)} logits (formula for such people, design effect "
        f"{found.design_effect:.2f}: {found.predicted:.2f})",
        f"  {plan.design.level:.0%} intervals that hold the truth: {_plus_minus(found.coverage)}",
        f"  pairs ranked the right way round: {_plus_minus(found.right_orders)}",
        f"  two conditions {found.difference:.2f} logits apart: right order {_plus_minus(found.right_order)}, power "
        f"{_plus_minus(found.power)}, after Holm {_plus_minus(found.power_holm)}",
    ]
    if found.fitted < found.studies:
        said.append(
            f"  {found.studies - found.fitted} studies gave no ranking (a condition won or lost every time); left out"
        )
    return said


def _cell(item: Precision | None, text: Callable[[Precision], str]) -> str:
    return "unknown" if item is None else text(item)


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" + ("" if count == 1 else "s")


def _points(width: float) -> float:
    return 100 * (float(expit(width)) - 0.5)


def _plus_minus(measured: Measured) -> str:
    return f"{measured.value:.3f}" + ("" if math.isnan(measured.error) else f" ± {measured.error:.3f}")
