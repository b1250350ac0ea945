"""Named failures of stimulus sets; each message says what to change."""

__all__ = [
    "DiskFull",
    "InvalidManifest",
    "InvalidRequest",
    "InvalidSource",
    "SetConflict",
    "StimuliError",
    "Unreachable",
    "VideoError",
]


class StimuliError(Exception):
    """Base of every failure that a user can mend."""


class InvalidRequest(StimuliError):
    """The request itself is wrong: gain, attacks, sources or an option."""


class InvalidSource(StimuliError):
    """A source file cannot be used as it is."""


class VideoError(StimuliError):
    """A video file could not be written, or a delivered one does not decode as it should."""


class SetConflict(StimuliError):
    """The output folder belongs to another set, to another run, or holds other files."""


class DiskFull(StimuliError):
    """There is no space left for what is being written."""


class InvalidManifest(StimuliError):
    """manifest.json is missing, damaged, or does not fit the files beside it."""


class Unreachable(StimuliError):
    """No strength of the attack reaches the target.

    `best_gain` is the highest value seen of what is matched (a gain is a ratio, a largest change counts 8-bit levels),
    `strength` where it was seen (in the attack's own unit), `evaluations` how many strengths were tried.
    """

    def __init__(self, message: str, *, best_gain: float, strength: float, evaluations: int = 0) -> None:
        super().__init__(message)
        self.best_gain = best_gain
        self.strength = strength
        self.evaluations = evaluations
