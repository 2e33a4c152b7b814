from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from django import forms

from incidents.notifications.personal.events import ALL, GROUPS
from promptstore.core import clock
from promptstore.core.models import Environment

_NEVER = "never"
_LIFETIMES = [
    ("30", "In 30 days"),
    ("90", "In 90 days"),
    ("365", "In a year"),
    (_NEVER, "Never"),
]
# In words, what `promptstore.core.permissions.SCOPES` lets a key do.
_SCOPES = [
    ("serve", "Serve: read prompts, resolve releases and call features on serving nodes"),
    ("telemetry", "Telemetry: report what callers saw and how it turned out"),
    ("release", "Release: compose releases and request promotions, for pipelines"),
    ("scan", "Scan: report what a scan of source code found, for pipelines"),
]


class TokenForm(forms.Form):
    """A new personal token. `form_id` tells a form that is sent twice, by a reload, from a second one."""

    form_id = forms.UUIDField(widget=forms.HiddenInput, initial=uuid4)
    name = forms.CharField(
        max_length=120,
        help_text="Where it will be used, such as “laptop” or “nightly report”.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    expires = forms.ChoiceField(choices=_LIFETIMES, initial="90")

    def expires_at(self) -> datetime | None:
        """When it ends, counted from now, or None."""
        days = self.cleaned_data["expires"]
        return None if days == _NEVER else clock.now() + timedelta(days=int(days))


class ServiceKeyForm(TokenForm):
    """A new service key: one environment, and no more than it needs."""

    environment = forms.ChoiceField(help_text="It opens this environment and no other.")
    scopes = forms.MultipleChoiceField(
        label="What it may do",
        choices=_SCOPES,
        initial=["serve", "telemetry"],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one thing that the key may do."},
    )

    field_order = ["name", "environment", "scopes", "expires"]

    def __init__(self, environments: Iterable[Environment], *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields["name"].help_text = "The service that will use it, such as “checkout”."
        self.fields["environment"].choices = [(one.slug, one.name) for one in environments]  # type: ignore[attr-defined]


@dataclass(frozen=True)
class EventRow:
    """One line of the table of events: what is ticked in it. `group` is set on the first line of its group."""

    event: str
    label: str
    group: str
    spoken: str
    email: bool
    webhook: bool


class NotificationForm(forms.Form):
    """Which events go out by which way. The page lays the ticks out as a table, so it draws `rows` and not the fields."""

    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=0)
    email = forms.MultipleChoiceField(choices=[(one.value, one.value) for one in ALL], required=False)
    webhook = forms.MultipleChoiceField(choices=[(one.value, one.value) for one in ALL], required=False)

    def rows(self) -> Iterator[EventRow]:
        """The table's lines in order, with what was posted or is in force."""
        email, webhook = (set(self[way].value() or ()) for way in ("email", "webhook"))
        for group, events in GROUPS.items():
            for number, (event, label) in enumerate(events.items()):
                yield EventRow(
                    event=event.value,
                    label=label,
                    group=group if number == 0 else "",
                    spoken=f"{group}: {label}",
                    email=event in email,
                    webhook=event in webhook,
                )


class WebhookForm(forms.Form):
    """Where a person's own webhook is."""

    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=0)
    webhook_url = forms.CharField(
        required=False,
        label="URL",
        max_length=2000,
        help_text="Stored encrypted and never shown again. Leave it empty to remove the webhook.",
        widget=forms.URLInput(attrs={"spellcheck": "false", "autocomplete": "off"}),
    )
