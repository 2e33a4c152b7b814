from __future__ import annotations

from django import forms

from registry.probes import PROBES

_PROTOCOL_NAMES = {"openai_http": "OpenAI-compatible HTTP"}


class EndpointForm(forms.Form):
    """How a model is reached."""

    revision = forms.IntegerField(required=False, widget=forms.HiddenInput)
    name = forms.CharField(max_length=80, help_text="What model entries call it, such as openai-eu.")
    protocol = forms.ChoiceField(choices=[(name, _PROTOCOL_NAMES.get(name, name)) for name in sorted(PROBES)])
    base_url = forms.CharField(
        max_length=300,
        label="Base URL",
        help_text="Most end in /v1.",
        widget=forms.URLInput(attrs={"spellcheck": "false"}),
    )
    api_key = forms.CharField(
        required=False,
        label="API key",
        max_length=4000,
        strip=True,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="Stored encrypted and never shown again.",
    )
    allow_private = forms.BooleanField(
        required=False,
        label="Allow private addresses",
        help_text="For servers on this machine or in your own network.",
    )
    force = forms.BooleanField(
        required=False,
        label="Save even if it does not answer",
        help_text="Calls through it fail until it does.",
    )
    reason = forms.CharField(
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Why, if it does not answer.",
    )


class EndpointEditForm(EndpointForm):
    """As above for an endpoint that exists: its name and protocol stay."""

    name = None  # type: ignore[assignment] # Django's way to leave out an inherited field
    protocol = None  # type: ignore[assignment]
    remove_key = forms.BooleanField(required=False, label="Remove the key")

    field_order = ["base_url", "api_key", "remove_key", "allow_private", "force", "reason"]

    def key(self) -> str | None:
        """The key to store, an empty text to remove it, or None to keep it."""
        return "" if self.cleaned_data["remove_key"] else (self.cleaned_data["api_key"] or None)
