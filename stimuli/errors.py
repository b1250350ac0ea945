"""Named failures of stimulus sets; each message says what to change."""

__all__ = ["StimuliError"]


class StimuliError(Exception):
    """Base of every failure that a user can mend."""
