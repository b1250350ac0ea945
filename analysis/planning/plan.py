"""How many people, votes and clips a study needs, by formula; what it costs, and what its ranking will know."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from analysis.errors import InvalidOption, PlanOutOfReach
from analysis.planning.plan_design import DESIGN_VOTES, LOGITS_PER_JOD, Design, Precision, SessionCosts
from analysis.planning.plan_options import check_plan

__all__ = ["Goal", "StudyPlan", "alternatives", "plan_study"]

_MOST_PARTICIPANTS, _MOST_CLIPS = 1_000_000, 100_000
# With fewer the spread between clips is hardly known; spec: a bootstrap over five clips covers 85 % instead of 95.
_FEWEST_CLIPS = 10


@dataclass(frozen=True)
class Goal:
    """What the study is to reach, in logits; each None where it was not asked.

    half_width: of the interval of a difference. difference: to be found with probability `power`, with Holm's
    correction over all pairs or without. new_clips: whether it is about clips in general or about these.
    """

    half_width: float | None
    difference: float | None
    power: float
    holm: bool
    new_clips: bool

    @property
    def asked(self) -> bool:
        """Whether anything is."""
        return self.half_width is not None or self.difference is not None

    def reached_by(self, design: Design, *, slack: float = 1.0) -> bool:
        """Whether the design reaches it with all its standard errors `slack` times as large."""
        wide = self.half_width is not None and design.half_width(new_clips=self.new_clips) * slack > self.half_width
        weak = (
            self.difference is not None
            and design.power(self.difference / slack, new_clips=self.new_clips, holm=self.holm) < self.power
        )
        return not (wide or weak)

    def __str__(self) -> str:
        parts = []
        if self.half_width is not None:
            parts.append(f"± {self.half_width:.3g} logits")
        if self.difference is not None:
            corrected = " with Holm's correction" if self.holm else ""
            parts.append(f"finding {self.difference:.3g} logits with power {self.power:g}{corrected}")
        return " and ".join(parts)


@dataclass(frozen=True)
class StudyPlan:
    """A design with what follows from it.

    votes: that count. votes_per_pair: of two conditions, over all clips. design_effect: with this many votes each.
    these_clips: what will be known about the conditions on the clips shown; new_clips: on clips like them; None where
    one clip or one person tells nothing about others. minutes_each: of a session. hours: of all. cost: of all with the
    fee, None where no pay was given. reached: whether the goal is, None where none was set.
    """

    design: Design
    goal: Goal
    votes: int
    votes_per_pair: float
    votes_per_pair_and_clip: float
    design_effect: float
    these_clips: Precision | None
    new_clips: Precision | None
    minutes_each: float
    hours: float
    cost: float | None
    reached: bool | None


def plan_study(
    *,
    conditions: int,
    clips: int | None = None,
    participants: int | None = None,
    votes_each: int | None = None,
    half_width: float | None = None,
    difference: float | None = None,
    power: float = 0.8,
    unit: str = "logit",
    holm: bool = True,
    new_clips: bool = True,
    clip_effect: float = 0.5,
    spread: float = 0.8,
    design_effect: float = 1.7,
    lost: float = 0.1,
    level: float = 0.95,
    costs: SessionCosts | None = None,
) -> StudyPlan:
    """The study that reaches what is wanted, or what a study of this size reaches.

    conditions: that are ranked, the reference among them. Of clips, participants and votes_each (a participant's votes
    for the ranking; verification and practice are in `costs`) those that are None are found: the fewest participants;
    with participants given the fewest clips, or votes each; with neither given, as many clips as leave half of the
    allowed variance to the votes. votes_each is 12, or all pairs where there are fewer, unless it is looked for.
    half_width: wanted of the interval of a difference; difference: to be found with probability `power` by a two-sided
    test, with Holm's correction over all pairs or without; both in `unit`, "logit" or "jod" (ln 3 logits).
    new_clips: whether the wanted figures are about clips in general, or only about those shown.
    clip_effect: standard deviation, in logits, of what a clip adds to a condition's score. spread: that of the scores;
    the further conditions are apart, the less a vote says about the distance. design_effect: by how much the variance
    of 12 votes of one person exceeds that of 12 people's, 1.4 to 2.3 in published studies; it grows with the votes.
    lost: share of the participants whose votes will not count.
    Variance of a difference: see analysis/planning/precision.py. Intervals and tests use the t quantiles of
    `fit_bradley_terry`: P - 1 degrees of freedom for these clips, min(P, C) - 1 for new ones.
    Raises InvalidOption, PlanOutOfReach.
    """
    check_plan(locals())
    scale = LOGITS_PER_JOD if unit == "jod" else 1.0
    goal = Goal(
        half_width=None if half_width is None else half_width * scale,
        difference=None if difference is None else difference * scale,
        power=power,
        holm=holm,
        new_clips=new_clips,
    )
    given = Design(
        conditions=conditions,
        clips=clips or 0,
        participants=participants or 0,
        votes_each=votes_each or 0,
        clip_effect=clip_effect,
        spread=spread,
        design_effect=design_effect,
        lost=lost,
        level=level,
        costs=costs or SessionCosts(),
    )
    return _described(_solved(given, goal), goal)


def alternatives(plan: StudyPlan) -> tuple[tuple[str, StudyPlan], ...]:
    """The same study with other numbers of people or clips, named; those that change nothing are left out."""
    found = [("as planned", plan)]
    for name, people, more in (
        ("half the people", 0.5, 1),
        ("1.5 times the people", 1.5, 1),
        ("twice the people", 2, 1),
        ("1.5 times the clips", 1, 1.5),
        ("twice the clips", 1, 2),
        ("twice the people and clips", 2, 2),
    ):
        design = plan.design
        other = replace(
            design, participants=math.ceil(design.participants * people), clips=math.ceil(design.clips * more)
        )
        if other != design:
            found.append((name, _described(other, plan.goal)))
    return tuple(found)


def _described(design: Design, goal: Goal) -> StudyPlan:
    asked = {"difference": goal.difference, "power": goal.power}
    minutes = design.costs.minutes(design.votes_each)
    return StudyPlan(
        design=design,
        goal=goal,
        votes=round(design.counted_participants * design.votes_each),
        votes_per_pair=design.votes_per_pair,
        votes_per_pair_and_clip=design.votes_per_pair / design.clips,
        design_effect=design.participant_effect,
        these_clips=design.precision(new_clips=False, **asked),
        new_clips=design.precision(new_clips=True, **asked),
        minutes_each=minutes,
        hours=design.participants * minutes / 60,
        cost=design.costs.total(design.participants, design.votes_each),
        reached=goal.reached_by(design) if goal.asked else None,
    )


def _solved(given: Design, goal: Goal) -> Design:
    looked_for_votes = goal.asked and given.participants and given.clips and not given.votes_each
    if not looked_for_votes and not given.votes_each:
        given = replace(given, votes_each=min(DESIGN_VOTES, given.pairs * given.clips or DESIGN_VOTES))
    if not goal.asked and not (given.clips and given.participants):
        raise InvalidOption(
            "give the number of clips and of participants, or what is wanted: half_width, or difference to detect"
        )
    if not given.clips and not goal.new_clips:
        raise InvalidOption("give the number of clips: a plan about these clips alone cannot choose them")
    if not given.clips:
        given = _with_clips(given, goal)
    seen = given.pairs * given.clips
    if given.votes_each > seen:
        raise InvalidOption(
            f"votes_each is {given.votes_each}, but {given.conditions} conditions on {given.clips} clips have {seen} "
            "pairs and nobody sees one twice; lower it, or take more clips"
        )
    if looked_for_votes:
        return _with_votes(given, goal, seen)
    return given if given.participants else _with_participants(given, goal)


def _with_participants(given: Design, goal: Goal) -> Design:
    number = _fewest(lambda n: goal.reached_by(replace(given, participants=n)), _MOST_PARTICIPANTS)
    if number is None:
        endless = replace(given, participants=_MOST_PARTICIPANTS)
        best = f"± {endless.half_width(new_clips=goal.new_clips):.2f} logits"
        enough = _with_clips(replace(given, clips=0, participants=0), goal)
        people = _with_participants(enough, goal).participants
        raise PlanOutOfReach(
            f"{goal} is out of reach with {given.clips} clips: however many people vote, the clips alone leave {best}. "
            f"{enough.clips} clips and {people} participants would do; or ask less, or about these clips alone"
        )
    return replace(given, participants=number)


def _with_clips(given: Design, goal: Goal) -> Design:
    # On fewer clips a person's votes would be about some pairs twice.
    shown = math.ceil(given.votes_each / given.pairs)
    if given.participants:
        number = _fewest(lambda n: goal.reached_by(replace(given, clips=n)), _MOST_CLIPS)
        if number is None:
            people = _with_participants(_with_clips(replace(given, participants=0), goal), goal)
            raise PlanOutOfReach(
                f"{goal} is out of reach with {given.participants} participants of {given.votes_each} votes, on any "
                f"number of clips; {people.participants} participants and {people.clips} clips would do, or ask less"
            )
        return replace(given, clips=max(number, shown))
    endless = replace(given, participants=_MOST_PARTICIPANTS)
    number = _fewest(lambda n: goal.reached_by(replace(endless, clips=n), slack=math.sqrt(2)), _MOST_CLIPS)
    if number is None:
        raise PlanOutOfReach(
            f"{goal} is out of reach even with {_MOST_PARTICIPANTS:,} participants and {_MOST_CLIPS:,} clips; ask less"
        )
    return replace(given, clips=max(number, shown, _FEWEST_CLIPS))


def _with_votes(given: Design, goal: Goal, seen: int) -> Design:
    number = _fewest(lambda n: goal.reached_by(replace(given, votes_each=n)), seen)
    if number is None:
        enough = _with_participants(replace(given, votes_each=DESIGN_VOTES), goal)
        raise PlanOutOfReach(
            f"{goal} is out of reach with {given.participants} participants on {given.clips} clips, even if everybody "
            f"judged all {seen} pairs; {enough.participants} participants of {DESIGN_VOTES} votes would do"
        )
    return replace(given, votes_each=number)


def _fewest(enough: Callable[[int], bool], most: int) -> int | None:
    """The least whole number from 1 to `most` that is enough, where any larger one is too; None where none is."""
    low, high = 0, 1
    while not enough(high):
        if high == most:
            return None
        low, high = high, min(2 * high, most)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
