"""A service's refusal, shown at the field it names."""

from __future__ import annotations

from collections.abc import Mapping

from django import forms

from promptstore.core.errors import DomainError


def show_refusal(
    form: forms.BaseForm, error: DomainError, *, places: Mapping[str, str] | None = None
) -> None:
    """Put the refusal at the form's field; one about anything else goes on top.

    `places` maps the beginning of a service's field, such as `body.limits`, to a field of the form.
    """
    faults = error.errors or [{"field": error.field, "detail": error.detail}]
    for fault in faults:
        named = str(fault.get("field") or "")
        target = _target(form, named, places or {})
        detail = str(fault.get("detail") or fault.get("message") or error.detail)
        exact = target is None or named == target
        form.add_error(target, detail if exact or not named else f"{named}: {detail}")


def _target(form: forms.BaseForm, named: str, places: Mapping[str, str]) -> str | None:
    if named in form.fields:
        return named
    for beginning, field in sorted(places.items(), key=lambda item: -len(item[0])):
        if named == beginning or named.startswith((f"{beginning}.", f"{beginning}[")):
            return field
    root = named.replace("[", ".").partition(".")[0]
    return root if root in form.fields else None
