from __future__ import annotations

from django import forms


class AuthorForm(forms.Form):
    """Not a model form: asking for an author who exists is no error here."""

    first_name = forms.CharField(max_length=100)
    last_name = forms.CharField(max_length=100)
