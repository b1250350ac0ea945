"""Everything that a report computes, each part on its own: one that cannot be computed says why and stops no other."""

from dataclasses import dataclass, field

import pandas as pd

from analysis.errors import AnalysisError
from analysis.objective.measure_agreement import ObjectiveAgreement, objective_agreement
from analysis.objective.objective_table import check_objective
from analysis.participants.agreement import Agreement, participant_agreement
from analysis.participants.rule_rankings import RuleRanking, rank_under_rules
from analysis.ranking.bootstrap import Bootstrap, bootstrap_ranking
from analysis.ranking.content import ContentEffects, content_effects
from analysis.ranking.counts import CodedVotes
from analysis.ranking.fit import fit_bradley_terry
from analysis.ranking.flips import Flip, votes_to_flip
from analysis.ranking.goodness import GoodnessOfFit, goodness_of_fit
from analysis.ranking.groups import GroupRankings, rank_by
from analysis.ranking.ranks import rank_intervals
from analysis.ranking.result import BradleyTerryResult
from analysis.ranking.separation import votes_to_separate
from analysis.report.alternatives import (
    CrossCheck,
    PositionFit,
    TieModels,
    compare_tie_models,
    cross_check,
    interval_table,
    position_fit,
)
from analysis.report.main_ranking import MainRanking, rank_votes
from analysis.report.study_votes import StudyVotes, gather_votes
from analysis.report.width_curve import WidthCurve, width_against_votes

__all__ = ["REFERENCE", "Missing", "ReportOptions", "StudyAnalysis", "analyse_study"]

REFERENCE = "reference"


@dataclass(frozen=True)
class ReportOptions:
    """What a report is computed with; the fields are the options of `write_report`."""

    seed: int
    level: float
    target_metric: str | None
    ties: str
    generalise: str | None
    screening: str
    resamples: int


@dataclass(frozen=True)
class Missing:
    """Stands for a part of the report that cannot be computed; `why_not` is one sentence without its full stop."""

    why_not: str


@dataclass(frozen=True, eq=False)
class StudyAnalysis:
    """The records of a report; each is `Missing` where it cannot be computed, except the first four."""

    votes: StudyVotes
    options: ReportOptions
    main: MainRanking
    comparisons: pd.DataFrame
    intervals: pd.DataFrame = field(repr=False)
    bootstrap: Bootstrap | Missing = field(repr=False)
    ranks: pd.DataFrame | Missing = field(repr=False)
    separation: pd.DataFrame | Missing = field(repr=False)
    flip: Flip | Missing = field(repr=False)
    goodness: GoodnessOfFit | Missing = field(repr=False)
    agreement: Agreement | Missing = field(repr=False)
    position: PositionFit | Missing = field(repr=False)
    tie_models: TieModels | Missing = field(repr=False)
    rules: tuple[RuleRanking, ...] | Missing = field(repr=False)
    metrics: GroupRankings | Missing = field(repr=False)
    content: ContentEffects | Missing = field(repr=False)
    objective: dict[str, ObjectiveAgreement | Missing] | Missing = field(repr=False)
    cross_check: CrossCheck | Missing = field(repr=False)
    width: WidthCurve | Missing = field(repr=False)

    @property
    def reference(self) -> str | None:
        """The condition without an attack, where it is ranked."""
        return REFERENCE if REFERENCE in self.main.result.scores.index else None


