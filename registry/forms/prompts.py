from __future__ import annotations

from django import forms


class PromptForm(forms.Form):
    """A new prompt."""

    name = forms.CharField(
        max_length=80,
        help_text="Lower-case letters, digits, dots, dashes and underscores. Services fetch the prompt by this name.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "off"}),
    )
    description = forms.CharField(
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="What it is for, in a sentence.",
    )


class PublishForm(forms.Form):
    """Changelog and, for those who want another number, a version."""

    revision = forms.IntegerField(widget=forms.HiddenInput)
    version = forms.CharField(required=False, max_length=80, label="Version")
    changelog = forms.CharField(
        required=False,
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="What changes for those who call this prompt, and why.",
    )

    def wanted(self) -> str | None:
        """The version typed, or None for the proposed one."""
        return self.cleaned_data["version"].strip() or None


class LintPolicyForm(forms.Form):
    """What a project asks of every prompt."""

    revision = forms.IntegerField(widget=forms.HiddenInput)
    token_budget = forms.IntegerField(
        required=False,
        min_value=1,
        help_text="The most tokens that a prompt's fixed text may have. Empty: no bound.",
    )
    banned_topics = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text="One word or phrase a line. A prompt that mentions one cannot be published.",
    )

    def topics(self) -> list[str]:
        """The lines that say something."""
        return [line.strip() for line in self.cleaned_data["banned_topics"].splitlines() if line.strip()]
