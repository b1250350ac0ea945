"""Planning from a command line: `python -m analysis plan` and `manage.py plan_study` share its options and its text."""

import argparse
import json
import math
import sys
from collections.abc import Callable, Mapping

from scipy.special import expit

from analysis.errors import AnalysisError
from analysis.plain import plain
from analysis.plan_design import Precision, SessionCosts
from analysis.plan_simulation import Measured, PlanSimulation, simulate_plan
from analysis.planning import UNITS, StudyPlan, alternatives, plan_study
from analysis.tables import Table, text_table

__all__ = ["add_plan_arguments", "main", "run_plan"]

_PLAN = (
    "conditions",
    "clips",
    "participants",
    "votes_each",
    "half_width",
    "difference",
    "power",
    "unit",
    "holm",
    "new_clips",
    "clip_effect",
    "spread",
    "design_effect",
    "lost",
    "level",
)
_COSTS = (
    "clip_seconds",
    "answer_seconds",
    "plays",
    "extra_pairs",
    "extra_minutes",
    "pay",
    "pay_per_hour",
    "fee",
    "currency",
)
_SIMULATION = ("seed", "taste", "spammers", "tie_strength")
_JOD = math.log(3)


def _share(text: str) -> float:
    try:
        return float(text[:-1]) / 100 if text.endswith("%") else float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a share like 0.1 or 10%, got {text!r}") from None


def add_plan_arguments(parser: argparse.ArgumentParser) -> None:
    """All options of the two commands but `--json`."""
    size = parser.add_argument_group("the study (what is left out is found, where a goal is given)")
    size.add_argument("--conditions", type=int, required=True, metavar="N", help="that are ranked, reference included")
    size.add_argument("--clips", type=int, metavar="N", help="source clips")
    size.add_argument("--participants", type=int, metavar="N", help="people who are paid")
    size.add_argument("--votes-each", type=int, metavar="N", help="test pairs that a person judges (default 12)")
    goal = parser.add_argument_group("what it is to reach")
    goal.add_argument(
        "--half-width", type=float, metavar="W", help="of the interval of a difference between two attacks"
    )
    goal.add_argument("--difference", type=float, metavar="D", help="to be found with --power")
    goal.add_argument("--power", type=float, default=0.8, metavar="P", help="(default 0.8)")
    goal.add_argument(
        "--unit", choices=UNITS, default="logit", help="of the two (default logit; 1 jod: 75 %% prefer it)"
    )
    goal.add_argument("--no-holm", dest="holm", action="store_false", help="power for one pair named beforehand")
    goal.add_argument(
        "--these-clips", dest="new_clips", action="store_false", help="conclusions about these clips alone"
    )
    goal.add_argument("--level", type=float, default=0.95, help="of intervals; 1 - level of tests (default 0.95)")
    people = parser.add_argument_group("what is assumed")
    people.add_argument(
        "--clip-effect", type=float, default=0.5, metavar="S", help="how much clips differ, in logits (default 0.5)"
    )
    people.add_argument(
        "--spread", type=float, default=0.8, metavar="S", help="how much conditions differ, in logits (default 0.8)"
    )
    people.add_argument(
        "--design-effect",
        type=float,
        default=1.7,
        metavar="D",
        help="how much more the variance of a person's 12 votes is than that of 12 people's (default 1.7)",
    )
    people.add_argument(
        "--lost",
        type=_share,
        default=0.1,
        metavar="P",
        help="share of people whose votes will not count (default 10%%)",
    )
    cost = parser.add_argument_group("time and money")
    cost.add_argument("--clip-seconds", type=float, default=5.0, metavar="T", help="length of a clip (default 5)")
    cost.add_argument("--answer-seconds", type=float, default=6.0, metavar="T", help="to load and answer (default 6)")
    cost.add_argument(
        "--sequential", dest="plays", action="store_const", const=2, default=1, help="videos one after the other"
    )
    cost.add_argument(
        "--extra-pairs", type=int, default=6, metavar="N", help="practice, verification, repeats (default 6)"
    )
    cost.add_argument("--extra-minutes", type=float, default=3.0, metavar="T", help="consent to questions (default 3)")
    cost.add_argument("--pay", type=float, metavar="X", help="for a session")
    cost.add_argument("--pay-per-hour", type=float, metavar="X", help="instead of --pay")
    cost.add_argument("--fee", type=_share, default=0.0, metavar="P", help="of the recruitment service, as 33%%")
    cost.add_argument("--currency", default="USD", metavar="CODE", help="(default USD)")
    simulation = parser.add_argument_group("the same by simulation")
    simulation.add_argument("--simulate", type=int, metavar="N", help="hold the study N times with model people")
    simulation.add_argument("--seed", type=int, default=0, help="of the simulation (default 0)")
    simulation.add_argument(
        "--taste", type=float, default=0.4, metavar="S", help="how much people differ, in logits (default 0.4)"
    )
    simulation.add_argument(
        "--spammers", type=_share, default=0.0, metavar="P", help="share who answer without looking (default 0)"
    )
    simulation.add_argument(
        "--ties", dest="tie_strength", type=float, default=0.0, metavar="NU", help="Davidson's nu (default 0: no ties)"
    )


