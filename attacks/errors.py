"""Named failures of attacks and target metrics; each message says what to change."""

__all__ = [
    "AttackError",
    "InvalidFrames",
    "InvalidOption",
    "InvalidScores",
    "MetricUnavailable",
    "NoChange",
    "NonFiniteScore",
    "NotDifferentiable",
    "OutOfMemory",
    "TrainedFileError",
    "TrainingDataError",
    "UnknownName",
    "ZeroGradient",
]


class AttackError(Exception):
    """Base of every failure that a user of `attacks` can mend."""


class UnknownName(AttackError):
    """No attack or metric has that name; the message suggests the nearest."""


class InvalidOption(AttackError):
    """An option or a strength is outside what the attack accepts."""


class InvalidFrames(AttackError):
    """Frames have the wrong shape, type or range."""


class InvalidScores(AttackError):
    """Scores or a score range from which no gain can be computed."""


class MetricUnavailable(AttackError):
    """The metric cannot be built here: a package or a weights file is missing."""


class NotDifferentiable(AttackError):
    """The metric gives no gradient with respect to the frames."""


class NoChange(AttackError):
    """The attack leaves every value of the frames as it was."""


class OutOfMemory(AttackError):
    """One frame, or one window of a clip metric, needs more memory than the device has."""


class TrainedFileError(AttackError):
    """A trained file is missing, broken, or belongs to another attack, metric or size."""


class TrainingDataError(AttackError):
    """Pictures to train on are missing, too few or unreadable."""


class ZeroGradient(AttackError):
    """The gradient is zero everywhere, so the attack would change nothing."""


class NonFiniteScore(AttackError):
    """The metric returned NaN or infinity."""
