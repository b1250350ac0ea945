"""Vote table in; ranking, intervals and report out. Needs neither Django nor torch."""

import importlib

from analysis.errors import AnalysisError

__all__ = [
    "AnalysisError",
    "BradleyTerryResult",
    "ReportFiles",
    "fit_bradley_terry",
    "read_votes",
    "validate_votes",
    "write_report",
]

# Loaded on first use: pandas, scipy and matplotlib take a second that most commands need not spend.
_HOMES = {
    "BradleyTerryResult": "analysis.result",
    "ReportFiles": "analysis.report",
    "fit_bradley_terry": "analysis.fit",
    "read_votes": "analysis.votes",
    "validate_votes": "analysis.votes",
    "write_report": "analysis.report",
}


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"module 'analysis' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
