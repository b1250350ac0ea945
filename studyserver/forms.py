"""What participants submit through forms."""

from django import forms

__all__ = ["ConsentForm"]


class ConsentForm(forms.Form):
    """Agreement to take part; `visit` makes a second submission of the same page the same visit."""

    agree = forms.BooleanField(error_messages={"required": "Please tick the box if you wish to take part."})
    visit = forms.CharField(max_length=100)
