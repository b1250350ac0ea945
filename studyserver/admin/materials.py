"""What an import made: sources, conditions, stimuli and pairs."""

from django.contrib import admin
from django.db.models import Count

from studyserver.admin.attack_names import citation_of, title_of
from studyserver.admin.readonly import RecordAdmin, link_to, list_link
from studyserver.admin.stimulus_card import card_context, card_urls
from studyserver.models import Condition, Pair, Source, Stimulus
from studyserver.selectors import pairs_with_progress

__all__ = ["ConditionAdmin", "PairAdmin", "SourceAdmin", "StimulusAdmin"]


@admin.register(Source)
class SourceAdmin(RecordAdmin):
    list_display = ("name", "study_link", "size", "frames", "fps", "stimuli_link")
    list_filter = ("study",)
    search_fields = ("name", "sha256")
    list_select_related = ("study",)

    def get_queryset(self, request):
        return super().get_queryset(request).annotate(stimulus_count=Count("stimuli"))

    @admin.display(description="study", ordering="study")
    def study_link(self, source):
        return link_to(source.study)

    @admin.display(description="size")
    def size(self, source):
        return f"{source.width} × {source.height}"

    @admin.display(description="stimuli")
    def stimuli_link(self, source):
        return list_link("stimulus", source.stimulus_count, source__id__exact=source.pk)


@admin.register(Condition)
class ConditionAdmin(RecordAdmin):
    list_display = ("label", "kind", "study_link", "attack_title", "stimuli_link")
    list_filter = ("study", "kind")
    search_fields = ("label",)
    list_select_related = ("study",)
    readonly_fields = ("attack_title", "citation")

    def get_queryset(self, request):
        return super().get_queryset(request).annotate(stimulus_count=Count("stimuli"))

    @admin.display(description="study", ordering="study")
    def study_link(self, condition):
        return link_to(condition.study)

    @admin.display(description="what it is")
    def attack_title(self, condition):
        return title_of(condition)

    @admin.display(description="citation")
    def citation(self, condition):
        return citation_of(condition)

    @admin.display(description="stimuli")
    def stimuli_link(self, condition):
        return list_link("stimulus", condition.stimulus_count, condition__id__exact=condition.pk)


@admin.register(Stimulus)
class StimulusAdmin(RecordAdmin):
    list_display = ("__str__", "gain", "kept", "psnr", "ssim", "megabytes", "speed_matched")
    list_filter = ("source__study", "condition__label", "source__name")
    search_fields = ("manifest_id", "source__name", "condition__label", "sha256")
    list_select_related = ("source", "condition")
    readonly_fields = ("attack_title", "citation")
    fieldsets = (
        (None, {"fields": ("source", "condition", "attack_title", "citation")}),
        (
            "As recorded",
            {"classes": ("collapse",), "fields": ("manifest_id", "media", "sha256", "speed_matched", "quality")},
        ),
    )

    class Media:
        css = {"all": ["studyserver/admin.css"]}

    def get_urls(self):
        return [*card_urls(self), *super().get_urls()]

    def change_view(self, request, object_id, form_url="", extra_context=None):
        stimulus = self.get_object(request, object_id)
        context = card_context(request, stimulus) if stimulus else {}
        return super().change_view(request, object_id, form_url, {**context, **(extra_context or {})})

    @admin.display(description="what was done")
    def attack_title(self, stimulus):
        return title_of(stimulus.condition)

    @admin.display(description="citation")
    def citation(self, stimulus):
        return citation_of(stimulus.condition)

    @admin.display(description="delivered gain", ordering="gain_delivered")
    def gain(self, stimulus):
        return _number(stimulus.gain_delivered, "{:+.2%}")

    @admin.display(description="retention", ordering="retention")
    def kept(self, stimulus):
        return _number(stimulus.retention, "{:.0%}")

    @admin.display(description="PSNR, dB")
    def psnr(self, stimulus):
        return _number(stimulus.quality.get("psnr"), "{:.1f}")

    @admin.display(description="SSIM")
    def ssim(self, stimulus):
        return _number(stimulus.quality.get("ssim"), "{:.4f}")

    @admin.display(description="MB", ordering="bytes")
    def megabytes(self, stimulus):
        return f"{stimulus.bytes / 1e6:.2f}"


def _number(value, form: str) -> str:
    return "–" if value is None else form.format(value)


@admin.register(Pair)
class PairAdmin(RecordAdmin):
    list_display = ("__str__", "kind", "study_link", "votes", "simulated_votes", "trials_link")
    list_filter = ("study", "kind", "source__name")
    search_fields = ("source__name", "first__condition__label", "second__condition__label")
    list_select_related = ("study", "source", "first__condition", "second__condition")

    def get_queryset(self, request):
        return pairs_with_progress().order_by("study", "source", "id")

    @admin.display(description="study", ordering="study")
    def study_link(self, pair):
        return link_to(pair.study)

    @admin.display(description="people of quota", ordering="answered")
    def votes(self, pair):
        return f"{pair.answered} of {pair.study.votes_per_pair}" if pair.kind == Pair.Kind.TEST else "–"

    @admin.display(description="simulated", ordering="answered_simulated")
    def simulated_votes(self, pair):
        return pair.answered_simulated

    @admin.display(description="trials")
    def trials_link(self, pair):
        return list_link("trial", "trials", pair__id__exact=pair.pk)
