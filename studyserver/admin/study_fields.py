"""The settings of a study as its admin page groups them, and when each may be changed."""

from studyserver.models import Participant, Study

__all__ = ["FIELDSETS", "READ_ONLY", "locked_fields"]

_SESSION = (
    "training_pairs",
    "training_attempts",
    "quiz_questions",
    "quiz_attempts",
    "pairs_per_session",
    "verification_pairs",
    "repeat_pairs",
    "null_pairs",
    "questionnaire",
)
_PRESENTATION = ("presentation", "max_side_width", "fallback", "sync_attempts", "allow_tie", "allow_replay")
_CODES = ("completion_code", "screened_out_code", "no_consent_code", "full_code", "paused_code", "technical_code")
_SET = (
    "target_metric",
    "strength_match",
    "target_gain",
    "target_linf",
    "gain_tolerance",
    "retention_floor",
    "manifest_sha256",
    "created_at",
)
READ_ONLY = (
    "status",
    "consent_versions",
    "people",
    "votes",
    "simulated",
    "materials",
    *_SET,
)
FIELDSETS = (
    (None, {"fields": ("title", "slug", "status", "people", "votes", "simulated", "materials")}),
    (
        "What participants agree to",
        {
            "fields": ("consent_text", "consent_versions", "withdrawal"),
            "description": "A changed text is a new version; every session records which version was agreed to.",
        },
    ),
    (
        "Session",
        {
            "fields": (*_SESSION, "max_minutes"),
            "description": "These can be changed while the study is a draft, paused or closed: pause it first.",
        },
    ),
    (
        "Votes and precision",
        {
            "fields": ("votes_per_pair", "sampling", "interval_width", "clip_effect"),
            "description": "Votes per pair may be raised or lowered at any time; the choice of pairs while paused.",
        },
    ),
    (
        "How pairs are shown",
        {
            "fields": _PRESENTATION,
            "description": "Fixed as soon as a real participant has entered: votes would not be comparable.",
        },
    ),
    (
        "Devices that are let in",
        {
            "classes": ("collapse",),
            "fields": (
                "check_environment",
                "allow_mobile",
                "require_exact_pixels",
                "require_smooth",
                "min_refresh_hz",
                "max_load_seconds",
                "calibration",
                "language",
            ),
        },
    ),
    (
        "Recruitment, and the code of every outcome",
        {
            "fields": ("invitation_only", "completion_url", *_CODES),
            "description": "The recruitment service knows the codes, so they change only while the study is not open.",
        },
    ),
    ("Payment", {"fields": ("currency", "reward", "partial_reward", "fee_percent")}),
    (
        "Rarely changed",
        {"classes": ("collapse",), "fields": ("lease_minutes", "seed", "demonstration")},
    ),
    (
        "Stimulus set",
        {"classes": ("collapse",), "fields": _SET},
    ),
)

# People hold the address, and the order of their pairs was drawn from the seed.
_ONCE_ENTERED = ("slug", "seed")
# Votes before and after could not be put into one ranking, or one sum.
_ONCE_REAL = (*_PRESENTATION, "currency", "demonstration")
# The steps of those inside, and what the recruitment service was told.
_WHILE_OPEN = (*_SESSION, "sampling", "check_environment", "calibration", *_CODES)


def locked_fields(study: Study) -> tuple[str, ...]:
    """Return the settings that a change would break now: for those inside, or for the votes that are there."""
    locked = []
    if study.status in (Study.Status.OPEN, Study.Status.PILOT):
        locked += _WHILE_OPEN
    origins = set(study.participants.values_list("origin", flat=True).distinct())
    if origins - {Participant.Origin.PREVIEW}:
        locked += _ONCE_ENTERED
    if Participant.Origin.REAL in origins:
        locked += _ONCE_REAL
    return tuple(locked)
