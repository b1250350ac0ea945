"""What a rule of the check before opening says."""

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["PASSED", "REFUSED", "WARNING", "Finding", "listed"]

PASSED, WARNING, REFUSED = "passed", "warning", "refused"
_SHOWN = 5


@dataclass(frozen=True)
class Finding:
    """One line of the check: the rule's name, passed, warning or refused, what was found, and what to do about it."""

    rule: str
    level: str
    found: str
    advice: str = ""


def listed(items: Sequence[str]) -> str:
    """The first few of many names, and how many there are besides."""
    text = ", ".join(items[:_SHOWN])
    return f"{text} and {len(items) - _SHOWN} more" if len(items) > _SHOWN else text
