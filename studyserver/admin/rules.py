"""The rules of use and of pay: their versions, a form for a new one, and what two versions drop."""

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, Subquery
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html_join

from studyserver.admin.downloads import columns_json, participants_csv, payments_csv, votes_csv
from studyserver.admin.readonly import RecordAdmin, link_to, moment_column
from studyserver.admin.rule_forms import ComparisonForm, RuleForm
from studyserver.models import Exclusion, Rule, Study
from studyserver.rules import default_rules, rule_document, value_text
from studyserver.selectors import rule_compare, rule_in_force, rule_of
from studyserver.services import rule_set

__all__ = ["ExclusionAdmin", "RuleAdmin"]


@admin.register(Rule)
class RuleAdmin(RecordAdmin):
    list_display = ("named", "study_link", "in_force", "new_version", "differs", "note", "made")
    list_filter = ("study", "purpose")
    list_select_related = ("study",)
    ordering = ("-created_at", "-id")
    fields = ("study", "purpose", "version", "in_force", "settings_list", "note", "author", "created_at", "new_version")
    readonly_fields = fields

    def get_queryset(self, request):
        versions = Rule.objects.filter(study=OuterRef("study"), purpose=OuterRef("purpose")).order_by("-version")
        return super().get_queryset(request).annotate(newest=Subquery(versions.values("version")[:1]))

    def get_urls(self):
        def study_page(address, view, name):
            return path(address, self.admin_site.admin_view(self._of_study(view)), name=f"studyserver_study_{name}")

        return [
            study_page("of/<int:pk>/compare/", self.compare, "rules_compare"),
            study_page("of/<int:pk>/payments.csv", payments_csv, "payments"),
            study_page("of/<int:pk>/votes.csv", votes_csv, "votes_csv"),
            study_page("of/<int:pk>/participants.csv", participants_csv, "participants_csv"),
            study_page("of/<int:pk>/columns.json", columns_json, "columns"),
            study_page("of/<int:pk>/<slug:purpose>/", self.change_rule, "rule"),
            *super().get_urls(),
        ]

    def _of_study(self, view):
        """A view of one study for those who may look at its rules and people."""

        def wrapped(request, pk, **options):
            if not request.user.has_perms(["studyserver.view_rule", "studyserver.view_participant"]):
                raise PermissionDenied
            return view(request, get_object_or_404(Study, pk=pk), **options)

        return wrapped

    def _page(self, request, study, template, title, **context):
        context |= self.admin_site.each_context(request)
        context |= {"study": study, "title": title, "opts": self.model._meta}
        return render(request, f"admin/studyserver/rule/{template}.html", context)

    def change_rule(self, request, study, purpose):
        """The form for a new version of one rule."""
        if purpose not in Rule.Purpose.values:
            raise Http404
        if not request.user.has_perm("studyserver.add_rule"):
            raise PermissionDenied
        present = rule_in_force(study, purpose)
        form = RuleForm(purpose, request.POST or None, initial=default_rules()[purpose] | present.settings)
        if request.method == "POST" and form.is_valid():
            rule = rule_set(
                study=study,
                purpose=purpose,
                settings=form.settings,
                note=form.cleaned_data["note"],
                author=request.user.get_username(),
            )
            if rule.pk == present.pk:
                messages.warning(request, "Nothing was different: no new version was made.")
            else:
                self.log_addition(request, rule, f"New version {rule.version}: {rule.note}")
                messages.success(request, f"Version {rule.version} is in force. No vote was lost.")
            if purpose == Rule.Purpose.USE and rule.version > 1:
                address = reverse("admin:studyserver_study_rules_compare", args=[study.pk])
                return redirect(f"{address}?first={rule.version - 1}&second={rule.version}")
            return redirect(f"{reverse('admin:studyserver_rule_changelist')}?study__id__exact={study.pk}")
        title = f"Change the rule: {Rule.Purpose(purpose).label}"
        return self._page(request, study, "new", title, form=form, present=present)

    def compare(self, request, study):
        """What two versions of the rule of use drop."""
        versions = list(study.rules.filter(purpose=Rule.Purpose.USE).order_by("-version"))
        if not versions:
            raise Http404
        newest = versions[0].version
        chosen = {"first": max(newest - 1, versions[-1].version), "second": newest} | request.GET.dict()
        form = ComparisonForm(versions, chosen)
        comparison = None
        if form.is_valid():
            numbered = {str(rule.version): rule for rule in versions}
            first, second = (numbered[form.cleaned_data[name]] for name in ("first", "second"))
            comparison = rule_compare(study, first, second)
        return self._page(
            request,
            study,
            "compare",
            "What two versions of the rule of use drop",
            form=form,
            comparison=comparison,
            changes=_changes(first, second) if comparison else (),
        )

    @admin.display(description="study", ordering="study")
    def study_link(self, rule):
        return link_to(rule.study)

    @admin.display(description="in force", boolean=True)
    def in_force(self, rule):
        return rule.version == rule.newest

    @admin.display(description="unlike the default")
    def differs(self, rule):
        default = Rule(purpose=rule.purpose, settings={})
        changed = [f"{name} {value}" for name, _, value in _changes(default, rule)]
        return ", ".join(changed) or "nothing"

    @admin.display(description="settings")
    def settings_list(self, rule):
        rows = ((name, value_text(value)) for name, value in rule_document(rule_of(rule)).items())
        return format_html_join("", "<div>{}: {}</div>", rows)

    @admin.display(description="rule", ordering="purpose")
    def named(self, rule):
        return f"{rule.purpose}, version {rule.version}"

    @admin.display(description="made", ordering="created_at")
    def made(self, rule):
        return f"{timezone.localtime(rule.created_at):%Y-%m-%d %H:%M} {rule.author}"

    @admin.display(description="change")
    def new_version(self, rule):
        change = reverse("admin:studyserver_study_rule", args=[rule.study_id, rule.purpose])
        links = [(change, "new version")]
        if rule.purpose == Rule.Purpose.USE:
            links.append((reverse("admin:studyserver_study_rules_compare", args=[rule.study_id]), "compare"))
        return format_html_join(", ", '<a href="{}">{}</a>', links)


def _changes(first: Rule, second: Rule) -> list[tuple[str, str, str]]:
    """Return (setting, before, after) where two versions differ, as people read it."""
    old, new = (rule_document(rule_of(rule)) for rule in (first, second))
    return [(name, value_text(old[name]), value_text(new[name])) for name in old if old[name] != new[name]]


@admin.register(Exclusion)
class ExclusionAdmin(RecordAdmin):
    list_display = ("participant_link", "study", "reason", "author", "created", "lifted", "lifted_by")
    list_filter = ("participant__study", ("lifted_at", admin.EmptyFieldListFilter), "author")
    search_fields = ("participant__code", "reason")
    list_select_related = ("participant__study",)
    created = moment_column("created_at", "excluded at")
    lifted = moment_column("lifted_at", "lifted at")

    @admin.display(description="participant", ordering="participant")
    def participant_link(self, exclusion):
        return link_to(exclusion.participant)

    @admin.display(description="study", ordering="participant__study")
    def study(self, exclusion):
        return exclusion.participant.study
