"""Everything that a report says, as one JSON document."""

import json
import platform
from importlib.metadata import version

import numpy as np
import pandas as pd

from analysis.errors import AnalysisError
from analysis.fit import fit_bradley_terry
from analysis.reliability import split_half_agreement
from analysis.result import BradleyTerryResult
from analysis.summary import (
    answer_sentence,
    left_out,
    left_share,
    preference_by_source,
    simulated_people,
    verification,
)
from analysis.votes import counted_votes

__all__ = ["REFERENCE", "describe_ranking", "software_versions"]

REFERENCE = "reference"
_PACKAGES = ("numpy", "scipy", "pandas", "matplotlib")


def describe_ranking(
    table: pd.DataFrame, result: BradleyTerryResult, *, title: str, seed: int, level: float
) -> tuple[pd.DataFrame, dict]:
    """The ranking's table and the document of a validated vote table and the result fitted to it.

    The table is `result.to_frame(level)` with, where they can be computed, the preference over REFERENCE and the
    intervals that hold for new sources too. The document holds it, the comparisons, and what a reader needs to judge
    them, as plain Python values without NaN.
    """
    counted = counted_votes(table)
    reference = REFERENCE if REFERENCE in result.scores.index else None
    ranking = result.to_frame(level)
    if reference is not None:
        against = result.probability_against(reference, level=level).add_prefix("against_reference_")
        ranking = ranking.join(against.rename(columns={"against_reference_probability": "against_reference"}))
    new_sources, why_no_new_sources = _attempt(counted, cluster="two-way")
    if new_sources is not None:
        # Two-way variances are a difference of estimates and can come out smaller; more doubt never narrows.
        wider = new_sources.interval(level).loc[ranking.index]
        ranking["low_new_sources"] = np.minimum(ranking["low"], wider["low"])
        ranking["high_new_sources"] = np.maximum(ranking["high"], wider["high"])
    halves = split_half_agreement(counted, seed=seed)
    share, decided = left_share(counted)
    document = {
        "title": title,
        "answer": answer_sentence(result, reference=reference, level=level),
        "target_metric": _target_metric(counted),
        "reference": reference,
        "n_participants": result.n_participants,
        "n_simulated_participants": simulated_people(counted),
        "n_votes": result.n_votes,
        "n_ties": result.n_ties,
        "n_sources": result.n_sources,
        "model": "Bradley-Terry, ties as half wins",
        "gauge": result.gauge,
        "unit": "logit",
        "level": level,
        "cluster": result.cluster,
        "degrees_of_freedom": result.degrees_of_freedom,
        "ranking": _rows(ranking.reset_index()),
        "comparisons": _rows(result.compare(level=level)),
        "adjustment": "holm",
        "new_sources": {
            "degrees_of_freedom": None if new_sources is None else new_sources.degrees_of_freedom,
            "why_not": why_no_new_sources,
        },
        "verification": _verification(table, counted, level),
        "split_half": None
        if halves is None
        else {
            "mean_spearman": halves.mean,
            "lowest": halves.lowest,
            "splits": halves.splits,
            "fitted": halves.fitted,
            "seed": seed,
        },
        "left_share": share,
        "n_decided": decided,
        "left_out": [{"why": why, "votes": count} for why, count in left_out(table)],
        "sources": _sources(counted),
        "software": software_versions(),
    }
    return ranking, document


def software_versions() -> dict[str, str]:
    """Versions of what the numbers were computed with."""
    return {"python": platform.python_version(), **{name: version(name) for name in _PACKAGES}}


def _target_metric(counted: pd.DataFrame) -> str | None:
    if "target_metric" not in counted:
        return None
    metrics = counted["target_metric"].cat.remove_unused_categories().cat.categories
    return metrics[0] if len(metrics) else None


def _verification(table: pd.DataFrame, counted: pd.DataFrame, level: float) -> dict | None:
    """Who passed, and the ranking on the other side of that line.

    Without those who failed where the ranking counts them, with them where `use` has set their votes aside.
    """
    check = verification(table)
    if check is None:
        return None
    document = {"asked": check.asked, "passed": check.passed, "failed": list(check.failed)}
    document |= {"beside": None, "ranking": None, "why_not": None}
    if not check.failed:
        return document
    failed_in_counted = counted["participant"].isin(check.failed).to_numpy()
    if failed_in_counted.any():
        document["beside"] = "without"
        other = counted[~failed_in_counted]
    else:
        document["beside"] = "with"
        theirs = table["participant"].isin(check.failed) & (table["kind"] == "test")
        other = pd.concat([counted, table[theirs.to_numpy()].assign(use=True)])
    result, document["why_not"] = _attempt(other, cluster="participant")
    if result is not None:
        document["ranking"] = _rows(result.to_frame(level).reset_index())
    return document


def _attempt(votes: pd.DataFrame, *, cluster: str) -> tuple[BradleyTerryResult | None, str | None]:
    """A second fit that may fail without taking the report with it: the result, or the reason why there is none."""
    try:
        return fit_bradley_terry(votes, cluster=cluster), None
    except AnalysisError as error:
        return None, str(error)


def _sources(counted: pd.DataFrame) -> list[dict]:
    votes, shares = preference_by_source(counted)
    by_source = json.loads(shares.to_json(orient="index", double_precision=15))
    return [{"source": source, "votes": int(count), "shares": by_source[source]} for source, count in votes.items()]


def _rows(table: pd.DataFrame) -> list[dict]:
    """Records for JSON: plain Python values, gaps as None."""
    return json.loads(table.to_json(orient="records", double_precision=15))
