"""Trials and votes."""

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList

from studyserver.admin.readonly import RecordAdmin, link_to, moment_column
from studyserver.models import Rule, Trial, Vote
from studyserver.selectors import rule_in_force, vote_reasons

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


class _VoteList(ChangeList):
    """The page of votes, each with the reason why it does not count."""

    def get_results(self, request):
        super().get_results(request)
        self.result_list = list(self.result_list)
        of_study = {}
        for vote in self.result_list:
            of_study.setdefault(vote.trial.participant.study, set()).add(vote.trial.session)
        reasons = {
            key: reason
            for study, sessions in of_study.items()
            for key, reason in vote_reasons(study, sessions=sessions).items()
        }
        for vote in self.result_list:
            # Its participant may be withdrawing at this moment.
            vote.reason = reasons.get(vote.pk, "taken back")


@admin.register(Vote)
class VoteAdmin(RecordAdmin):
    list_display = ("choice", "kind", "sides", "participant_link", "counts", "note", "voted")
    list_filter = ("trial__pair__study", "trial__kind", "choice", "presentation", "late", "trial__origin")
    search_fields = ("trial__participant__code", "trial__pair__source__name")
    list_select_related = (
        "trial__participant__study",
        "trial__session",
        *(f"trial__{name}" for name in _PAIR),
    )
    date_hierarchy = "voted_at"
    readonly_fields = ("judged",)
    voted = moment_column("voted_at", "voted at")

    def get_changelist(self, request, **options):
        return _VoteList

    @admin.display(description="kind", ordering="trial__kind")
    def kind(self, vote):
        return vote.trial.kind

    @admin.display(description="left | right")
    def sides(self, vote):
        return f"{vote.trial.pair.source.name}: {vote.trial.left.condition} | {vote.trial.right.condition}"

    @admin.display(description="participant", ordering="trial__participant")
    def participant_link(self, vote):
        return link_to(vote.trial.participant)

    @admin.display(description="counts", boolean=True)
    def counts(self, vote):
        return not vote.reason

    @admin.display(description="whether it counts")
    def judged(self, vote):
        study = vote.trial.participant.study
        reason = vote_reasons(study, sessions=[vote.trial.session])[vote.pk]
        rule = rule_in_force(study, Rule.Purpose.USE)
        return f"{'no: ' if reason else 'yes'}{reason} (rule of use, version {rule.version})"

    @admin.display(description="why it does not count")
    def note(self, vote):
        return vote.reason or "–"
