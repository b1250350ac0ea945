"""The two rules of a study as data: who is paid, and which votes count."""

from dataclasses import asdict, dataclass

__all__ = ["PayRule", "UseRule", "default_rules"]


@dataclass(frozen=True)
class UseRule:
    """Which votes count. Every field is a setting of the rule; the defaults are those of the protocol."""

    require_completed: bool = True
    min_verification_right: float = 1.0
    max_stalls: int = 1


@dataclass(frozen=True)
class PayRule:
    """Who is paid in full."""

    require_completed: bool = True


def default_rules() -> dict[str, dict]:
    """Return the settings of a new study's rules by purpose."""
    return {"use": asdict(UseRule()), "pay": asdict(PayRule())}
