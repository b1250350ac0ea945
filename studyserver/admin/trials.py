"""Trials and votes."""

from django.contrib import admin

from studyserver.admin.readonly import RecordAdmin, link_to, moment_column
from studyserver.models import Trial, Vote

__all__ = ["TrialAdmin", "VoteAdmin"]

_PAIR = ("pair__source", "pair__first__condition", "pair__second__condition")


@admin.register(Trial)
class TrialAdmin(RecordAdmin):
    list_display = ("__str__", "state", "source", "sides", "participant_link", "position", "number", "origin")
    list_filter = ("pair__study", "kind", "state", "origin")
    search_fields = ("participant__code", "pair__source__name")
    list_select_related = ("participant", *_PAIR)

    @admin.display(description="source", ordering="pair__source")
    def source(self, trial):
        return trial.pair.source.name

    @admin.display(description="left | right")
    def sides(self, trial):
        return f"{trial.left.condition} | {trial.right.condition}"

    @admin.display(description="participant", ordering="participant")
    def participant_link(self, trial):
        return link_to(trial.participant)


@admin.register(Vote)
class VoteAdmin(RecordAdmin):
    list_display = ("choice", "kind", "sides", "participant_link", "seconds", "playback_ok", "note", "voted")
    list_filter = ("trial__pair__study", "trial__kind", "choice", "playback_ok", "late", "trial__origin")
    search_fields = ("trial__participant__code", "trial__pair__source__name")
    list_select_related = ("trial__participant", *(f"trial__{name}" for name in _PAIR))
    date_hierarchy = "voted_at"
    voted = moment_column("voted_at", "voted at")

    @admin.display(description="kind", ordering="trial__kind")
    def kind(self, vote):
        return vote.trial.kind

    @admin.display(description="left | right")
    def sides(self, vote):
        return f"{vote.trial.pair.source.name}: {vote.trial.left.condition} | {vote.trial.right.condition}"

    @admin.display(description="participant", ordering="trial__participant")
    def participant_link(self, vote):
        return link_to(vote.trial.participant)

    @admin.display(description="seconds", ordering="response_ms")
    def seconds(self, vote):
        return "–" if vote.response_ms is None else f"{vote.response_ms / 1000:.1f}"

    @admin.display(description="note")
    def note(self, vote):
        return "late" if vote.late else vote.playback_reason
