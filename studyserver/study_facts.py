"""What is known of a study before it opens, as plain records: the rules of the check read these and nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

__all__ = ["COLOUR_TAGS", "FileFacts", "Plan", "SourceFacts", "StimulusFacts", "StudyFacts"]

COLOUR_TAGS = ("matrix", "range", "primaries", "transfer")


@dataclass(frozen=True)
class FileFacts:
    """A stimulus's file as it lies in the media folder.

    bytes: None where it is missing. sha256: None where it was not read. colour: tags by name, None where the file does
    not say. fault: why it cannot be decoded, else "".
    """

    bytes: int | None
    sha256: str | None
    width: int = 0
    height: int = 0
    seconds: float = 0
    colour: Mapping[str, str | None] | None = None
    fault: str = ""


@dataclass(frozen=True)
class StimulusFacts:
    """A stimulus as its manifest describes it, and its file. kind: reference, attack or verification."""

    source: str
    condition: str
    kind: str
    bytes: int
    sha256: str
    width: int
    height: int
    frames: int
    seconds: float
    gain: float | None
    linf: float | None
    retention: float | None
    file: FileFacts

    @property
    def name(self) -> str:
        return f"{self.source} / {self.condition}"


@dataclass(frozen=True)
class SourceFacts:
    """What the files of a source share. below_floor: conditions that no encoding kept."""

    name: str
    colour: Mapping[str, str]
    below_floor: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """The settings of a study that the check reads, by the names of the study's fields."""

    title: str
    demonstration: bool
    consent_text: str
    training_pairs: int
    verification_pairs: int
    repeat_pairs: int
    null_pairs: int
    pairs_per_session: int
    votes_per_pair: int
    max_minutes: int
    interval_width: float
    clip_effect: float
    presentation: str
    max_side_width: int
    strength_match: str
    target_gain: float | None
    target_linf: float | None
    gain_tolerance: float | None
    retention_floor: float | None
    invitation_only: bool
    completion_code: str
    screened_out_code: str
    no_consent_code: str
    full_code: str
    paused_code: str
    technical_code: str
    completion_url: str
    currency: str
    reward: Decimal
    partial_reward: Decimal
    fee_percent: Decimal


@dataclass(frozen=True)
class StudyFacts:
    """A study: its settings, its set, and how many pairs of each kind and unused invitations it has.

    minutes: length of a session, as participants are told. sha256_read: whether the contents of the files were
    compared as well.
    """

    plan: Plan
    sources: tuple[SourceFacts, ...]
    stimuli: tuple[StimulusFacts, ...]
    test_pairs: int
    verification_pairs: int
    null_pairs: int
    invitations: int
    minutes: int
    sha256_read: bool = False
