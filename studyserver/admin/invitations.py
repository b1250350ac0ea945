"""Single-use invitation links: made in numbers, listed with their state, downloaded as a table."""

import csv

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import AdminForm
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html

from studyserver.admin.readonly import link_to, moment_column
from studyserver.models import Invitation, Study
from studyserver.services import invitations_create
from studyserver.services.invitations import MOST_INVITATIONS
from studyserver.views.visit import invitation_address

__all__ = ["InvitationAdmin"]


class _InvitationsForm(forms.Form):
    study = forms.ModelChoiceField(Study.objects.order_by("title"))
    count = forms.IntegerField(label="How many", min_value=1, max_value=MOST_INVITATIONS, initial=20)
    label = forms.CharField(
        required=False,
        max_length=100,
        help_text="Your own note, for example whom the links are for. Not shown to anybody else.",
    )


class _StateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request, model_admin):
        return [("unused", "unused"), ("used", "used")]

    def queryset(self, request, queryset):
        return queryset.filter(used_at__isnull=self.value() == "unused") if self.value() else queryset


@admin.register(Invitation)
class InvitationAdmin(admin.ModelAdmin):
    list_filter = ("study", _StateFilter)
    search_fields = ("label", "token")
    list_select_related = ("study", "participant")
    list_per_page = 100
    actions = ("download_links",)
    created = moment_column("created_at", "created at")

    def has_change_permission(self, request, obj=None):
        return False

    def get_list_display(self, request):
        # A link needs the name under which this server was reached.
        @admin.display(description="link")
        def link(invitation):
            return format_html("<code>{}</code>", _link(request, invitation))

        return (link, "state", "label", "participant_link", "created")

    @admin.display(description="state", ordering="used_at")
    def state(self, invitation):
        return "used" if invitation.used_at else "unused"

    @admin.display(description="participant")
    def participant_link(self, invitation):
        return link_to(invitation.participant)

    def add_view(self, request, form_url="", extra_context=None):
        """Ask for study, number and note, and make that many links."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = _InvitationsForm(request.POST or None, initial={"study": request.GET.get("study")})
        if request.method == "POST" and form.is_valid():
            made = invitations_create(**form.cleaned_data)
            self.message_user(
                request, f"{len(made)} invitation link{'s' if len(made) > 1 else ''} made.", messages.SUCCESS
            )
            study = form.cleaned_data["study"].pk
            return redirect(f"{reverse('admin:studyserver_invitation_changelist')}?study__id__exact={study}")
        context = {
            **self.admin_site.each_context(request),
            "title": "Make invitation links",
            "opts": self.opts,
            "errors": form.errors,
            "adminform": AdminForm(form, [(None, {"fields": list(form.fields)})], {}),
        }
        return render(request, "admin/studyserver/invitation/add_form.html", context)

    @admin.action(description="Download the links as CSV", permissions=["view"])
    def download_links(self, request, queryset):
        response = HttpResponse(content_type="text/csv; charset=utf-8")
        response.headers["Content-Disposition"] = 'attachment; filename="invitations.csv"'
        table = csv.writer(response)
        table.writerow(["study", "link", "label", "state"])
        for invitation in queryset.order_by("pk"):
            table.writerow(
                [invitation.study.slug, _link(request, invitation), _cell(invitation.label), self.state(invitation)]
            )
        return response


def _link(request: HttpRequest, invitation: Invitation) -> str:
    return request.build_absolute_uri(invitation_address(invitation.study, invitation.token))


def _cell(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in tuple("=+-@\t\r") and text else text
