"""Checks of the options that all analyses share."""

from analysis.errors import InvalidOption

__all__ = ["check_choice", "check_level", "check_resamples", "check_seed"]

# Beyond it an interval has no ends.
_HIGHEST_LEVEL = 1 - 1e-9


def check_choice(name: str, value: object, allowed: tuple) -> None:
    """Raise InvalidOption unless `value` is one of `allowed`."""
    if value not in allowed:
        expected = ", ".join(map(repr, allowed[:-1])) + f" or {allowed[-1]!r}"
        raise InvalidOption(f"{name} is {value!r}; expected {expected}")


def check_level(level: float) -> None:
    """Raise InvalidOption unless intervals can be of that level."""
    if not 0 < level < _HIGHEST_LEVEL:
        raise InvalidOption(f"level is {level!r}; expected a number between 0 and 1, such as 0.95")


def check_resamples(resamples: int) -> None:
    """Raise InvalidOption unless a bootstrap can be made of so many."""
    if resamples < 2:
        raise InvalidOption(f"resamples is {resamples!r}; expected at least 2, such as 1000")


def check_seed(seed: int) -> None:
    """Raise InvalidOption unless the seed can start a generator."""
    if seed < 0:
        raise InvalidOption(f"seed is {seed}; expected a whole number of at least 0")
