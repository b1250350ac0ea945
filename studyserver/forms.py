"""What participants submit through forms."""

from django import forms
from django.utils.translation import gettext_lazy as _

__all__ = ["ConsentForm", "WithdrawalForm"]

_GROUP = 4


class ConsentForm(forms.Form):
    """Agreement to take part; `visit` makes a second submission of the same page the same visit.

    `version` is that of the consent text on the page; the text may have changed since it was sent.
    """

    agree = forms.BooleanField(error_messages={"required": _("Please tick the box if you wish to take part.")})
    visit = forms.CharField(max_length=100)
    version = forms.IntegerField()


class WithdrawalForm(forms.Form):
    """A withdrawal code, and that its owner means it."""

    code = forms.CharField(max_length=100, error_messages={"required": _("Please enter your withdrawal code.")})
    sure = forms.BooleanField(error_messages={"required": _("Please tick the box to confirm.")})

    def clean_code(self) -> str:
        """Return the code as it was issued, whatever case, spaces and hyphens it was typed with."""
        typed = "".join(letter for letter in self.cleaned_data["code"].upper() if letter.isalnum())
        return "-".join(typed[start : start + _GROUP] for start in range(0, len(typed), _GROUP))
