"""The form of a new version of a rule, with one field per setting, and the one that compares two versions."""

from django import forms

from studyserver.models import Rule
from studyserver.rules import OUTCOMES, Setting, rule_settings

__all__ = ["ComparisonForm", "RuleForm"]


def _field(setting: Setting) -> forms.Field:
    common = {
        "label": setting.name.replace("_", " ").capitalize(),
        "help_text": f"{setting.help} Default: {setting.default_text}.",
    }
    bounds = {"min_value": 0, "max_value": setting.most}
    match setting.kind:
        case "switch":
            return forms.BooleanField(required=False, **common)
        case "outcomes":
            choices = [(outcome, outcome) for outcome in OUTCOMES]
            return forms.MultipleChoiceField(
                choices=choices, required=False, widget=forms.CheckboxSelectMultiple, **common
            )
        case "count":
            return forms.IntegerField(**bounds, **common)
        case _:
            return forms.FloatField(**bounds, **common)


class RuleForm(forms.Form):
    """The settings of a rule of one purpose, and why they are changed."""

    def __init__(self, purpose: str, *args, **options):
        super().__init__(*args, **options)
        for setting in rule_settings(purpose):
            self.fields[setting.name] = _field(setting)
        self.fields["note"] = forms.CharField(
            max_length=Rule._meta.get_field("note").max_length,
            label="Why",
            help_text="What made you change the rule; it stays with the version.",
            widget=forms.TextInput(attrs={"class": "vTextField"}),
        )

    @property
    def settings(self) -> dict:
        """What was entered, by name of the setting."""
        return {name: value for name, value in self.cleaned_data.items() if name != "note"}


class ComparisonForm(forms.Form):
    """Two versions of one study's rule of use."""

    def __init__(self, versions: list[Rule], *args, **options):
        super().__init__(*args, **options)
        choices = [(str(rule.version), f"version {rule.version}: {rule.note or 'no note'}") for rule in versions]
        self.fields["first"] = forms.ChoiceField(choices=choices, label="Version")
        self.fields["second"] = forms.ChoiceField(choices=choices, label="against version")
