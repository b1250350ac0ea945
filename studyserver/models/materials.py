"""What is shown: sources, conditions, stimuli and the pairs between them."""

from django.db import models
from django.db.models import F, Q

from studyserver.models.studies import Study

__all__ = ["Condition", "Pair", "Source", "Stimulus"]


class Source(models.Model):
    """A clean clip."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="sources")
    name = models.CharField(max_length=200, help_text="Its id in the manifest.")
    sha256 = models.CharField(max_length=64, help_text="Of the original file.")
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    frames = models.PositiveIntegerField()
    fps = models.CharField(max_length=30, help_text="Exact, as a fraction.")
    delivered = models.JSONField(
        default=dict, blank=True, help_text="What its files share: size, colour, profile, settings, below_floor."
    )

    class Meta:
        ordering = ["study", "name"]
        constraints = [models.UniqueConstraint(name="source_name_in_study", fields=["study", "name"])]

    def __str__(self):
        return self.name


class Condition(models.Model):
    """What was done to a source: nothing (reference), an attack, or the obvious impairment of verification pairs."""

    class Kind(models.TextChoices):
        REFERENCE = "reference"
        ATTACK = "attack"
        VERIFICATION = "verification"

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="conditions")
    label = models.CharField(max_length=100)
    kind = models.CharField(max_length=12, choices=Kind)
    attack = models.JSONField(null=True, help_text="Name and options.")

    class Meta:
        ordering = ["study", "label"]
        constraints = [
            models.UniqueConstraint(name="condition_label_in_study", fields=["study", "label"]),
            models.CheckConstraint(
                name="condition_kind", condition=Q(kind__in=["reference", "attack", "verification"])
            ),
        ]

    def __str__(self):
        return self.label


class Stimulus(models.Model):
    """One source under one condition, as the delivered file."""

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="stimuli")
    condition = models.ForeignKey(Condition, on_delete=models.PROTECT, related_name="stimuli")
    manifest_id = models.CharField(max_length=200)
    media = models.CharField(max_length=200, help_text="File below the media folder.")
    sha256 = models.CharField(max_length=64)
    bytes = models.PositiveBigIntegerField()
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    frames = models.PositiveIntegerField()
    fps = models.CharField(max_length=30)
    codec = models.CharField(max_length=60, blank=True, help_text="As in RFC 6381.")
    bytes_encoded = models.PositiveBigIntegerField(null=True, help_text="Without padding.")
    strength = models.FloatField(null=True)
    linf = models.FloatField(null=True, help_text="Largest change of a value, in 8-bit levels.")
    gain_frames = models.FloatField(null=True, help_text="Before encoding.")
    gain_delivered = models.FloatField(null=True, help_text="Of the decoded file against the delivered reference.")
    score_clean = models.FloatField(null=True)
    score_delivered = models.FloatField(null=True)
    retention = models.FloatField(null=True)
    retention_luma = models.FloatField(null=True)
    speed_matched = models.BooleanField(
        null=True, help_text="Whether one gradient per frame is enough; empty where the set does not say."
    )
    quality = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["source", "condition"]
        verbose_name_plural = "stimuli"
        constraints = [models.UniqueConstraint(name="stimulus_once", fields=["source", "condition"])]

    def __str__(self):
        return f"{self.source} / {self.condition}"


class Pair(models.Model):
    """Two stimuli of one source, in the order of their numbers so that a pair exists once."""

    class Kind(models.TextChoices):
        TEST = "test"
        VERIFICATION = "verification"
        NULL = "null"

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="pairs")
    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="pairs")
    kind = models.CharField(max_length=12, choices=Kind)
    first = models.ForeignKey(Stimulus, on_delete=models.PROTECT, related_name="+")
    second = models.ForeignKey(Stimulus, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["study", "source", "id"]
        constraints = [
            models.CheckConstraint(name="pair_kind", condition=Q(kind__in=["test", "verification", "null"])),
            models.CheckConstraint(
                name="pair_ordered_and_distinct",
                condition=Q(first__lt=F("second")) | Q(kind="null", first=F("second")),
            ),
            models.UniqueConstraint(name="pair_once_in_study", fields=["study", "first", "second"]),
        ]

    def __str__(self):
        return f"{self.source}: {self.first.condition} – {self.second.condition}"
