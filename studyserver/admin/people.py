"""Participants and their sessions."""

from django.contrib import admin
from django.db.models import Count

from studyserver.admin.readonly import RecordAdmin, link_to, list_link, moment_column
from studyserver.models import Participant, Session

__all__ = ["ParticipantAdmin", "SessionAdmin"]


@admin.register(Participant)
class ParticipantAdmin(RecordAdmin):
    list_display = ("code", "origin", "study_link", "session_link", "votes", "created")
    list_filter = ("study", "origin", "session__state")
    created = moment_column("created_at", "created at")
    search_fields = ("code",)
    list_select_related = ("study", "session")

    def get_queryset(self, request):
        return super().get_queryset(request).annotate(vote_count=Count("trials__vote"))

    @admin.display(description="study", ordering="study")
    def study_link(self, participant):
        return link_to(participant.study)

    @admin.display(description="session")
    def session_link(self, participant):
        session = getattr(participant, "session", None)
        return "–" if session is None else link_to(session)

    @admin.display(description="votes", ordering="vote_count")
    def votes(self, participant):
        return list_link("vote", participant.vote_count, trial__participant__id__exact=participant.pk)


@admin.register(Session)
class SessionAdmin(RecordAdmin):
    list_display = ("__str__", "state", "progress", "consent_version", "consented", "completed", "lease")
    list_filter = ("participant__study", "state", "participant__origin")
    search_fields = ("participant__code",)
    list_select_related = ("participant",)
    date_hierarchy = "consented_at"
    consented = moment_column("consented_at", "consented at")
    completed = moment_column("completed_at", "completed at")
    lease = moment_column("lease_until", "lease until")

    def get_queryset(self, request):
        return super().get_queryset(request).annotate(voted=Count("trials__vote"), planned=Count("trials"))

    @admin.display(description="trials answered")
    def progress(self, session):
        return list_link("trial", f"{session.voted} of {session.planned}", session__id__exact=session.pk)
