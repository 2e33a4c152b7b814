"""What the pages of notification channels post. Forms read; services decide."""

from __future__ import annotations

from django import forms

from incidents.models import Incident, NotificationChannel
from incidents.notifications.snapshot import INCIDENT_EVENTS
from promptstore.core.errors import DomainError

_EVENTS = [(event.value, event.value.partition(".")[2].capitalize()) for event in INCIDENT_EVENTS]


class ChannelChangeForm(forms.Form):
    """What may change about a channel."""

    revision = forms.IntegerField(required=False, widget=forms.HiddenInput)
    url = forms.CharField(
        required=False,
        label="URL",
        max_length=2000,
        help_text="Stored encrypted and never shown again. Leave it empty to keep what is there.",
        widget=forms.URLInput(attrs={"spellcheck": "false", "autocomplete": "off"}),
    )
    events = forms.MultipleChoiceField(
        choices=_EVENTS,
        initial=[value for value, _ in _EVENTS],
        widget=forms.CheckboxSelectMultiple,
        help_text="PagerDuty and Alertmanager keep a state of their own, so they get all of them.",
    )
    min_severity = forms.ChoiceField(
        label="From severity",
        choices=Incident.Severity.choices,
        initial=Incident.Severity.P4,
        help_text="Graver incidents are told too.",
    )
    allow_private = forms.BooleanField(
        required=False,
        label="Allow private addresses",
        help_text="For receivers on this machine or in your own network.",
    )

    def show(self, error: DomainError) -> None:
        """Put a service's refusal at the field it names; one about anything else goes on top."""
        self.add_error(error.field if error.field in self.fields else None, error.detail)


class ChannelForm(ChannelChangeForm):
    """A new channel."""

    name = forms.CharField(max_length=80, help_text="Such as on-call.")
    kind = forms.ChoiceField(choices=NotificationChannel.Kind.choices)
    secret = forms.CharField(
        required=False,
        max_length=4000,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="PagerDuty: the integration key. Alertmanager: a bearer token, if it wants one. A webhook's is made for you.",
    )
    field_order = ["name", "kind", "url", "secret", "events", "min_severity", "allow_private"]

    def __init__(self, *arguments: object, **more: object) -> None:
        super().__init__(*arguments, **more)  # type: ignore[arg-type] # Django's own signature
        self.fields["url"].help_text = "Stored encrypted and never shown again. PagerDuty's is known."
