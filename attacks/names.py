"""Look a name up in a table; a misspelt one gets the nearest suggestion."""

import difflib
from collections.abc import Iterable

__all__ = ["nearest"]


def nearest(name: str, known: Iterable[str]) -> str:
    """The end of an error sentence: the names that `name` may have meant, else all of them."""
    known = list(known)
    close = difflib.get_close_matches(str(name).lower(), known, n=3, cutoff=0.6)
    if close:
        return "did you mean " + " or ".join(repr(match) for match in close) + "?"
    return "known names: " + ", ".join(known) + "."
