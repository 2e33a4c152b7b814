"""A form that shows every kind of field, valid and not."""

from __future__ import annotations

from django import forms


class SampleForm(forms.Form):
    name = forms.CharField(
        max_length=63, help_text="Lower-case letters, digits and hyphens. It cannot change later."
    )
    version = forms.CharField(label="Version", max_length=20)
    feature = forms.ChoiceField(choices=[("config-assistant", "config-assistant"), ("summary", "summary")])
    note = forms.CharField(
        label="Changelog",
        widget=forms.Textarea(attrs={"rows": 3}),
        required=False,
        help_text="What changed and why, for the people who approve it.",
    )
    bump = forms.ChoiceField(
        label="Kind of change",
        choices=[("patch", "Patch: wording only"), ("minor", "Minor: new optional input")],
        widget=forms.RadioSelect,
        help_text="Derived from the diff; raise it if the meaning changes more.",
    )
    notify = forms.BooleanField(
        label="Tell the approvers", required=False, help_text="They see it on their home page either way."
    )

    def clean_version(self) -> str:
        version: str = self.cleaned_data["version"]
        if version == "1.3.0":
            raise forms.ValidationError(
                "1.3.0 is already published. Use a higher version, for example 1.4.0."
            )
        return version
