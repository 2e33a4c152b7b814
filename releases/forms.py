"""What pages post. Forms read and name faults; services decide."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.http import HttpRequest

from promptstore.core.errors import DomainError, InvalidInput
from promptstore.core.http.parsers import loads
from registry.versioning import read_version
from releases.selectors.composition import ROLES, Choices, Proposal

MAX_TEXT = 2_000
MAX_JSON = 200_000


def posted_text(request: HttpRequest, name: str) -> str:
    """A posted text with plain line ends; raises `InvalidInput` when it is too long or holds NUL."""
    text = request.POST.get(name, "").replace("\r\n", "\n")
    if len(text) > MAX_TEXT or "\x00" in text:
        raise InvalidInput(f"{name.capitalize()} is a text of at most {MAX_TEXT:,} characters.", field=name)
    return text


def posted_number(request: HttpRequest, name: str) -> int:
    """A posted whole number; raises `InvalidInput`."""
    text = request.POST.get(name, "")
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise InvalidInput("The form is incomplete. Reload the page and try again.", field=name)
    return int(text)


def posted_json(text: str, *, field: str) -> Any:
    """JSON that a person edited; raises `InvalidInput` with line and column."""
    if len(text) > MAX_JSON:
        raise InvalidInput(f"Use at most {MAX_JSON:,} characters.", field=field)
    try:
        return loads(text)
    except json.JSONDecodeError as error:
        raise InvalidInput(
            f"Line {error.lineno}, column {error.colno}: this is not JSON ({error.msg}).", field=field
        ) from error
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"This is not usable JSON: {error}.", field=field) from error


def add_error(form: forms.Form, error: DomainError, *, fallback: str | None = None) -> None:
    """Show a service's refusal at the field it names, else at `fallback`, else above the form."""
    root = (error.field or "").split(".")[0].split("[")[0]
    name = next((name for name in (error.field or "", root, fallback) if name and name in form.fields), None)
    prefix = (
        f"{error.field}: " if error.field and name == fallback and error.field not in error.detail else ""
    )
    form.add_error(name, f"{prefix}{error.detail}")


class ComposeForm(forms.Form):
    """Which versions a release pins. Fields `prompt:<name>` and `model:<role>` follow from what the project has."""

    primary = forms.ChoiceField(label="Primary prompt")
    config = forms.ChoiceField(label="Serving config")
    version = forms.CharField(
        label="Release version",
        required=False,
        max_length=64,
        help_text="Leave it empty for the next minor version.",
    )
    changelog = forms.CharField(
        label="What changes", required=False, max_length=10_000, widget=forms.Textarea(attrs={"rows": 3})
    )

    # Set once composing was tried: a comparison of an incomplete form is no error.
    has_been_refused = False

    def __init__(self, choices: Choices, live: Proposal, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(
            data, initial={"primary": live.primary or next(iter(choices.prompts), ""), "config": live.config}
        )
        self.choices = choices
        self.fields["primary"].choices = [(name, name) for name in choices.prompts]  # type: ignore[attr-defined]
        self.fields["config"].choices = _marked(choices.configs, live.config)  # type: ignore[attr-defined]
        for name, versions in choices.prompts.items():
            self.fields[f"prompt:{name}"] = forms.ChoiceField(
                label=name,
                required=len(choices.prompts) == 1,
                choices=[
                    *([] if len(choices.prompts) == 1 else [("", "not in this release")]),
                    *_marked(versions, live.prompts.get(name, "")),
                ],
                initial=live.prompts.get(name, "") or ("" if live.prompts else versions[0]),
            )
        for role in ROLES:
            self.fields[f"model:{role}"] = forms.ChoiceField(
                label=f"{role.capitalize()} model",
                required=role == "primary",
                choices=[
                    *([] if role == "primary" else [("", "none")]),
                    *_marked(choices.models, live.models.get(role, "")),
                ],
                initial=live.models.get(role, ""),
            )

    def clean_version(self) -> str:
        """The version in its canonical form, or empty for the next one."""
        text = self.cleaned_data["version"].strip()
        try:
            return str(read_version(text)) if text else ""
        except InvalidInput as error:
            raise forms.ValidationError(error.detail) from error

    def proposal(self) -> Proposal:
        """What was chosen, or preset where the form has not been sent."""
        return Proposal(
            primary=self._value("primary"),
            prompts={
                name: value for name in self.choices.prompts if (value := self._value(f"prompt:{name}"))
            },
            models={role: value for role in ROLES if (value := self._value(f"model:{role}"))},
            config=self._value("config"),
        )

    def prompt_fields(self) -> list[forms.BoundField]:
        """One for each prompt of the project."""
        return [self[f"prompt:{name}"] for name in self.choices.prompts]

    def model_fields(self) -> list[forms.BoundField]:
        """One for each role."""
        return [self[f"model:{role}"] for role in ROLES]

    def _value(self, name: str) -> str:
        value = self[name].value() or ""
        known = {str(key) for key, _ in self.fields[name].choices}  # type: ignore[attr-defined]
        if value not in known or (not value and self.fields[name].required):
            value = next(iter(self.fields[name].choices), ("", ""))[0]  # type: ignore[attr-defined]
        return str(value)


def _marked(options: Sequence[str], live: str) -> list[tuple[str, str]]:
    """Options, newest first, with what is live and what is newer said in words."""
    name = live.rpartition("@")[0]
    marked, newer = [], bool(live)
    for option in options:
        same = option.rpartition("@")[0] == name
        newer = newer and option != live
        note = " · live" if option == live else " · newer" if newer and same else ""
        marked.append((option, f"{option}{note}"))
    return marked


class PolicyForm(forms.Form):
    """A policy as JSON. `number` is the version that the change is based on, 0 where there is none."""

    number = forms.IntegerField(min_value=0, max_value=10**9, widget=forms.HiddenInput, label="Version")
    body = forms.CharField(
        label="Policy",
        widget=forms.Textarea(attrs={"rows": 28, "spellcheck": "false"}),
        help_text="Gates, quorum, plan and rules. Open promotions are checked anew under it.",
    )
    reason = forms.CharField(label="Reason", max_length=MAX_TEXT, help_text="Kept in the audit log.")


class PlanForm(forms.Form):
    """A plan as JSON."""

    plan = forms.CharField(label="Plan", widget=forms.Textarea(attrs={"rows": 16, "spellcheck": "false"}))
    reason = forms.CharField(label="Reason", max_length=MAX_TEXT)
