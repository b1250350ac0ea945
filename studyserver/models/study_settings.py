"""The settings of a study, by subject: abstract tables whose columns `Study` inherits."""

import secrets

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

__all__ = [
    "ConsentSettings",
    "EnvironmentSettings",
    "OutcomeSettings",
    "PaymentSettings",
    "PlanningSettings",
    "PresentationSettings",
    "RecruitmentSettings",
    "SessionSettings",
    "default_consent",
    "new_code",
    "new_token",
]

# Without letters and digits that people confuse when they copy a code by hand.
_CODE_LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"

DEFAULT_CONSENT = """\
You are invited to compare pairs of short videos on a computer and to say which one looks better. There are no risks \
beyond those of watching videos on a screen.

Taking part is voluntary. You may stop at any time, without giving a reason, by closing this page. At the end you get \
a withdrawal code, with which you can take back your answers later.

We store your answers, how smoothly the videos played, and the size and kind of your screen and browser. We store no \
name, no e-mail address and no network address; if a recruitment service sent you, we keep a scrambled form of the \
identifier it gave us, and the number of your submission there so that you can be paid.\
"""


def default_consent() -> str:
    """Return the consent text of a new study."""
    return DEFAULT_CONSENT


def new_token() -> str:
    """Return 128 random bits as text for an address."""
    return secrets.token_urlsafe(16)


def new_code() -> str:
    """Return a code that people can copy by hand (40 random bits)."""
    return "".join(secrets.choice(_CODE_LETTERS) for _ in range(8))


def _count(default: int, help_text: str, *, least: int = 0, most: int = 200, **options) -> models.Field:
    return models.PositiveIntegerField(
        default=default,
        validators=[MinValueValidator(least), MaxValueValidator(most)],
        help_text=help_text,
        **options,
    )


def _code(help_text: str) -> models.Field:
    return models.CharField(max_length=40, default=new_code, help_text=help_text)


class ConsentSettings(models.Model):
    """What participants agree to, and what becomes of it when they change their mind."""

    class Withdrawal(models.TextChoices):
        DELETE = "delete", "delete the answers"
        ANONYMISE = "anonymise", "keep the answers, cut every tie to the person"

    consent_text = models.TextField(default=default_consent, help_text="Blank lines separate paragraphs.")
    consent_version = models.PositiveIntegerField(
        default=1, editable=False, help_text="Counts changes of the consent text."
    )
    withdrawal = models.CharField(
        max_length=10,
        choices=Withdrawal,
        default=Withdrawal.DELETE,
        help_text="What a participant's withdrawal code does.",
    )

    class Meta:
        abstract = True


class SessionSettings(models.Model):
    """What one participant goes through, and how many votes a pair needs."""

    class Sampling(models.TextChoices):
        BALANCED = "balanced", "balanced: the pairs with the fewest votes first"
        ADAPTIVE = "adaptive", "adaptive: where a vote tells most about the ranking"

    training_pairs = _count(3, "Practice pairs with feedback, each until right; 0 for none.", most=10)
    training_attempts = _count(
        5, "Wrong answers to one practice pair after which a person is screened out; 0 for no limit.", most=50
    )
    quiz_questions = _count(3, "Questions about the instructions, scored on the server; 0 for none.", most=4)
    quiz_attempts = _count(2, "Tries at the quiz before a person is screened out.", least=1, most=10)
    pairs_per_session = _count(18, "Test pairs that one participant sees.", least=1)
    verification_pairs = _count(2, "Hidden pairs with an obvious answer in a session.", most=20)
    repeat_pairs = _count(1, "Test pairs shown a second time with sides exchanged, in a session.", most=20)
    null_pairs = _count(1, "Pairs of one and the same video in a session.", most=20)
    questionnaire = models.BooleanField("short questionnaire at the end", default=True)
    max_minutes = _count(25, "After so long a session ends with the pair on the screen.", least=1, most=240)
    votes_per_pair = _count(10, "Quota: different people per pair.", least=1, most=2000)
    sampling = models.CharField("choice of pairs", max_length=10, choices=Sampling, default=Sampling.BALANCED)
    lease_minutes = _count(
        30, "Without a sign of a participant for so long, the places are free again.", least=1, most=1440
    )
    seed = models.PositiveBigIntegerField(
        default=0, help_text="Sessions draw their order from this and their own number."
    )

    class Meta:
        abstract = True


