"""Named failures of studies; each message says what to change."""

__all__ = [
    "DeviceRefused",
    "DifferenceUnavailable",
    "ExportUnavailable",
    "InvalidAnswer",
    "InvalidExclusion",
    "InvalidIdentifiers",
    "InvalidMeasurement",
    "InvalidRule",
    "InvalidVote",
    "InvitationRefused",
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
    "WalkStopped",
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


class InvalidExclusion(StudyError):
    """An exclusion has no reason, or one that is too long."""


class InvalidIdentifiers(StudyError):
    """A file with a recruitment service's identifiers cannot be read, or has no such column."""


class InvalidRule(StudyError):
    """A rule has no such setting or version, or a value is out of range."""


class DeviceRefused(StudyError):
    """The check of the device found something in the way, or was not made yet."""


class InvalidAnswer(StudyError):
    """Answers to a form of the session are missing, or none of those offered; `fields` has a sentence for each."""

    def __init__(self, fields: dict[str, str]):
        super().__init__("; ".join(f"{name}: {text}" for name, text in fields.items()))
        self.fields = fields


class InvalidMeasurement(StudyError):
    """What a browser measured is not what the page's script sends."""


class InvalidVote(StudyError):
    """The answer or its playback record is not what a player sends."""


class InvitationRefused(StudyError):
    """An invitation is unknown or used, or cannot be made."""


class NotCurrentTrial(StudyError):
    """The trial is the participant's, but it is not the one to answer now."""


class VoteRefused(StudyError):
    """The trial already has another answer; the first one stands."""


class ExportUnavailable(StudyError):
    """The vote table cannot be written in that format here."""


class DifferenceUnavailable(StudyError):
    """No difference picture can be made of this stimulus: no reference, no such frame, or a damaged file."""


class ServerUnavailable(StudyError):
    """The server cannot start: the port is taken, or the address is not allowed."""


class WalkStopped(StudyError):
    """A visit that a model participant or the leak check makes met a page or an answer that no visit meets."""
