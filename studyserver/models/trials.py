"""Showings of pairs and the answers to them."""

from django.db import models
from django.db.models import Q

from studyserver.models.materials import Condition, Pair, Stimulus
from studyserver.models.people import Participant, Session
from studyserver.models.study_settings import PresentationSettings, new_token

__all__ = ["Trial", "Vote"]


class Trial(models.Model):
    """One showing of a pair, with a left and a right.

    A test trial of a real or simulated participant is a numbered place in its pair's quota. It exists before
    anyone sees it (`free`), is taken by compare-and-swap (`claimed`), and ends `answered`; when its participant
    goes away it ends `expired` and a new free trial takes over the number, and with it the side. An answer that the
    rule of use drops ends `surplus`: the vote is kept, and its place is given again.
    """

    class Kind(models.TextChoices):
        TRAINING = "training"
        TEST = "test"
        VERIFICATION = "verification"
        REPEAT = "repeat"
        NULL = "null"

    class State(models.TextChoices):
        FREE = "free"
        CLAIMED = "claimed"
        ANSWERED = "answered"
        EXPIRED = "expired"
        SURPLUS = "surplus"

    pair = models.ForeignKey(Pair, on_delete=models.PROTECT, related_name="trials")
    kind = models.CharField(max_length=12, choices=Kind)
    mirrored = models.BooleanField(help_text="The pair's second stimulus is on the left.")
    state = models.CharField(max_length=10, choices=State, default=State.FREE)
    origin = models.CharField(max_length=10, choices=Participant.Origin, help_text="Whose quota it belongs to.")
    number = models.PositiveIntegerField(null=True, help_text="Place in the pair's quota; none outside the quota.")

    session = models.ForeignKey(Session, on_delete=models.PROTECT, null=True, related_name="trials")
    participant = models.ForeignKey(Participant, on_delete=models.PROTECT, null=True, related_name="trials")
    position = models.PositiveIntegerField(null=True, help_text="Order in the practice, or in the session, from 1.")
    attempt = models.PositiveIntegerField(default=1, help_text="Counts showings of the training pair.")
    token = models.CharField(max_length=40, unique=True, default=new_token, editable=False)
    left_token = models.CharField(max_length=40, unique=True, default=new_token, editable=False)
    right_token = models.CharField(max_length=40, unique=True, default=new_token, editable=False)
    claimed_at = models.DateTimeField(null=True)
    presented_at = models.DateTimeField(null=True, help_text="When the server first sent it to the participant.")

    class Meta:
        ordering = ["session", "position", "attempt"]
        # Every plan counts places by pair and state: all that it asks stands in the index.
        indexes = [models.Index(fields=["pair", "origin", "kind", "state", "number"], name="trial_pool")]
        constraints = [
            models.CheckConstraint(
                name="trial_kind", condition=Q(kind__in=["training", "test", "verification", "repeat", "null"])
            ),
            models.CheckConstraint(
                name="trial_state", condition=Q(state__in=["free", "claimed", "answered", "expired", "surplus"])
            ),
            models.CheckConstraint(
                name="trial_free_or_somebodys",
                condition=Q(state="free", session=None, participant=None, position=None)
                | (~Q(state="free") & Q(session__isnull=False, participant__isnull=False, position__isnull=False)),
            ),
            models.CheckConstraint(
                name="trial_place_only_for_tests",
                condition=Q(kind="test") | Q(number=None, state__in=["claimed", "answered", "expired", "surplus"]),
            ),
            models.UniqueConstraint(
                name="trial_place_held_once",
                fields=["pair", "origin", "number"],
                condition=~Q(state__in=["expired", "surplus"]),
            ),
            models.UniqueConstraint(
                name="trial_position_in_session", fields=["session", "position"], condition=~Q(kind="training")
            ),
            models.UniqueConstraint(
                name="trial_position_in_training",
                fields=["session", "position", "attempt"],
                condition=Q(kind="training"),
            ),
            # The practice shows a pair again until the answer is right.
            models.UniqueConstraint(
                name="trial_pair_once_per_participant",
                fields=["participant", "pair"],
                condition=~Q(kind__in=["repeat", "training"]),
            ),
        ]

    def __str__(self):
        return f"{self.kind} trial {self.pk}"

    @property
    def left(self) -> Stimulus:
        return self.pair.second if self.mirrored else self.pair.first

    @property
    def right(self) -> Stimulus:
        return self.pair.first if self.mirrored else self.pair.second

    @property
    def expected(self) -> str | None:
        """The side of the better video of a pair with an obvious answer, None for other pairs."""
        if self.pair.kind != Pair.Kind.VERIFICATION:
            return None
        return "right" if self.left.condition.kind == Condition.Kind.VERIFICATION else "left"


class Vote(models.Model):
    """The one answer to a trial, with the record of how its videos played."""

    class Choice(models.TextChoices):
        LEFT = "left"
        RIGHT = "right"
        TIE = "tie"

    trial = models.OneToOneField(Trial, on_delete=models.PROTECT, related_name="vote")
    choice = models.CharField(max_length=5, choices=Choice)
    response_ms = models.PositiveIntegerField(null=True, help_text="From the end of the first playback to the answer.")
    presentation = models.CharField(
        max_length=12, choices=PresentationSettings.Presentation, default=PresentationSettings.Presentation.SIDE_BY_SIDE
    )
    playback = models.JSONField(default=dict, blank=True, help_text="The playback certificate: how both videos played.")
    late = models.BooleanField(
        default=False, help_text="Came after the place had gone to somebody else: kept, not counted."
    )
    voted_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        constraints = [models.CheckConstraint(name="vote_choice", condition=Q(choice__in=["left", "right", "tie"]))]

    def __str__(self):
        return f"{self.choice} on {self.trial}"
