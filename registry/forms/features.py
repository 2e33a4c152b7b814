from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django import forms

from promptstore.core.models import User
from registry.models import Feature

_RISKS = [
    (Feature.Risk.LOW.value, "Low: a wrong answer is noticed and costs little"),
    (Feature.Risk.LIMITED.value, "Limited: a wrong answer costs time or money"),
    (Feature.Risk.HIGH.value, "High: a wrong answer can hurt somebody"),
]


class FeatureEditForm(forms.Form):
    """What is said about a feature. `people` are the members who may own it."""

    name = forms.CharField(
        max_length=120, label="Name", help_text="What people call it, such as “Summary of a ticket”."
    )
    description = forms.CharField(
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="What it does for whom, in a sentence.",
    )
    risk_class = forms.ChoiceField(
        label="Risk class", choices=_RISKS, initial=Feature.Risk.LIMITED.value, widget=forms.RadioSelect
    )
    owner = forms.TypedChoiceField(
        required=False, coerce=UUID, empty_value=None, help_text="Who answers for it."
    )

    def __init__(self, people: Iterable[User], *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields["owner"].choices = [("", "Nobody"), *_choices(people)]  # type: ignore[attr-defined]


class FeatureForm(FeatureEditForm):
    """A new feature."""

    slug = forms.CharField(
        max_length=80,
        label="Short name",
        help_text="Lower-case letters, digits, dots, dashes and underscores. Services call the feature by it; it stays.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "off"}),
    )

    field_order = ["slug", "name", "description", "risk_class", "owner"]


class AppointForm(forms.Form):
    """One more approver, out of those whose role lets them."""

    user = forms.TypedChoiceField(label="Person", coerce=UUID)

    def __init__(self, people: Iterable[User], *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields["user"].choices = [("", "Choose a person"), *_choices(people)]  # type: ignore[attr-defined]


def _choices(people: Iterable[User]) -> list[tuple[str, str]]:
    return [(str(person.pk), str(person)) for person in people]
