"""Studies: settings, how far they are, and the ways in."""

from django.contrib import admin
from django.db import models
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from simple_history.admin import SimpleHistoryAdmin

from studyserver.admin.dashboard import dashboard_urls
from studyserver.admin.readonly import list_link
from studyserver.admin.study_fields import FIELDSETS, READ_ONLY, locked_fields
from studyserver.admin.study_form import StudyForm
from studyserver.admin.study_moves import MOVES, move_each, moves_of
from studyserver.admin.study_steps import step_urls
from studyserver.models import Participant, Study
from studyserver.recruitment import SERVICES
from studyserver.selectors import study_counts
from studyserver.services import places_ensure, study_records_ensure
from studyserver.views.visit import preview_address

__all__ = ["StudyAdmin"]

_ORIGINS = {Study.Status.OPEN: Participant.Origin.REAL, Study.Status.PILOT: Participant.Origin.PILOT}
# What a service puts where a parameter's value belongs.
_SERVICE_NAMES = {"mturk": "MTurk", "other": "Any other service"}
_FILLED_IN = {"PROLIFIC_PID": "{{%PROLIFIC_PID%}}", "SESSION_ID": "{{%SESSION_ID%}}"}


@admin.register(Study)
class StudyAdmin(SimpleHistoryAdmin):
    list_display = ("title", "slug", "status", "people", "votes", "simulated", "pages")
    list_filter = ("status", "demonstration", "target_metric")
    search_fields = ("title", "slug")
    actions = ("open_studies", "pilot_studies", "pause_studies", "close_studies")
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}
    form = StudyForm
    readonly_fields = READ_ONLY
    fieldsets = FIELDSETS
    history_list_per_page = 50

    class Media:
        css = {"all": ["studyserver/admin.css"]}

    def get_urls(self):
        return [*dashboard_urls(self), *step_urls(self), *super().get_urls()]

    def add_view(self, request, form_url="", extra_context=None):
        # A study without a stimulus set has nothing to show.
        return redirect("admin:studyserver_study_import")

    def change_view(self, request, object_id, form_url="", extra_context=None):
        study = self.get_object(request, object_id)
        context = {"show_save_and_add_another": False}
        if study:
            context |= {
                "ways_in": self._ways_in(request, study),
                "moves": moves_of(study),
                "preview": preview_address(study),
            }
        return super().change_view(request, object_id, form_url, {**context, **(extra_context or {})})

    def get_readonly_fields(self, request, obj=None):
        return (*self.readonly_fields, *locked_fields(obj)) if obj else self.readonly_fields

    def has_delete_permission(self, request, obj=None):
        return bool(
            super().has_delete_permission(request, obj)
            and obj
            and not obj.sources.exists()
            and not obj.participants.exists()
        )

    def history_form_view(self, request, object_id, version_id, extra_context=None):
        # An old record holds the status as well: going back to it would open a study unchecked.
        return redirect("admin:studyserver_study_history", object_id)

    def revert_disabled(self, request, obj=None):
        return True

    def save_model(self, request, obj, form, change):
        if change and "consent_text" in form.changed_data:
            obj.consent_version += 1
        super().save_model(request, obj, form, change)
        study_records_ensure(study=obj)
        if obj.status in _ORIGINS and "votes_per_pair" in form.changed_data:
            places_ensure(study=obj, origin=_ORIGINS[obj.status])

    def _ways_in(self, request, study) -> list[tuple[str, str]]:
        """Names and whole addresses under which participants come."""
        address = request.build_absolute_uri(reverse("landing", args=[study.slug]))
        ways = {"Anybody": address}
        for service in SERVICES:
            names = (service.identifier, service.submission)
            query = "&".join(f"{name}={_FILLED_IN.get(name, '…')}" for name in names)
            ways.setdefault(_SERVICE_NAMES.get(service.name, service.name.capitalize()), f"{address}?{query}")
        return list(ways.items())

    @admin.display(description="pages")
    def pages(self, study):
        links = [
            (reverse("admin:studyserver_study_dashboard", args=[study.pk]), "dashboard"),
            (reverse("admin:studyserver_study_check", args=[study.pk]), "check"),
            (preview_address(study), "preview"),
        ]
        return format_html_join(" · ", '<a href="{}">{}</a>', links)

    @admin.display(description="versions of this text")
    def consent_versions(self, study):
        versions = study.consent_texts.order_by("-version") if study.pk else ()
        return format_html_join(
            "",
            "<details><summary>Version {}, since {}</summary><div class='consent-text'>{}</div></details>",
            ((text.version, f"{text.created_at:%Y-%m-%d %H:%M}", text.text) for text in versions),
        )

    @admin.display(description="participants")
    def people(self, study):
        counts = _counts(study)
        text = f"{counts.completed} finished of {counts.participants}"
        return list_link("participant", text, study__id__exact=study.pk, origin__exact="real")

    @admin.display(description="votes of quota")
    def votes(self, study):
        counts = _counts(study)
        return list_link("pair", f"{counts.votes} of {counts.quota}", study__id__exact=study.pk)

    @admin.display(description="simulated + previews")
    def simulated(self, study):
        counts = _counts(study)
        return f"{counts.simulated} + {counts.previews}"

    @admin.display(description="materials")
    def materials(self, study):
        return format_html(
            "{} · {} · {} · {}",
            list_link("source", f"{study.sources.count()} sources", study__id__exact=study.pk),
            list_link("condition", f"{study.conditions.count()} conditions", study__id__exact=study.pk),
            list_link("stimulus", "stimuli", source__study__id__exact=study.pk),
            list_link("pair", f"{study.pairs.count()} pairs", study__id__exact=study.pk),
        )

    @admin.action(description="Open: let participants in", permissions=["change"])
    def open_studies(self, request, queryset):
        move_each(self, request, queryset, MOVES["open"])

    @admin.action(description="Pilot: let people in, marked and counted apart", permissions=["change"])
    def pilot_studies(self, request, queryset):
        move_each(self, request, queryset, MOVES["pilot"])

    @admin.action(description="Pause: nobody continues for now", permissions=["change"])
    def pause_studies(self, request, queryset):
        move_each(self, request, queryset, MOVES["pause"])

    @admin.action(description="Close: nobody new, those inside may finish", permissions=["change"])
    def close_studies(self, request, queryset):
        move_each(self, request, queryset, MOVES["close"])


def _counts(study):
    """The numbers of a study, counted once for all columns of its row."""
    if not hasattr(study, "counts_of_row"):
        study.counts_of_row = study_counts(study)
    return study.counts_of_row
