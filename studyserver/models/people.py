"""Who takes part, under a pseudonym, and their one visit to a study."""

from django.db import models
from django.db.models import Q

from studyserver.models.studies import Study, new_token

__all__ = ["Participant", "Session"]


class Participant(models.Model):
    """A person (or a model of one) in one study. No name and no network address is stored."""

    class Origin(models.TextChoices):
        REAL = "real"
        PREVIEW = "preview"
        SIMULATED = "simulated"

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="participants")
    code = models.CharField(max_length=20, help_text="Pseudonym; cannot be linked across studies.")
    origin = models.CharField(max_length=10, choices=Origin, default=Origin.REAL)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(name="participant_code_in_study", fields=["study", "code"]),
            models.CheckConstraint(name="participant_origin", condition=Q(origin__in=["real", "preview", "simulated"])),
        ]

    def __str__(self):
        return self.code


class Session(models.Model):
    """One participant's visit to one study; the database allows one each."""

    class State(models.TextChoices):
        CONSENTED = "consented", "reads the instructions"
        ACTIVE = "active", "sees pairs"
        COMPLETED = "completed", "has finished"

    participant = models.OneToOneField(Participant, on_delete=models.PROTECT, related_name="session")
    key = models.CharField(max_length=40, unique=True, default=new_token, editable=False)
    state = models.CharField(max_length=10, choices=State, default=State.CONSENTED)
    seed = models.PositiveBigIntegerField(help_text="Order of pairs, sides of training and verification pairs.")
    consent_version = models.PositiveIntegerField()
    consented_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(help_text="After this moment the places not yet answered may go to others.")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(name="session_state", condition=Q(state__in=["consented", "active", "completed"])),
            models.CheckConstraint(
                name="session_completed_has_time", condition=~Q(state="completed") | Q(completed_at__isnull=False)
            ),
        ]

    def __str__(self):
        return f"session of {self.participant}"
