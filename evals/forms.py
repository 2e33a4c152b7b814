"""Forms of evaluations."""

from __future__ import annotations

from django import forms

from registry.forms.json_text import JSONTextField


class SuiteForm(forms.Form):
    """A suite as JSON, with its number and what changed."""

    body = JSONTextField(
        rows=22,
        required=True,
        label="Suite",
        help_text="Its name, its stages from static over functional to quality, and a budget. Datasets with their frozen version.",
    )
    version = forms.CharField(
        required=False, max_length=80, help_text="Empty: the next minor version of its name."
    )
    changelog = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="What changed, for those who read reports.",
    )
