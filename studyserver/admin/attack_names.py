"""What the table of attacks says about a condition."""

from attacks import AttackInfo, list_attacks
from studyserver.models import Condition

__all__ = ["citation_of", "title_of"]


def title_of(condition: Condition) -> str:
    """Title of the condition's attack; its name where the table does not know it, a dash where there is none."""
    info = _info(condition)
    return info.title if info else (condition.attack or {}).get("name", "–")


def citation_of(condition: Condition) -> str:
    """The paper of the condition's attack, or a dash."""
    info = _info(condition)
    return info.citation if info else "–"


def _info(condition: Condition) -> AttackInfo | None:
    # A set made by another version, or elsewhere, may have attacks without a row here.
    name = (condition.attack or {}).get("name")
    return next((info for info in list_attacks() if info.name == name), None)
