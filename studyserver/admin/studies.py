"""Studies: settings, how far they are, and the ways in."""

from django.contrib import admin, messages
from django.db import models
from django.urls import reverse
from django.utils.html import format_html

from studyserver.admin.readonly import list_link
from studyserver.errors import StudyError
from studyserver.models import Study
from studyserver.selectors import study_counts
from studyserver.services import places_ensure, study_close, study_open, study_pause, study_records_ensure
from studyserver.views.visit import preview_address

__all__ = ["StudyAdmin"]


@admin.register(Study)
class StudyAdmin(admin.ModelAdmin):
    list_display = ("title", "slug", "status", "people", "votes", "simulated", "open_as_participant")
    list_filter = ("status", "demonstration", "target_metric")
    search_fields = ("title", "slug")
    actions = ("open_studies", "pause_studies", "close_studies")
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}
    readonly_fields = (
        "status",
        "consent_version",
        "participants_address",
        "open_as_participant",
        "people",
        "votes",
        "simulated",
        "materials",
        "target_metric",
        "target_gain",
        "target_linf",
        "manifest_sha256",
        "created_at",
    )
    fieldsets = (
        (
            None,
            {
                "fields": ("title", "slug", "status", "participants_address", "open_as_participant"),
                "description": "Open, pause and close studies with the actions of the list page.",
            },
        ),
        ("How far it is", {"fields": ("people", "votes", "simulated", "materials")}),
        ("What participants read", {"fields": ("consent_text", "consent_version", "allow_tie")}),
        ("How many", {"fields": ("pairs_per_session", "votes_per_pair", "lease_minutes", "seed")}),
        ("The end", {"fields": ("completion_code", "completion_url")}),
        (
            "Stimulus set",
            {
                "fields": (
                    "target_metric",
                    "target_gain",
                    "target_linf",
                    "manifest_sha256",
                    "demonstration",
                    "created_at",
                )
            },
        ),
    )

    def get_prepopulated_fields(self, request, obj=None):
        return {} if obj else {"slug": ("title",)}

    def get_readonly_fields(self, request, obj=None):
        # People hold the address, and the order of their pairs was drawn from the seed.
        return (*self.readonly_fields, "slug", "seed") if obj and obj.participants.exists() else self.readonly_fields

    def has_delete_permission(self, request, obj=None):
        return bool(obj and not obj.sources.exists() and not obj.participants.exists())

    def save_model(self, request, obj, form, change):
        if change and "consent_text" in form.changed_data:
            obj.consent_version += 1
        super().save_model(request, obj, form, change)
        study_records_ensure(study=obj)
        if obj.status == Study.Status.OPEN and "votes_per_pair" in form.changed_data:
            places_ensure(study=obj, origin="real")

    @admin.display(description="address for participants")
    def participants_address(self, study):
        if not study.pk:
            return "–"
        address = reverse("landing", args=[study.slug])
        prolific = address + "?PROLIFIC_PID={{%PROLIFIC_PID%}}"
        return format_html("<code>{}</code> (from Prolific: <code>{}</code>)", address, prolific)

    @admin.display(description="preview")
    def open_as_participant(self, study):
        if not study.pk:
            return "–"
        return format_html('<a href="{}" target="_blank">open as participant</a>', preview_address(study))

    @admin.display(description="participants")
    def people(self, study):
        counts = study_counts(study)
        text = f"{counts.completed} finished of {counts.participants}"
        return list_link("participant", text, study__id__exact=study.pk, origin__exact="real")

    @admin.display(description="votes of quota")
    def votes(self, study):
        counts = study_counts(study)
        return list_link("pair", f"{counts.votes} of {counts.quota}", study__id__exact=study.pk)

    @admin.display(description="simulated + previews")
    def simulated(self, study):
        counts = study_counts(study)
        return f"{counts.simulated} + {counts.previews}"

    @admin.display(description="materials")
    def materials(self, study):
        return format_html(
            "{} · {} · {}",
            list_link("source", f"{study.sources.count()} sources", study__id__exact=study.pk),
            list_link("condition", f"{study.conditions.count()} conditions", study__id__exact=study.pk),
            list_link("pair", f"{study.pairs.count()} pairs", study__id__exact=study.pk),
        )

    def _each(self, request, queryset, service, done):
        for study in queryset:
            try:
                service(study=study)
            except StudyError as error:
                self.message_user(request, str(error), messages.ERROR)
            else:
                self.message_user(request, f"{study.title}: {done}.", messages.SUCCESS)

    @admin.action(description="Open: let participants in")
    def open_studies(self, request, queryset):
        self._each(request, queryset, study_open, "open")

    @admin.action(description="Pause: nobody continues for now")
    def pause_studies(self, request, queryset):
        self._each(request, queryset, study_pause, "paused")

    @admin.action(description="Close: nobody new, those inside may finish")
    def close_studies(self, request, queryset):
        self._each(request, queryset, study_close, "closed")
