"""The kinds of options that an attack may have; each checks one value."""

import math
import os
from dataclasses import dataclass

from attacks.errors import InvalidOption
from attacks.names import nearest

__all__ = ["AttackOption", "Choice", "FileOption", "Flag", "Option", "OptionValue", "value_text"]

OptionValue = int | float | str | bool


@dataclass(frozen=True)
class Option:
    """A number: its default, the interval it must lie in, and what it does.

    An option whose default is an `int` takes whole numbers only.
    """

    name: str
    default: int | float
    low: float
    high: float
    description: str

    @property
    def accepts(self) -> str:
        low, high = (str(end) if isinstance(end, int) else f"{end:g}" for end in (self.low, self.high))
        return f"{low} to {high}"

    def check(self, attack: str, value: object) -> int | float:
        """Return `value` as this option's type; raise InvalidOption when it does not fit."""
        whole = isinstance(self.default, int)
        number = None if isinstance(value, (bool, str)) else _as_number(value)
        if number is not None and self.low <= number <= self.high and (not whole or number == int(number)):
            return int(number) if whole else number
        kind = "a whole number" if whole else "a number"
        raise InvalidOption(f"{attack}: option {self.name!r} must be {kind} from {self.accepts}, got {value!r}.")


@dataclass(frozen=True)
class Choice:
    """One of several named values."""

    name: str
    default: str
    values: tuple[str, ...]
    description: str

    @property
    def accepts(self) -> str:
        return " or ".join(self.values)

    def check(self, attack: str, value: object) -> str:
        """Return `value`; raise InvalidOption, with the nearest names, when it is none of them."""
        if value in self.values:
            return value
        raise InvalidOption(f"{attack}: option {self.name!r} cannot be {value!r}; {nearest(str(value), self.values)}")


@dataclass(frozen=True)
class Flag:
    """On or off: a bool, or `yes` and `no` on a command line."""

    name: str
    default: bool
    description: str

    accepts = "yes or no"

    def check(self, attack: str, value: object) -> bool:
        """Return `value` as a bool; raise InvalidOption for anything else."""
        if isinstance(value, bool):
            return value
        if value in ("yes", "no"):
            return value == "yes"
        raise InvalidOption(f"{attack}: option {self.name!r} is yes or no (True or False in Python), got {value!r}.")


@dataclass(frozen=True)
class FileOption:
    """Path of a file; the empty text stands for none. Whether the file is there is its reader's to say."""

    name: str
    description: str
    default: str = ""

    accepts = "a file"

    def check(self, attack: str, value: object) -> str:
        """Return `value` as text; raise InvalidOption for what is no path."""
        if isinstance(value, (str, os.PathLike)):
            return os.fspath(value)
        raise InvalidOption(f"{attack}: option {self.name!r} must be the path of a file, got {value!r}.")


def value_text(value: OptionValue) -> str:
    """A value as it is written on the command line."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else f"{value:.4g}"


AttackOption = Option | Choice | Flag | FileOption


def _as_number(value: object) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None
