"""Names in figures: short enough for their place, and told apart all the same."""

from collections.abc import Iterable

__all__ = ["LONGEST_LABEL", "shortened", "shortened_apart"]

LONGEST_LABEL = 26


def shortened(label: str, longest: int = LONGEST_LABEL) -> str:
    """The label with 26 (or `longest`) characters at most; names that begin alike differ at their ends."""
    half = longest // 2
    return label if len(label) <= longest else f"{label[:half]}…{label[1 - half :]}"


def shortened_apart(labels: Iterable[str], longest: int = LONGEST_LABEL) -> list[str]:
    """The labels as `shortened` gives them; where it makes two alike, from where those begin to differ."""
    labels = list(labels)
    alike: dict[str, set[str]] = {}
    for label in labels:
        alike.setdefault(shortened(label, longest), set()).add(label)
    found = []
    for label in labels:
        others = alike[shortened(label, longest)]
        letters = enumerate(zip(*others, strict=False))
        start = next((k for k, here in letters if len(set(here)) > 1), 0)
        found.append(f"…{shortened(label[start:], longest - 1)}" if start else shortened(label, longest))
    return found