def analyse_study(table: pd.DataFrame, options: ReportOptions, objective: pd.DataFrame | None = None) -> StudyAnalysis:
    """Compute every part of the report of a validated table.

    objective: a table of stimuli by measures, as `read_objective` gives it.
    Raises what `gather_votes` and `rank_votes` raise, for without a ranking there is nothing to report, and
    InvalidObjective where the measures are not those of the stimuli that were voted on.
    """
    votes = gather_votes(table, target_metric=options.target_metric, screening=options.screening)
    if objective is not None:
        check_objective(objective, votes.counted if votes.by_metric is None else votes.by_metric)
    main = rank_votes(votes.coded, ties=options.ties, generalise=options.generalise)
    result, level, seed, ties = main.result, options.level, options.seed, options.ties
    drawn = {"resamples": options.resamples, "seed": seed, "ties": ties}
    over_people = _attempt(bootstrap_ranking, votes.coded, over="participant", **drawn)
    over_both = _attempt(bootstrap_ranking, votes.coded, over="both", **drawn)
    weights = votes.screening.weights

    def as_above(coded: CodedVotes) -> BradleyTerryResult:
        return rank_votes(coded, ties=ties, generalise=main.generalise).result

    several = Missing("the votes are about one target metric" if votes.metrics else "the votes name no target metric")
    return StudyAnalysis(
        votes=votes,
        options=options,
        main=main,
        comparisons=result.compare(level=level),
        intervals=_intervals(votes, main, level, over_people, over_both),
        bootstrap=over_both if main.generalise == "sources" else over_people,
        ranks=_attempt(rank_intervals, result, level=level),
        separation=_attempt(votes_to_separate, result, level=level),
        flip=_attempt(votes_to_flip, votes.coded, ties=ties, leaving_out=_no_candidate(result)),
        goodness=_attempt(goodness_of_fit, votes.coded, result),
        agreement=_attempt(participant_agreement, votes.of_counted_people, seed=seed, level=level),
        position=_attempt(position_fit, votes.coded, result),
        tie_models=_attempt(compare_tie_models, votes.coded, result),
        rules=_attempt(rank_under_rules, votes.table, level=level, main=options.screening, rank=as_above),
        metrics=several
        if votes.by_metric is None
        else _attempt(rank_by, votes.by_metric, "target_metric", ties=ties, weights=weights, level=level),
        content=_attempt(content_effects, votes.coded, ties=ties, level=level),
        objective=_objective(
            votes, objective, ties=ties, weights=weights, level=level, seed=seed, resamples=options.resamples
        ),
        cross_check=_attempt(cross_check, votes.coded),
        width=_attempt(width_against_votes, votes.counted, level=level, ties=ties, seed=seed),
    )


def _attempt(compute, *arguments, **options):
    try:
        return compute(*arguments, **options)
    except AnalysisError as error:
        return Missing(str(error).rstrip("."))


def _no_candidate(result: BradleyTerryResult) -> str | None:
    """The reference, as the question is which attack is first; with one attack it is the rival."""
    return REFERENCE if REFERENCE in result.conditions and len(result.conditions) > 2 else None


def _objective(
    votes: StudyVotes, objective: pd.DataFrame | None, **options
) -> dict[str, ObjectiveAgreement | Missing] | Missing:
    """By target metric, as an attack's picture depends on it; under "" where the votes name none."""
    if objective is None:
        return Missing("no manifest with objective measures was given (--manifest)")
    if votes.by_metric is None:
        metric = votes.metrics[0] if votes.metrics else ""
        return {metric: _attempt(objective_agreement, votes.counted, objective, **options)}
    return {
        metric: _attempt(
            objective_agreement,
            votes.by_metric[(votes.by_metric["target_metric"] == metric).to_numpy()],
            objective[(objective["target_metric"] == metric).to_numpy()],
            **options,
        )
        for metric in votes.metrics
    }


def _intervals(votes: StudyVotes, main: MainRanking, level: float, *bootstraps: Bootstrap | Missing) -> pd.DataFrame:
    """The report's own, naive, participant, two-way and bootstrap intervals of the scores beside each other."""
    naive = fit_bradley_terry(votes.coded, ties=main.result.ties, cluster=None)
    rows = {
        "report": main.result.interval(level),
        "independent_votes": naive.interval(level),
        "participants": main.by_participant.interval(level),
        "two_way": None if main.two_way is None else main.two_way.interval(level),
    }
    for drawn in bootstraps:
        if not isinstance(drawn, Missing):
            rows[f"bootstrap_{'participants' if drawn.over == 'participant' else 'both'}"] = drawn.interval(level)
    return interval_table(rows, main.result.to_frame().index)
