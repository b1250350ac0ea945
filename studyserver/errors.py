"""Named failures of studies; each message says what to change."""

__all__ = [
    "ExportUnavailable",
    "InvalidVote",
    "NotCurrentTrial",
    "ServerUnavailable",
    "StimulusSetRefused",
    "StudyError",
    "StudyFull",
    "StudyNotReady",
    "StudyUnavailable",
    "TrialNotFound",
    "UnknownStudy",
    "VoteRefused",
]


class StudyError(Exception):
    """Base of every failure that a user can mend."""


class UnknownStudy(StudyError):
    """No study has that short name; the message suggests the nearest."""


class StimulusSetRefused(StudyError):
    """A stimulus set cannot be imported: a file is missing or changed, or the study holds another set."""


class StudyNotReady(StudyError):
    """The study cannot open yet: it has no pairs to show or no pair to train on."""


class StudyUnavailable(StudyError):
    """The study is a draft, paused or closed, so nobody new can enter."""


class StudyFull(StudyError):
    """Every pair has all the votes it needs, or they are being given just now."""


class TrialNotFound(StudyError):
    """The trial does not exist or belongs to somebody else."""


class InvalidVote(StudyError):
    """The answer or its playback record is not what a player sends."""


class NotCurrentTrial(StudyError):
    """The trial is the participant's, but it is not the one to answer now."""


class VoteRefused(StudyError):
    """The trial already has another answer; the first one stands."""


class ExportUnavailable(StudyError):
    """The vote table cannot be written in that format here."""


class ServerUnavailable(StudyError):
    """The server cannot start: the port is taken, or the address is not allowed."""
