"""A study: its state, its stimulus set, and the texts and rules that it has had."""

from django.db import models
from django.db.models import Q
from simple_history.models import HistoricalRecords

from studyserver.models.study_settings import (
    ConsentSettings,
    EnvironmentSettings,
    OutcomeSettings,
    PaymentSettings,
    PlanningSettings,
    PresentationSettings,
    RecruitmentSettings,
    SessionSettings,
    new_token,
)

__all__ = ["ConsentText", "Rule", "Study"]


class Study(
    ConsentSettings,
    SessionSettings,
    PlanningSettings,
    PresentationSettings,
    EnvironmentSettings,
    RecruitmentSettings,
    OutcomeSettings,
    PaymentSettings,
):
    """One experiment on one imported stimulus set."""

    class Status(models.TextChoices):
        """Draft: only previews enter. Pilot: people enter, marked and counted apart. Paused: nobody continues for now.
        Closed: nobody new, those inside may finish.
        """

        DRAFT = "draft"
        PILOT = "pilot"
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

    manifest_sha256 = models.CharField(max_length=64, blank=True, editable=False)
    strength_match = models.CharField(
        max_length=10,
        blank=True,
        editable=False,
        help_text="What the set made the same: the gain of each clip, the mean gain (dataset), or the largest change "
        "(linf).",
    )
    target_metric = models.CharField(max_length=100, blank=True, editable=False)
    target_gain = models.FloatField(null=True, editable=False)
    target_linf = models.FloatField(
        "target of the largest change", null=True, editable=False, help_text="8-bit levels, of a set matched by it."
    )
    gain_tolerance = models.FloatField(
        null=True, editable=False, help_text="Share of the target by which a delivered gain may miss it."
    )
    retention_floor = models.FloatField(
        null=True, editable=False, help_text="Share of each attack that the files were to keep; empty where not asked."
    )
    salt = models.CharField(max_length=40, default=new_token, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    history = HistoricalRecords(excluded_fields=["salt"])

    class Meta:
        ordering = ["-created_at"]
        verbose_name_plural = "studies"
        constraints = [
            models.CheckConstraint(
                name="study_status", condition=Q(status__in=["draft", "pilot", "open", "paused", "closed"])
            ),
            models.CheckConstraint(name="study_counts", condition=Q(votes_per_pair__gte=1, pairs_per_session__gte=1)),
        ]

    def __str__(self):
        return self.title


class ConsentText(models.Model):
    """A version of a study's consent text, kept for as long as the study."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="consent_texts")
    version = models.PositiveIntegerField()
    text = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["study", "version"]
        constraints = [models.UniqueConstraint(name="consent_version_in_study", fields=["study", "version"])]

    def __str__(self):
        return f"version {self.version}"


class Rule(models.Model):
    """A version of the rule that says who is paid, or of the one that says which votes count.

    The newest version of a purpose is in force; older ones stay, so that a ranking can be made again under them.
    """

    class Purpose(models.TextChoices):
        PAY = "pay", "who is paid"
        USE = "use", "which votes count"

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="rules")
    purpose = models.CharField(max_length=3, choices=Purpose)
    version = models.PositiveIntegerField()
    settings = models.JSONField(help_text="Fields of studyserver.rules.PayRule or UseRule.")
    note = models.CharField(max_length=300, blank=True, help_text="Why it was changed.")
    author = models.CharField(max_length=150, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["study", "purpose", "-version"]
        constraints = [
            models.UniqueConstraint(name="rule_version_in_study", fields=["study", "purpose", "version"]),
            models.CheckConstraint(name="rule_purpose", condition=Q(purpose__in=["pay", "use"])),
        ]

    def __str__(self):
        return f"{self.get_purpose_display()}, version {self.version}"
