"""A study from a stimulus set in three steps: import, check, open."""

from pathlib import Path

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.validators import validate_slug
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.text import slugify
from django.views.decorators.http import require_POST

from stimuli.errors import StimuliError
from studyserver.admin.study_moves import MOVES, move_each, moves_of
from studyserver.errors import StudyError
from studyserver.findings import PASSED, REFUSED, WARNING
from studyserver.models import Study
from studyserver.selectors import study_facts
from studyserver.services import import_stimulus_set
from studyserver.study_check import check, planned_totals
from studyserver.views.visit import preview_address

__all__ = ["step_urls"]

# Worst first: what stands in the way is read before what is well.
_LEVELS = (REFUSED, WARNING, PASSED)


class ImportForm(forms.Form):
    """Where the set lies, and what the study is called."""

    folder = forms.CharField(
        max_length=1000,
        label="Folder on the server",
        help_text="The whole path of a folder that holds manifest.json, as generate_stimuli wrote it.",
        widget=forms.TextInput(attrs={"class": "vTextField", "autofocus": True, "spellcheck": "false"}),
    )
    title = forms.CharField(
        max_length=200,
        help_text="Shown to participants: say nothing of attacks in it.",
        widget=forms.TextInput(attrs={"class": "vTextField"}),
    )
    slug = forms.CharField(
        max_length=50,
        required=False,
        validators=[validate_slug],
        label="Short name",
        help_text="Part of the participants' address; empty: made from the title.",
        widget=forms.TextInput(attrs={"class": "vTextField"}),
    )
    interval_width = forms.FloatField(
        min_value=0,
        max_value=5,
        initial=0.3,
        label="Wanted half-width of an interval",
        help_text="In logits; 0.3 is about 7 points of preference. The check says how many clips that needs; "
        "0 does not ask.",
    )

    def clean_folder(self):
        folder = Path(self.cleaned_data["folder"].strip())
        if not folder.is_absolute():
            raise forms.ValidationError(f"Write the whole path, from /: {folder} could be anywhere.")
        return folder

    def clean(self):
        data = super().clean()
        if "title" in data and "slug" in data and not data["slug"]:
            data["slug"] = slugify(data["title"])[:50]
            if not data["slug"]:
                self.add_error("slug", "No short name can be made from this title; write one.")
        return data


def step_urls(model_admin) -> list:
    """Return the addresses of the steps, each under the admin's login."""

    def of(view, address: str, name: str):
        def page(request: HttpRequest, *args, **kwargs) -> HttpResponse:
            return view(model_admin, request, *args, **kwargs)

        return path(address, model_admin.admin_site.admin_view(page), name=f"studyserver_study_{name}")

    return [
        of(_import, "import/", "import"),
        of(_check, "<int:pk>/check/", "check"),
        of(_move, "<int:pk>/move/", "move"),
    ]


def _import(model_admin, request: HttpRequest) -> HttpResponse:
    if not model_admin.has_add_permission(request):
        raise PermissionDenied
    form = ImportForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        result = _imported(model_admin, request, form)
        if result is not None:
            return redirect("admin:studyserver_study_check", result.study.pk)
    return _page(model_admin, request, "import", title="New study: import a stimulus set", form=form)


def _imported(model_admin, request: HttpRequest, form: ImportForm):
    """The import's result; None where it failed, with the reason in the form."""
    values = form.cleaned_data
    there = Study.objects.filter(slug=values["slug"]).first()
    if there and not model_admin.has_change_permission(request, there):
        form.add_error("slug", "A study of this name is there, and you may not change it.")
        return None
    try:
        result = import_stimulus_set(**values)
    except (StudyError, StimuliError) as error:
        form.add_error("folder", f"{str(error)[:1].upper()}{str(error)[1:]}")
        return None
    except OSError as error:
        form.add_error("folder", f"The server cannot read {values['folder']}: {error.strerror}.")
        return None
    model_admin.log_addition(request, result.study, "Imported a stimulus set.") if result.created else None
    told = "The set is imported" if result.created else "The set was here already, and its files are whole"
    model_admin.message_user(
        request, f"{told}: {result.stimuli} stimuli of {result.sources} sources.", messages.SUCCESS
    )
    return result


def _check(model_admin, request: HttpRequest, pk: int) -> HttpResponse:
    study = _study(model_admin, request, pk)
    facts = study_facts(study, read_contents="contents" in request.GET)
    pilot = {item.rule: item.level for item in check(facts, pilot=True)}
    findings = sorted(check(facts), key=lambda item: _LEVELS.index(item.level))
    allowed = {"open": all(item.level != REFUSED for item in findings), "pilot": REFUSED not in pilot.values()}
    return _page(
        model_admin,
        request,
        "check",
        title=f"Check: {study.title}",
        study=study,
        step=3 if study.status in (Study.Status.OPEN, Study.Status.PILOT) else 2,
        findings=findings,
        counts={level: sum(item.level == level for item in findings) for level in _LEVELS},
        totals=planned_totals(facts),
        sha256_read=facts.sha256_read,
        moves=[(name, text, allowed.get(name, True)) for name, text in moves_of(study)],
        may_change=model_admin.has_change_permission(request, study),
        preview=preview_address(study),
    )


def _move(model_admin, request: HttpRequest, pk: int) -> HttpResponse:
    return require_POST(_moved)(request, model_admin, pk)


def _moved(request: HttpRequest, model_admin, pk: int) -> HttpResponse:
    study = _study(model_admin, request, pk)
    if not model_admin.has_change_permission(request, study):
        raise PermissionDenied
    move = MOVES.get(request.POST.get("to", ""))
    if move is None:
        raise Http404("no such change of status")
    move_each(model_admin, request, [study], move)
    page = "check" if "check" in request.POST else "change"
    return redirect(reverse(f"admin:studyserver_study_{page}", args=[study.pk]))


def _study(model_admin, request: HttpRequest, pk: int) -> Study:
    study = model_admin.get_object(request, str(pk))
    if study is None:
        raise Http404("no such study")
    if not model_admin.has_view_or_change_permission(request, study):
        raise PermissionDenied
    return study


def _page(model_admin, request: HttpRequest, template: str, **context) -> HttpResponse:
    context = {**model_admin.admin_site.each_context(request), "opts": model_admin.opts, **context}
    return TemplateResponse(request, f"admin/studyserver/study/{template}.html", context)
