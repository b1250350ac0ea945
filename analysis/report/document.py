"""Everything that a report says, as one JSON document."""

import platform
from dataclasses import asdict
from importlib.metadata import version

import pandas as pd

from analysis.participants.screening import SCREENING_RULES
from analysis.plain import plain, rows
from analysis.ranking.result import BradleyTerryResult
from analysis.report.pairs_judged import pairs_judged
from analysis.report.study_analysis import Missing, StudyAnalysis
from analysis.report.study_votes import StudyVotes
from analysis.report.summary import (
    answer_sentence,
    claim_sentence,
    left_out,
    left_share,
    preference_by_source,
    simulated_people,
    verification,
)

__all__ = ["describe_analysis", "software_versions"]

# Of the layout of results.json.
_FORMAT = 1
_PACKAGES = ("numpy", "scipy", "pandas", "matplotlib")


def describe_analysis(analysis: StudyAnalysis, frame: pd.DataFrame, *, title: str, source: dict) -> dict:
    """What results.json holds: plain Python values without NaN.

    frame: the ranking, as `ranking_frame` gives it. source: what is known of the votes' origin.
    A part that could not be computed is {"why_not": sentence}.
    """
    votes, result, options = analysis.votes, analysis.main.result, analysis.options
    share, decided = left_share(votes.counted)
    return {
        "format": _FORMAT,
        "title": title,
        "answer": answer_sentence(result, reference=analysis.reference, level=options.level),
        "claim": claim_sentence(result, generalise=analysis.main.generalise),
        "votes": source,
        "options": asdict(options),
        "target_metrics": list(votes.metrics),
        "reference": analysis.reference,
        "n_participants": result.n_participants,
        "n_simulated_participants": simulated_people(votes.counted),
        "n_votes": result.n_votes,
        "n_ties": result.n_ties,
        "n_sources": result.n_sources,
        "pairs": asdict(pairs_judged(votes.coded)),
        "left_out": _left_out(analysis),
        "conditions_without_votes": list(votes.conditions_without_votes),
        "verification": _verification(votes),
        "screening": _screening(analysis),
        "generalise": {"to": analysis.main.generalise, "why_not": analysis.main.why_not},
        **_fitted(result, options.level),
        "ranking": rows(frame),
        "covariance": plain(result.covariance.to_numpy()),
        "comparisons": {"adjustment": "holm", "pairs": rows(analysis.comparisons)},
        "intervals": rows(analysis.intervals),
        "bootstrap": _bootstrap(analysis),
        "separation": _table(analysis.separation),
        "flip": plain(analysis.flip),
        "goodness_of_fit": plain(analysis.goodness),
        "agreement": plain(analysis.agreement),
        "position": plain(analysis.position) | {"left_share": share, "n_decided": decided},
        "tie_models": plain(analysis.tie_models),
        "rules": _rules(analysis),
        "metrics": _groups(analysis),
        "content": plain(analysis.content),
        "shares_by_source": _shares(votes.counted),
        "objective": plain(analysis.objective),
        "cross_check": plain(analysis.cross_check),
        "width": plain(analysis.width),
        "software": software_versions(),
    }


def software_versions() -> dict[str, str]:
    """Versions of what the numbers were computed with."""
    return {"python": platform.python_version(), **{name: version(name) for name in _PACKAGES}}


def _fitted(result: BradleyTerryResult, level: float) -> dict:
    """What every ranking is read with."""
    return {
        "model": result.model,
        "ties": result.ties,
        "tie_parameter": plain(result.tie_parameter),
        "tie_log_error": plain(result.tie_log_error),
        "gauge": result.gauge,
        "unit": result.unit,
        "level": level,
        "cluster": result.cluster,
        "degrees_of_freedom": plain(result.degrees_of_freedom),
        "log_likelihood": plain(result.log_likelihood),
    }


def _ranking(result: BradleyTerryResult | None, level: float) -> dict | None:
    return None if result is None else _fitted(result, level) | {"rows": rows(result.to_frame(level))}


def _table(found: pd.DataFrame | Missing) -> dict:
    return plain(found) if isinstance(found, Missing) else {"rows": rows(found)}


def _verification(votes: StudyVotes) -> dict | None:
    check = verification(votes.table)
    if check is None:
        return None
    counts = set(votes.counted["participant"].astype(str).unique())
    met = set(votes.table.loc[(votes.table["kind"] == "verification").to_numpy(), "participant"].astype(str))
    return {
        "asked": check.asked,
        "passed": check.passed,
        "failed": list(check.failed),
        "counted_failed": len(counts.intersection(check.failed)),
        "counted_unasked": len(counts - met),
    }


def _left_out(analysis: StudyAnalysis) -> list[dict]:
    votes = analysis.votes
    reasons = left_out(votes.table)
    if votes.removed_votes:
        reasons.append((f"removed by the screening rule {votes.screening.rule}", votes.removed_votes))
    return [{"why": why, "votes": count} for why, count in reasons]


def _screening(analysis: StudyAnalysis) -> dict:
    screened = plain(analysis.votes.screening)
    counts = analysis.votes.screening.participants["decision"].value_counts(sort=False)
    return screened | {"decisions": {str(decision): int(count) for decision, count in counts.items() if count}}


def _bootstrap(analysis: StudyAnalysis) -> dict:
    drawn, level = analysis.bootstrap, analysis.options.level
    if isinstance(drawn, Missing):
        return plain(drawn)
    table = pd.concat([drawn.scores, drawn.standard_errors, drawn.interval(level)], axis=1)
    return {
        "over": drawn.over,
        "resamples": drawn.resamples,
        "failed": drawn.failed,
        "seed": drawn.seed,
        "gauge": analysis.main.result.gauge,
        "unit": drawn.unit,
        "rows": rows(table),
        "rank_shares": rows(drawn.rank_shares()),
    }


def _rules(analysis: StudyAnalysis) -> dict:
    if isinstance(analysis.rules, Missing):
        return plain(analysis.rules)
    level = analysis.options.level
    return {
        "versions": {name: rule.version for name, rule in SCREENING_RULES.items()},
        "rankings": [
            {name: plain(getattr(ruled, name)) for name in ruled.__dataclass_fields__ if name != "result"}
            | {
                "ranking": None
                if ruled.result is None
                else _fitted(ruled.result, level) | {"rows": rows(ruled.ranking)}
            }
            for ruled in analysis.rules
        ],
    }


def _groups(analysis: StudyAnalysis) -> dict:
    if isinstance(analysis.metrics, Missing):
        return plain(analysis.metrics)
    return {
        group.group: {
            "n_votes": group.n_votes,
            "n_participants": group.n_participants,
            "why_not": group.why_not,
            "ranking": _ranking(group.result, analysis.options.level),
        }
        for group in analysis.metrics.groups
    }


def _shares(counted: pd.DataFrame) -> list[dict]:
    votes, shares = preference_by_source(counted)
    return [
        {"source": str(source), "votes": int(count), "shares": plain(shares.loc[source])}
        for source, count in votes.items()
    ]