class PlanningSettings(models.Model):
    """How sure the ranking is to be; the check before opening says whether the clips are enough for it."""

    interval_width = models.FloatField(
        "wanted half-width of an interval",
        default=0.35,
        validators=[MinValueValidator(0), MaxValueValidator(5)],
        help_text="Of the 95 % interval of the difference between two conditions, in logits; 0 does not ask.",
    )
    clip_effect = models.FloatField(
        "spread between clips",
        default=0.5,
        validators=[MinValueValidator(0), MaxValueValidator(5)],
        help_text="Standard deviation, in logits, by which a condition does better or worse on one clip than on all; "
        "0 where clips are taken to agree.",
    )

    class Meta:
        abstract = True


class PresentationSettings(models.Model):
    """How a pair is shown."""

    class Presentation(models.TextChoices):
        AUTO = "auto", "side by side up to the largest width below, else in the same place"
        SIDE_BY_SIDE = "side-by-side", "side by side"
        SEQUENTIAL = "sequential", "one after the other"
        TOGGLE = "toggle", "in the same place, switched by the participant"

    class Fallback(models.TextChoices):
        SEQUENTIAL = "sequential", "show one after the other"
        NONE = "none", "end the session: thanks, and the code for technical problems"

    presentation = models.CharField(max_length=12, choices=Presentation, default=Presentation.AUTO)
    max_side_width = _count(
        960, "Widest video, in pixels, that is shown side by side where the presentation is chosen by size.", most=8192
    )
    fallback = models.CharField(
        "where two videos cannot be kept in step", max_length=12, choices=Fallback, default=Fallback.SEQUENTIAL
    )
    sync_attempts = _count(2, "Times a pair out of step is played again before that.", most=10)
    allow_tie = models.BooleanField("offer “no visible difference”", default=True)
    allow_replay = models.BooleanField("pairs may be watched again", default=True)

    class Meta:
        abstract = True


class EnvironmentSettings(models.Model):
    """What a participant's device must be able to do."""

    class Calibration(models.TextChoices):
        OFF = "off"
        OPTIONAL = "optional", "optional: may be passed over"
        REQUIRED = "required"

    class Language(models.TextChoices):
        BROWSER = "", "as the participant's browser asks"
        ENGLISH = "en", "English"
        GERMAN = "de", "German"

    check_environment = models.BooleanField("check screen, browser and connection", default=True)
    allow_mobile = models.BooleanField("let telephones and tablets in", default=False)
    require_exact_pixels = models.BooleanField(
        default=True, help_text="Refuse a zoom at which a video pixel is no whole number of screen pixels."
    )
    require_smooth = models.BooleanField(
        "require smooth decoding", default=True, help_text="As the browser itself expects (MediaCapabilities)."
    )
    min_refresh_hz = _count(50, "Slowest screen refresh, in hertz; 0 for any.", most=1000)
    max_load_seconds = _count(120, "Longest time that loading a whole session may take; 0 for any.", most=3600)
    calibration = models.CharField(
        "screen calibration with a bank card", max_length=10, choices=Calibration, default=Calibration.OFF
    )
    language = models.CharField(max_length=8, choices=Language, default=Language.BROWSER, blank=True)

    class Meta:
        abstract = True


class RecruitmentSettings(models.Model):
    """Who may enter."""

    invitation_only = models.BooleanField(default=False, help_text="Only single-use invitation links let people in.")

    class Meta:
        abstract = True


class OutcomeSettings(models.Model):
    """The code and the way back of every outcome."""

    completion_code = _code("For those who finished.")
    screened_out_code = _code("For those who failed the practice, the quiz or the check of their device.")
    no_consent_code = _code("For those who do not agree to take part.")
    full_code = _code("For those who find no place.")
    paused_code = _code("For those who come while the study is paused, closed or not open yet.")
    technical_code = _code("For those whose device cannot show the videos as it should.")
    completion_url = models.URLField(
        blank=True, help_text="Way back to the recruitment service; {code} in it becomes the code of the outcome."
    )

    class Meta:
        abstract = True


class PaymentSettings(models.Model):
    """What the study costs."""

    currency = models.CharField(max_length=3, default="USD", help_text="Three letters, as in ISO 4217.")
    reward = models.DecimalField(
        max_digits=8,
        decimal_places=2,
        default=0,
        validators=[MinValueValidator(0)],
        help_text="For a finished session.",
    )
    partial_reward = models.DecimalField(
        max_digits=8,
        decimal_places=2,
        default=0,
        validators=[MinValueValidator(0)],
        help_text="For people screened out, turned away after they began, or stopped by a technical problem.",
    )
    fee_percent = models.DecimalField(
        "fee of the recruitment service, %",
        max_digits=5,
        decimal_places=2,
        default=0,
        validators=[MinValueValidator(0)],
    )

    class Meta:
        abstract = True
