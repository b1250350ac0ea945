"""The form of a study's settings: nothing is saved over what somebody else changed meanwhile."""

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

__all__ = ["StudyForm"]


class StudyForm(forms.ModelForm):
    """`seen` is the last record of the study's history when the page was made; it travels with the page."""

    seen = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.initial["seen"] = getattr(self._newest(), "pk", None)

    def clean(self):
        newest = self._newest()
        if newest and newest.pk != self.cleaned_data.get("seen"):
            who = newest.history_user or "a command"
            raise ValidationError(
                f"Nothing was saved: {who} changed this study after you opened the page "
                f"({timezone.localtime(newest.history_date):%Y-%m-%d %H:%M}). "
                "Open it again and enter your changes there."
            )
        return super().clean()

    def _newest(self):
        return self.instance.history.order_by("-history_id").first()
