"""Named failures of the analysis of votes; each message says what to change."""

__all__ = ["AnalysisError"]


class AnalysisError(Exception):
    """Base of every failure that a user can mend."""
