"""Named failures of the analyses; each message says what to change."""

__all__ = [
    "AnalysisError",
    "ConstantScores",
    "ContentUnavailable",
    "CovarianceUnavailable",
    "DisconnectedConditions",
    "EverybodyRemoved",
    "InvalidObjective",
    "InvalidOption",
    "InvalidQuality",
    "InvalidScores",
    "InvalidTransport",
    "InvalidVotes",
    "NotAssessable",
    "NotConverged",
    "PlanOutOfReach",
    "SeparatedConditions",
    "TooFewScores",
    "TooManyFailedResamples",
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


class EverybodyRemoved(AnalysisError):
    """A screening rule leaves no participant whose votes count.

    Attributes: `screening`, the verdicts as `screen_participants` would have returned them.
    """

    def __init__(self, message: str, screening):
        super().__init__(message)
        self.screening = screening


class InvalidQuality(AnalysisError):
    """Rows of objective quality that lack a column, hold what is no number or one stimulus twice, or have no attack."""


class NotAssessable(AnalysisError):
    """The votes do not hold what a measure of agreement or quality needs."""


class NotConverged(AnalysisError):
    """The fit stopped before it reached the maximum of the likelihood."""


class CovarianceUnavailable(AnalysisError):
    """The votes do not tell how much participants (or sources) differ."""


class TooManyFailedResamples(AnalysisError):
    """So many resamples have no finite scores that those left would be a biased selection.

    Attributes: `failed`, how many when the bootstrap gave up.
    """

    def __init__(self, message: str, failed: int):
        super().__init__(message)
        self.failed = failed


class InvalidScores(AnalysisError):
    """Scores are missing, unreadable, not finite or not in pairs, or a table of them holds what is not allowed."""


class TooFewScores(InvalidScores):
    """Fewer scores than an interval or a map needs."""


class ConstantScores(InvalidScores):
    """All clear scores are equal, so that there is no range to scale with."""


class InvalidTransport(AnalysisError):
    """A file of domain transformations is unreadable or has none for a metric."""


class PlanOutOfReach(AnalysisError):
    """No study of the size that was given reaches what is wanted."""


class ContentUnavailable(AnalysisError):
    """The votes do not tell how scores change from source to source."""


class InvalidObjective(AnalysisError):
    """Manifests or a table of objective measures are unreadable, contradict each other or do not fit the votes."""
