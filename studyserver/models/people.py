"""Who takes part, under a pseudonym, and their one visit to a study."""

from django.db import models
from django.db.models import Q

from studyserver.models.studies import Study
from studyserver.models.study_settings import PresentationSettings, new_code, new_token

__all__ = ["Exclusion", "Invitation", "Participant", "Session", "Withdrawal"]


def new_withdrawal_code() -> str:
    """Return a code that nobody guesses (80 random bits), in four groups that can be copied by hand."""
    letters = new_code() + new_code()
    return "-".join(letters[start : start + 4] for start in range(0, 16, 4))


class Participant(models.Model):
    """A person (or a model of one) in one study. No name and no network address is stored."""

    class Origin(models.TextChoices):
        REAL = "real"
        PILOT = "pilot"
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
            models.CheckConstraint(
                name="participant_origin", condition=Q(origin__in=["real", "pilot", "preview", "simulated"])
            ),
        ]

    def __str__(self):
        return self.code


class Session(models.Model):
    """One participant's visit to one study; the database allows one each.

    `state` is the step at which the person is (studyserver.flow has the order and the pages), or how it ended.
    """

    class State(models.TextChoices):
        INSTRUCTIONS = "instructions", "reads the instructions"
        SETUP = "setup", "device is checked"
        CALIBRATION = "calibration", "calibrates the screen"
        TRAINING = "training", "practises"
        QUIZ = "quiz", "answers the quiz"
        ACTIVE = "active", "sees pairs"
        QUESTIONNAIRE = "questionnaire", "answers the questionnaire"
        COMPLETED = "completed", "has finished"
        SCREENED_OUT = "screened-out", "was screened out"
        FULL = "full", "found no place"
        TECHNICAL = "technical", "was stopped by a technical problem"

    participant = models.OneToOneField(Participant, on_delete=models.PROTECT, related_name="session")
    key = models.CharField(max_length=40, unique=True, default=new_token, editable=False)
    state = models.CharField(max_length=14, choices=State, default=State.INSTRUCTIONS)
    reason = models.CharField(max_length=200, blank=True, help_text="Why it ended early.")
    seed = models.PositiveBigIntegerField(help_text="Order of pairs, sides of training and verification pairs.")
    presentation = models.CharField(
        max_length=12, choices=PresentationSettings.Presentation, default=PresentationSettings.Presentation.SIDE_BY_SIDE
    )
    consent_version = models.PositiveIntegerField()
    consented_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, help_text="When the places were taken.")
    first_pair_at = models.DateTimeField(null=True, help_text="When practice and quiz were over.")
    completed_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True, help_text="Finished, screened out or stopped.")
    lease_until = models.DateTimeField(help_text="After this moment the places not yet answered may go to others.")
    left_at = models.DateTimeField(null=True, help_text="When they did, for want of a sign of the person.")

    environment = models.JSONField(default=dict, blank=True, help_text="What the check of the device measured.")
    calibration = models.JSONField(default=dict, blank=True)
    quiz = models.JSONField(default=list, blank=True, help_text="Each try: the answers and whether they were right.")
    answers = models.JSONField(default=dict, blank=True, help_text="Of the questionnaire.")

    service = models.CharField(max_length=20, blank=True, help_text="Recruitment service that sent the person.")
    submission = models.CharField(max_length=100, blank=True, help_text="Number of the submission there, for payment.")
    withdrawal_code = models.CharField(max_length=24, unique=True, default=new_withdrawal_code, editable=False)
    paid_at = models.DateTimeField(null=True)
    paid_amount = models.DecimalField(
        max_digits=8, decimal_places=2, null=True, help_text="What was paid, as the rule was then."
    )

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                name="session_state",
                condition=Q(
                    state__in=[
                        "instructions",
                        "setup",
                        "calibration",
                        "training",
                        "quiz",
                        "active",
                        "questionnaire",
                        "completed",
                        "screened-out",
                        "full",
                        "technical",
                    ]
                ),
            ),
            models.CheckConstraint(
                name="session_completed_has_time", condition=~Q(state="completed") | Q(completed_at__isnull=False)
            ),
        ]

    def __str__(self):
        return f"session of {self.participant}"


class Invitation(models.Model):
    """A link that lets one person in, once."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="invitations")
    token = models.CharField(max_length=40, unique=True, default=new_token, editable=False)
    label = models.CharField(max_length=100, blank=True, help_text="The researcher's own note.")
    participant = models.OneToOneField(
        Participant, on_delete=models.SET_NULL, null=True, blank=True, related_name="invitation"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    used_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self):
        return self.label or f"invitation {self.pk}"


class Exclusion(models.Model):
    """A researcher's decision that a participant's votes do not count; lifting it keeps the record."""

    participant = models.ForeignKey(Participant, on_delete=models.CASCADE, related_name="exclusions")
    reason = models.CharField(max_length=300)
    author = models.CharField(max_length=150, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    lifted_at = models.DateTimeField(null=True)
    lifted_by = models.CharField(max_length=150, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                name="exclusion_in_force_once", fields=["participant"], condition=Q(lifted_at__isnull=True)
            )
        ]

    def __str__(self):
        return self.reason


class Withdrawal(models.Model):
    """That somebody took back their answers: when and what was done, and nothing about who it was."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="withdrawals")
    done = models.CharField(max_length=10, choices=Study.Withdrawal)
    votes = models.PositiveIntegerField(help_text="Deleted or anonymised.")
    happened_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self):
        return f"{self.done} at {self.happened_at:%Y-%m-%d}"