def run_plan(
    options: Mapping[str, object], *, say: Callable[[str], object], progress: Callable[[int], object] | None = None
) -> dict:
    """Plan from parsed options, tell people, return the JSON document. Raises InvalidOption, PlanOutOfReach."""
    plan = plan_study(
        **{name: options[name] for name in _PLAN}, costs=SessionCosts(**{name: options[name] for name in _COSTS})
    )
    others = alternatives(plan)
    for line in _sentences(plan):
        say(line)
    say("")
    say(_precision_table(plan))
    say("")
    say("With other numbers of people or clips:")
    say(_alternatives_table(others))
    simulation = None
    if options["simulate"] is not None:
        simulation = simulate_plan(
            plan, studies=options["simulate"], progress=progress, **{name: options[name] for name in _SIMULATION}
        )
        say("")
        for line in _simulated(plan, simulation):
            say(line)
    named = [{"name": name, **plain(other)} for name, other in others[1:]]
    return {"plan": plain(plan), "alternatives": named, "simulation": plain(simulation)}


def main(arguments: list[str]) -> int:
    """`python -m analysis plan`: 0 done, 1 could not, 2 wrong usage."""
    parser = argparse.ArgumentParser(
        prog="python -m analysis plan",
        description="How many people, votes and clips a study needs, what it costs, and what its ranking will know.",
    )
    add_plan_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON document on standard output")
    options = vars(parser.parse_args(arguments))
    try:
        document = run_plan(options, say=lambda text: print(text, file=sys.stderr if options["json"] else sys.stdout))
    except AnalysisError as error:
        print(error, file=sys.stderr)
        return 1
    if options["json"]:
        print(json.dumps(document, indent=2, allow_nan=False))
    return 0


def _sentences(plan: StudyPlan) -> list[str]:
    design = plan.design
    said = [
        f"{design.conditions} conditions on {design.clips} clips, {design.participants} participants of "
        f"{design.votes_each} votes: {plan.votes} votes count ({design.lost:.0%} of the people lost), "
        f"{plan.votes_per_pair:.0f} per pair of conditions, {plan.votes_per_pair_and_clip:.1f} of them on each clip.",
        f"A session takes {plan.minutes_each:.0f} minutes, all of them {plan.hours:.0f} hours"
        + ("." if plan.cost is None else f" and {plan.cost:,.0f} {design.costs.currency}, fee included."),
    ]
    said.append(
        f"Assumed: design effect {plan.design_effect:.2f}, clips differ by {design.clip_effect:g} logits, conditions by "
        f"{design.spread:g}."
    )
    if plan.reached is not None:
        about = "clips in general" if plan.goal.new_clips else "these clips"
        said.append(f"Wanted, about {about}: {plan.goal}. {'Reached.' if plan.reached else 'NOT reached.'}")
    return said


def _precision_table(plan: StudyPlan) -> str:
    """Rows of what will be known of a difference, on these clips and on others."""
    known = (plan.these_clips, plan.new_clips)
    tests = f"{plan.design.pairs} pairs" if plan.design.pairs > 1 else "1 pair"
    rows = [
        ("half-width of its interval, logits", *(_cell(item, lambda p: f"± {p.half_width:.2f}") for item in known)),
        ("the same in JOD", *(_cell(item, lambda p: f"± {p.half_width / _JOD:.2f}") for item in known)),
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


def _alternatives_table(others: tuple[tuple[str, StudyPlan], ...]) -> str:
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


def _simulated(plan: StudyPlan, found: PlanSimulation) -> list[str]:
    about = "other clips" if plan.goal.new_clips else "these clips"
    said = [
        f"{found.studies} simulated studies (seed {found.seed}; tastes {found.taste:g}, spammers {found.spammers:.0%}, "
        f"ties {found.tie_strength:g}), conclusions about {about}; ± is the error of the simulation itself:",
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


def _points(width: float) -> float:
    return 100 * (float(expit(width)) - 0.5)


def _plus_minus(measured: Measured) -> str:
    return f"{measured.value:.3f}" + ("" if math.isnan(measured.error) else f" ± {measured.error:.3f}")
