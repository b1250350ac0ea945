"""Participants and their sessions: who counts, who was paid."""

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import Count, Exists, OuterRef
from django.shortcuts import render
from django.utils import timezone
from django.utils.html import format_html_join

from studyserver.admin.downloads import payments_csv
from studyserver.admin.readonly import RecordAdmin, link_to, list_link, moment_column
from studyserver.errors import InvalidExclusion
from studyserver.models import Exclusion, Participant, Session, Withdrawal
from studyserver.selectors import consent_text_of, payment_rows
from studyserver.services import (
    exclusion_lift,
    participant_exclude,
    session_withdraw,
    sessions_mark_paid,
    sessions_mark_unpaid,
)

__all__ = ["ParticipantAdmin", "SessionAdmin", "WithdrawalAdmin"]


@admin.register(Participant)
class ParticipantAdmin(RecordAdmin):
    list_display = ("code", "origin", "study_link", "session_link", "votes", "counts", "created")
    list_filter = ("study", "origin", "session__state")
    created = moment_column("created_at", "created at")
    search_fields = ("code", "session__submission")
    list_select_related = ("study", "session")
    fields = ("code", "origin", "study_link", "session_link", "votes", "created", "exclusions")
    readonly_fields = fields
    actions = ("exclude_people", "lift_exclusions", "withdraw_people")

    def get_queryset(self, request):
        in_force = Exclusion.objects.filter(participant=OuterRef("pk"), lifted_at=None)
        return super().get_queryset(request).annotate(vote_count=Count("trials__vote"), is_excluded=Exists(in_force))

    def has_exclude_permission(self, request):
        """Records are not edited, but leaving people out is for those who may change participants."""
        return request.user.has_perm("studyserver.change_participant")

    def has_withdraw_permission(self, request):
        """What a withdrawal takes away cannot be had back."""
        return request.user.has_perm("studyserver.delete_participant")

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

    @admin.display(description="not excluded", boolean=True, ordering="is_excluded")
    def counts(self, participant):
        return not participant.is_excluded

    @admin.display(description="exclusions")
    def exclusions(self, participant):
        told = [(_told(exclusion),) for exclusion in participant.exclusions.all()]
        return format_html_join("", "<div>{}</div>", told) if told else "–"

    @admin.action(description="Exclude: their votes do not count (asks for the reason)", permissions=["exclude"])
    def exclude_people(self, request, queryset):
        error = ""
        if "reason" in request.POST:
            try:
                for participant in queryset:
                    exclusion = participant_exclude(
                        participant=participant, reason=request.POST["reason"], author=request.user.get_username()
                    )
                    self.log_change(request, participant, f"Excluded: {exclusion.reason}")
            except InvalidExclusion as refused:
                error = str(refused)
            else:
                self.message_user(
                    request,
                    f"{len(queryset)} excluded. Their votes are kept, and their places in the quota are free again.",
                    messages.SUCCESS,
                )
                return None
        return self._ask(request, "exclude", queryset, error=error, reason=request.POST.get("reason", ""))

    @admin.action(description="Lift the exclusion: their votes count again", permissions=["exclude"])
    def lift_exclusions(self, request, queryset):
        lifted = [
            participant
            for participant in queryset
            if exclusion_lift(participant=participant, author=request.user.get_username())
        ]
        for participant in lifted:
            self.log_change(request, participant, "Exclusion lifted")
        self.message_user(
            request, f"{len(lifted)} exclusion{'s' if len(lifted) != 1 else ''} lifted.", messages.SUCCESS
        )

    @admin.action(description="Withdraw for them, as the study says (asks first)", permissions=["withdraw"])
    def withdraw_people(self, request, queryset):
        if "confirmed" not in request.POST:
            return self._ask(request, "withdraw", queryset)
        done = 0
        for participant in queryset.exclude(session=None):
            if session_withdraw(session=participant.session):
                done += 1
                # Of the study, not of the person: whose it was is not to be known any more.
                self.log_change(request, participant.study, "Withdrew for a participant")
        self.message_user(request, f"{done} withdrawn.", messages.SUCCESS)
        return None

    def _ask(self, request, verb, participants, **context):
        """The page that asks before people are excluded or withdrawn."""
        context |= self.admin_site.each_context(request) | {
            "title": f"{verb.capitalize()} participants",
            "verb": verb.capitalize(),
            "action": f"{verb}_people",
            "opts": self.opts,
            "participants": participants,
            "checkbox": ACTION_CHECKBOX_NAME,
        }
        return render(request, f"admin/studyserver/participant/{verb}.html", context)


