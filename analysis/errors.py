"""Named failures of the analysis of votes; each message says what to change."""

__all__ = [
    "AnalysisError",
    "CovarianceUnavailable",
    "DisconnectedConditions",
    "InvalidOption",
    "InvalidVotes",
    "NotConverged",
    "SeparatedConditions",
    "UnknownCondition",
]


class AnalysisError(Exception):
    """Base of every failure that a user can mend."""


class InvalidVotes(AnalysisError):
    """The vote table is missing, unreadable or holds a value that is not allowed."""


class InvalidOption(AnalysisError):
    """An option of the analysis has a value that is not one of those accepted."""


class UnknownCondition(AnalysisError):
    """A condition was asked for that no vote names."""


class DisconnectedConditions(AnalysisError):
    """No chain of votes joins two groups of conditions, so they share no scale.

    Attributes: `groups`, a tuple of tuples of condition labels.
    """

    def __init__(self, message: str, groups: tuple[tuple[str, ...], ...]):
        super().__init__(message)
        self.groups = groups


class SeparatedConditions(AnalysisError):
    """The likelihood has no maximum at finite scores.

    Attributes: `conditions`, the labels whose scores would run away.
    """

    def __init__(self, message: str, conditions: tuple[str, ...]):
        super().__init__(message)
        self.conditions = conditions


class NotConverged(AnalysisError):
    """The fit stopped before it reached the maximum of the likelihood."""


class CovarianceUnavailable(AnalysisError):
    """The votes do not tell how much participants (or sources) differ."""
