"""A study: what participants read, how many pairs they see, how many votes a pair needs."""

import secrets

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

__all__ = ["Study", "default_consent", "new_code", "new_token"]

# Without letters and digits that people confuse when they copy a code by hand.
_CODE_LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"

DEFAULT_CONSENT = """\
You are invited to compare pairs of short videos on a computer and to say which one looks better. There are no risks \
beyond those of watching videos on a screen.

Taking part is voluntary. You may stop at any time, without giving a reason, by closing this page.

We store your answers, how smoothly the videos played and the size of your window. We store no name, no e-mail address \
and no network address; if a recruitment service sent you, we keep only a scrambled form of the identifier it gave us.\
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


class Study(models.Model):
    """One experiment on one imported stimulus set."""

    class Status(models.TextChoices):
        """Draft: only previews enter. Paused: nobody continues for now. Closed: nobody new, those inside may finish."""

        DRAFT = "draft"
        OPEN = "open"
        PAUSED = "paused"
        CLOSED = "closed"

    slug = models.SlugField(unique=True, help_text="Part of the participants' address.")
    title = models.CharField(max_length=200, help_text="Shown to participants.")
    status = models.CharField(max_length=10, choices=Status, default=Status.DRAFT)
    demonstration = models.BooleanField(
        default=False,
        help_text="Simulated votes count like real ones. For trying out, never for research.",
    )

    consent_text = models.TextField(default=default_consent, help_text="Blank lines separate paragraphs.")
    consent_version = models.PositiveIntegerField(
        default=1, editable=False, help_text="Counts changes of the consent text."
    )
    allow_tie = models.BooleanField("offer “no visible difference”", default=True)
    completion_code = models.CharField(max_length=40, default=new_code, help_text="Shown after the last pair.")
    completion_url = models.URLField(blank=True, help_text="Optional address back to the recruitment service.")

    votes_per_pair = models.PositiveIntegerField(
        default=10, validators=[MinValueValidator(1)], help_text="Quota: different people per pair."
    )
    pairs_per_session = models.PositiveIntegerField(
        default=18,
        validators=[MinValueValidator(1), MaxValueValidator(200)],
        help_text="Test pairs that one participant sees.",
    )
    lease_minutes = models.PositiveIntegerField(
        default=30,
        validators=[MinValueValidator(1)],
        help_text="Without a vote for so long, a participant's places are free again.",
    )
    seed = models.PositiveBigIntegerField(
        default=0, help_text="Sessions draw their order from this and their own number."
    )

    manifest_sha256 = models.CharField(max_length=64, blank=True, editable=False)
    target_metric = models.CharField(max_length=100, blank=True, editable=False)
    target_gain = models.FloatField(null=True, editable=False)
    target_linf = models.FloatField(
        "target of the largest change", null=True, editable=False, help_text="8-bit levels, of a set matched by it."
    )
    salt = models.CharField(max_length=40, default=new_token, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]
        verbose_name_plural = "studies"
        constraints = [
            models.CheckConstraint(name="study_status", condition=Q(status__in=["draft", "open", "paused", "closed"])),
            models.CheckConstraint(name="study_counts", condition=Q(votes_per_pair__gte=1, pairs_per_session__gte=1)),
        ]

    def __str__(self):
        return self.title