@admin.register(Session)
class SessionAdmin(RecordAdmin):
    list_display = ("__str__", "state", "progress", "consented", "completed", "paid")
    list_filter = ("participant__study", "state", "participant__origin", ("paid_at", admin.EmptyFieldListFilter))
    search_fields = ("participant__code", "submission")
    list_select_related = ("participant__study",)
    date_hierarchy = "consented_at"
    readonly_fields = ("study_link", "payment", "agreed_text")
    actions = ("mark_paid", "mark_unpaid", "payment_list")
    consented = moment_column("consented_at", "consented at")
    completed = moment_column("completed_at", "completed at")
    paid = moment_column("paid_at", "paid at")

    def get_queryset(self, request):
        return super().get_queryset(request).annotate(voted=Count("trials__vote"), planned=Count("trials"))

    def has_pay_permission(self, request):
        """Records are not edited, but noting payments is for those who may change sessions."""
        return request.user.has_perm("studyserver.change_session")

    @admin.display(description="study", ordering="participant__study")
    def study_link(self, session):
        return link_to(session.participant.study)

    @admin.display(description="trials answered")
    def progress(self, session):
        return list_link("trial", f"{session.voted} of {session.planned}", session__id__exact=session.pk)

    @admin.display(description="payment by the rule in force")
    def payment(self, session):
        rows = payment_rows(session.participant.study, sessions=[session])
        return f"{rows[0].pay}: {rows[0].amount:.2f} {rows[0].currency} ({rows[0].reason})" if rows else "–"

    @admin.display(description="consent text that was agreed to")
    def agreed_text(self, session):
        return consent_text_of(session)

    @admin.action(description="Mark as paid, what the pay rule gives", permissions=["pay"])
    def mark_paid(self, request, queryset):
        chosen = list(queryset)
        unpaid = [session.pk for session in chosen if session.paid_at is None]
        paid = sum(sessions_mark_paid(study=study, sessions=sessions) for study, sessions in _by_study(chosen))
        for session in Session.objects.filter(pk__in=unpaid).exclude(paid_at=None).select_related("participant"):
            self.log_change(request, session, f"Marked as paid: {session.paid_amount}")
        passed = len(chosen) - paid
        more = f" {passed} get nothing or were paid already." if passed else ""
        self.message_user(request, f"{paid} marked as paid.{more}", messages.SUCCESS)

    @admin.action(description="Take back that they were paid", permissions=["pay"])
    def mark_unpaid(self, request, queryset):
        paid = list(queryset.exclude(paid_at=None))
        for session in paid:
            self.log_change(request, session, f"Taken back that {session.paid_amount} was paid")
        self.message_user(request, f"{sessions_mark_unpaid(sessions=paid)} marked as not paid.", messages.SUCCESS)

    @admin.action(description="Download the payment list of these (CSV)", permissions=["view"])
    def payment_list(self, request, queryset):
        studies = list(_by_study(queryset))
        if len(studies) > 1:
            self.message_user(request, "Choose sessions of one study; each has its own list.", messages.ERROR)
            return None
        study, sessions = studies[0]
        return payments_csv(request, study, sessions)


@admin.register(Withdrawal)
class WithdrawalAdmin(RecordAdmin):
    list_display = ("happened", "study", "done", "votes")
    list_filter = ("study",)
    list_select_related = ("study",)
    happened = moment_column("happened_at", "when")


def _told(exclusion: Exclusion) -> str:
    """Who left the participant out, when and why, and who took it back."""
    text = f"{_when(exclusion.created_at)}, by {exclusion.author or 'a command'}: {exclusion.reason}"
    if exclusion.lifted_at is None:
        return text
    return f"{text}; lifted {_when(exclusion.lifted_at)}, by {exclusion.lifted_by or 'a command'}"


def _when(moment) -> str:
    return f"{timezone.localtime(moment):%Y-%m-%d %H:%M}"


def _by_study(sessions):
    """Yield each study with its sessions."""
    studies = {}
    for session in sessions:
        studies.setdefault(session.participant.study, []).append(session)
    return studies.items()
