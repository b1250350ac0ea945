"""Votes or scores in; ranking, robustness scores, intervals and report out. Needs neither Django nor torch."""

import importlib

from analysis.errors import AnalysisError

__all__ = [
    "AnalysisError",
    "BradleyTerryResult",
    "NeuralMap",
    "PairPool",
    "QualityTable",
    "QuantileMap",
    "ReportFiles",
    "RobustnessFiles",
    "RobustnessScores",
    "Score",
    "Table",
    "check_level",
    "check_seed",
    "choose_pairs",
    "fit_bradley_terry",
    "objective_quality",
    "read_scores",
    "read_transports",
    "read_votes",
    "robustness_scores",
    "split_half_agreement",
    "text_table",
    "validate_scores",
    "validate_votes",
    "write_quality_report",
    "write_report",
    "write_robustness_report",
]

# Loaded on first use: pandas, scipy and matplotlib take a second that most commands need not spend.
_HOMES = {
    "BradleyTerryResult": "analysis.result",
    "NeuralMap": "analysis.domain",
    "PairPool": "analysis.sampling",
    "QualityTable": "analysis.quality_table",
    "QuantileMap": "analysis.domain",
    "ReportFiles": "analysis.report",
    "RobustnessFiles": "analysis.robustness_report",
    "RobustnessScores": "analysis.robustness",
    "Score": "analysis.robustness",
    "Table": "analysis.tables",
    "check_level": "analysis.options",
    "check_seed": "analysis.options",
    "choose_pairs": "analysis.sampling",
    "fit_bradley_terry": "analysis.fit",
    "objective_quality": "analysis.quality_table",
    "read_scores": "analysis.score_table",
    "read_transports": "analysis.transport_file",
    "read_votes": "analysis.votes",
    "robustness_scores": "analysis.robustness",
    "split_half_agreement": "analysis.reliability",
    "text_table": "analysis.tables",
    "validate_scores": "analysis.score_table",
    "validate_votes": "analysis.votes",
    "write_quality_report": "analysis.quality_report",
    "write_report": "analysis.report",
    "write_robustness_report": "analysis.robustness_report",
}


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"module 'analysis' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
