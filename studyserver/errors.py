"""Named failures of studies; each message says what to change."""

__all__ = ["StudyError"]


class StudyError(Exception):
    """Base of every failure that a user can mend."""
