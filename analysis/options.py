"""Checks of the options that all analyses share."""

from analysis.errors import InvalidOption

__all__ = ["check_level", "check_seed"]

# Beyond it an interval has no ends.
_HIGHEST_LEVEL = 1 - 1e-9


def check_level(level: float) -> None:
    """Raise InvalidOption unless intervals can be of that level."""
    if not 0 < level < _HIGHEST_LEVEL:
        raise InvalidOption(f"level is {level!r}; expected a number between 0 and 1, such as 0.95")


def check_seed(seed: int) -> None:
    """Raise InvalidOption unless the seed can start a generator."""
    if seed < 0:
        raise InvalidOption(f"seed is {seed}; expected a whole number of at least 0")
