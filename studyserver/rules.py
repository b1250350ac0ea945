"""The two rules of a study as data: who is paid, and which votes count. `verdicts` turns facts into reasons."""

import difflib
from dataclasses import asdict, dataclass, field, fields

from studyserver.errors import InvalidRule

__all__ = [
    "OUTCOMES",
    "PayRule",
    "Setting",
    "UseRule",
    "default_rules",
    "read_rule",
    "rule_document",
    "rule_settings",
    "value_text",
]

# Ends of a session that a study may pay in part, as the database calls them.
OUTCOMES = ("screened-out", "technical", "full")


@dataclass(frozen=True)
class Setting:
    """One setting of a rule: its name, what it does, its default and its range.

    `kind` is `switch`, `share` (0 to 1), `count` (a whole number), `seconds` or `outcomes`.
    """

    name: str
    kind: str
    default: object
    help: str
    most: float

    @property
    def wanted(self) -> str:
        """What a value must be, as a message says it."""
        return {
            "switch": "true or false",
            "share": "a number from 0 to 1",
            "count": f"a whole number from 0 to {self.most:g}",
            "seconds": f"a number of seconds from 0 to {self.most:g}",
            "outcomes": f"a list of any of {', '.join(OUTCOMES)}",
        }[self.kind]

    @property
    def default_text(self) -> str:
        """The default as people read it."""
        return value_text(self.default)


def value_text(value) -> str:
    """Return a setting's value as people read it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return (", ".join(value) or "none") if isinstance(value, list | tuple) else f"{value:g}"


def _setting(default, kind: str, help_text: str, most: float = 1):
    return field(default=default, metadata={"kind": kind, "help": help_text, "most": most})


@dataclass(frozen=True)
class UseRule:
    """Which votes count. The defaults are those of the protocol."""

    require_completed: bool = _setting(
        True, "switch", "Only sessions that reached the end of their pairs count; the questionnaire may be missing."
    )
    min_verification_right: float = _setting(
        1.0, "share", "Least share of the verification pairs shown to a participant that must be answered rightly."
    )
    max_stalls: int = _setting(1, "count", "Most stalls of a video in the playback that counts.", 1000)
    max_dropped_share: float = _setting(0.05, "share", "Largest share of a video's frames that may be dropped.")
    min_scale: float = _setting(
        1.0, "share", "Least size at which the videos were shown: 1 is one screen pixel for each of their pixels."
    )
    max_offset_frames: int = _setting(
        1, "count", "Frames that two videos shown at the same time may be apart and still be in step.", 1000
    )
    min_share_in_step: float = _setting(
        0.9, "share", "Least share of the frames in which two videos shown at the same time must be in step."
    )
    min_watch_share: float = _setting(
        0.9, "share", "Least play time of the playback that counts, as a share of the clips' length."
    )
    max_answer_seconds: float = _setting(
        60.0, "seconds", "Longest time from the end of the first playback to the answer; 0 for any.", 86_400
    )
    max_side_share: float = _setting(
        0.8, "share", "Largest share of a participant's preferences (answers but ties) that may be for one side."
    )
    max_tie_share: float = _setting(0.7, "share", "Largest share of a participant's answers that may be ties.")
    min_votes_for_shares: int = _setting(
        10, "count", "Fewest such answers of a participant from which the two shares above are judged.", 1000
    )
    use_surplus: bool = _setting(False, "switch", "Votes whose place in the quota went to somebody else count as well.")


@dataclass(frozen=True)
class PayRule:
    """Who is paid. What people answered never plays a part, neither in test pairs nor in verification pairs."""

    require_completed: bool = _setting(
        True,
        "switch",
        "Only those who reached the end of their pairs are paid in full; else all who were shown a first pair.",
    )
    partial_outcomes: tuple[str, ...] = _setting(
        OUTCOMES, "outcomes", "Early ends of a session that are paid the partial reward."
    )


_RULES = {"use": UseRule, "pay": PayRule}


def rule_settings(purpose: str) -> tuple[Setting, ...]:
    """Return what can be set in the rule of a purpose, `use` or `pay`, in order."""
    return tuple(
        Setting(
            item.name,
            item.metadata["kind"],
            item.default,
            item.metadata["help"],
            item.metadata["most"],
        )
        for item in fields(_RULES[purpose])
    )


def read_rule(purpose: str, settings: dict) -> UseRule | PayRule:
    """Return the rule that these settings make; what they leave out is as by default. Raises InvalidRule."""
    if not isinstance(settings, dict):
        raise InvalidRule(f"the settings of a rule are an object of names and values, got {type(settings).__name__}")
    known = {setting.name: setting for setting in rule_settings(purpose)}
    for name in settings:
        if name not in known:
            near = difflib.get_close_matches(str(name), known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(known)}"
            raise InvalidRule(f"the {purpose} rule has no setting {str(name)[:60]!r}; {hint}")
    return _RULES[purpose](**{name: _value(known[name], value) for name, value in settings.items()})


def _value(setting: Setting, value):
    """Return a value as the rule holds it, or raise InvalidRule."""
    number = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= setting.most
    listed = isinstance(value, list | tuple)
    right = {
        "switch": isinstance(value, bool),
        "share": number,
        "count": number and value == int(value),
        "seconds": number,
        "outcomes": listed and all(item in OUTCOMES for item in value),
    }[setting.kind]
    if not right:
        raise InvalidRule(f"{setting.name} must be {setting.wanted}, got {str(value)[:60]!r}")
    if setting.kind == "outcomes":
        return tuple(item for item in OUTCOMES if item in value)
    return type(setting.default)(value)


def default_rules() -> dict[str, dict]:
    """Return the settings of a new study's rules by purpose."""
    return {purpose: rule_document(rule()) for purpose, rule in _RULES.items()}


def rule_document(rule: UseRule | PayRule) -> dict:
    """Return all settings of a rule as JSON stores them."""
    return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(rule).items()}
