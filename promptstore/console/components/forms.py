"""Form fields with label, help, error and the wiring that screen readers need."""

from __future__ import annotations

from typing import Any

from django import forms
from django.forms import BoundField

_CHOICES = (forms.RadioSelect, forms.CheckboxSelectMultiple)


def _kind(bound: BoundField) -> str:
    widget = bound.field.widget
    if isinstance(widget, _CHOICES):
        return "group"
    if isinstance(widget, forms.CheckboxInput):
        return "check"
    return "select" if isinstance(widget, forms.Select) else "input"


_CLASSES = {
    "group": "",
    "check": "form-check-input",
    "select": "form-select",
    "input": "form-control",
}


# Django's own words for the commonest mistake say what is wrong, not what to do.
_REQUIRED = {
    "input": "Fill this in.",
    "select": "Choose one.",
    "group": "Choose one.",
    "check": "Tick this to go on.",
}


def error_texts(bound: BoundField) -> list[str]:
    """What is wrong with a field and what to do about it; a form's own `required` message is kept."""
    texts: list[str] = []
    for error in bound.errors.as_data():
        is_default = (
            error.code == "required" and error.message == forms.Field.default_error_messages["required"]
        )
        texts += [_REQUIRED[_kind(bound)]] if is_default else [str(message) for message in error.messages]
    return texts


def field(
    bound: BoundField,
    label: str = "",
    help: str = "",  # noqa: A002 - the word of Django's forms
    *,
    wide: bool = False,
    mono: bool = False,
) -> dict[str, Any]:
    """One form field. `label` and `help` replace the form's own; `wide` takes the whole row, `mono` is for code."""
    help_text = help or bound.help_text
    errors = error_texts(bound)
    kind = _kind(bound)
    described = [f"{bound.auto_id}_help"] if help_text else []
    described += [f"{bound.auto_id}_error"] if errors else []
    classes = [bound.field.widget.attrs.get("class", ""), _CLASSES[kind], "ps-mono" if mono else ""]
    attrs: dict[str, Any] = {}
    if kind != "group":  # a group of choices is described by its fieldset instead
        classes.append("is-invalid" if errors else "")
        attrs["class"] = " ".join(part for part in classes if part)
        attrs["aria-describedby"] = " ".join(described) or None
        attrs["aria-invalid"] = "true" if errors else None
    return {
        "bound": bound,
        "control": bound.as_widget(attrs={name: value for name, value in attrs.items() if value}),
        "kind": kind,
        "label": label or bound.label,
        "help": help_text,
        "errors": errors,
        "described": " ".join(described),
        "optional": not bound.field.required and kind not in {"check", "group"},
        "wide": wide,
    }


def error_summary(form: forms.BaseForm | None) -> dict[str, Any]:
    """Every error of a form in one place, each linked to its field."""
    if form is None or not form.is_bound:
        return {"errors": [], "count": 0}
    errors: list[tuple[str, str, str]] = [("", "", str(error)) for error in form.non_field_errors()]
    for bound in form:
        target = bound.id_for_label or f"{bound.auto_id}_0"  # a group is reached through its first choice
        errors += [(target, str(bound.label), text) for text in error_texts(bound)]
    return {"errors": errors, "count": len(errors)}
