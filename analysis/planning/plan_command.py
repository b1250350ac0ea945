"""Planning from a command line: `python -m analysis plan` and `manage.py plan_study` share its options and its text."""

import argparse
import json
import sys
from collections.abc import Callable, Mapping

from analysis.errors import AnalysisError
from analysis.participants.screening import SCREENING_RULES
from analysis.plain import plain
from analysis.planning.plan import alternatives, plan_study
from analysis.planning.plan_design import SessionCosts
from analysis.planning.plan_options import UNITS
from analysis.planning.plan_simulation import simulate_plan
from analysis.planning.plan_text import alternatives_table, plan_sentences, precision_table, simulation_sentences

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
_SIMULATION = ("seed", "taste", "spammers", "screening", "tie_strength")


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
        "--screening",
        choices=SCREENING_RULES,
        default="as-given",
        metavar="RULE",
        help="rule applied to each study, as analyze_study has it: lapse, verification... (default as-given: none)",
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
    for line in plan_sentences(plan):
        say(line)
    say("")
    say(precision_table(plan))
    say("")
    say("With other numbers of people or clips:")
    say(alternatives_table(others))
    simulation = None
    if options["simulate"] is not None:
        simulation = simulate_plan(
            plan, studies=options["simulate"], progress=progress, **{name: options[name] for name in _SIMULATION}
        )
        say("")
        for line in simulation_sentences(plan, simulation):
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
