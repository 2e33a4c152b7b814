from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from django import forms

from registry.dataset_files import MAX_FILE_BYTES, FileFormat
from registry.datasets import CaseContent
from registry.forms.json_text import JSONTextField, json_problem, pretty
from registry.models import DatasetCase

CASE_PLACES: Final[dict[str, str]] = {
    "content.variables": "variables",
    "content.expected": "expected",
    "content.context": "context",
    "content.tags": "tags",
    "content.note": "note",
    "content": "variables",
    "cases[0].key": "key",
    "cases[0].feature": "feature",
    "cases": "key",
}
_NAME = forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "off"})


class DatasetForm(forms.Form):
    """A new held-out dataset."""

    name = forms.CharField(
        max_length=80,
        help_text="Lower-case letters, digits, dots, dashes and underscores. Suites call it by this name.",
        widget=_NAME,
    )
    description = forms.CharField(
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="What its cases are good for, in a sentence.",
    )


class CaseForm(forms.Form):
    """What a case asks and what is right. `features` are the slugs to choose from."""

    feature = forms.ChoiceField(required=False, help_text="Whose answer is meant.")
    variables = JSONTextField(
        rows=4, required=True, help_text="What the prompt is filled with, as a JSON object."
    )
    expected = forms.CharField(
        required=False,
        label="Right answer",
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
        help_text="JSON where it reads as JSON, else text. Empty where only people or scorers can tell.",
    )
    context = forms.CharField(
        required=False,
        label="Passages",
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="What the answer must be grounded in. An empty line begins the next passage.",
    )
    tags = forms.CharField(required=False, help_text="Words that group cases in reports, with commas.")
    note = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Why this case is here, for people.",
    )

    def __init__(self, features: Iterable[str], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", "Any feature"), *((slug, slug) for slug in features)]
        self.fields["feature"].choices = choices  # type: ignore[attr-defined]

    def content(self) -> CaseContent:
        """Raises `InvalidInput` naming the member at fault."""
        typed = self.cleaned_data
        passages = [part.strip() for part in typed["context"].replace("\r\n", "\n").split("\n\n")]
        return CaseContent.from_dict(
            {
                "variables": typed["variables"],
                "expected": read_expected(typed["expected"]),
                "context": [part for part in passages if part],
                "tags": [word for part in typed["tags"].split(",") if (word := part.strip())],
                "note": typed["note"],
            }
        )


class NewCaseForm(CaseForm):
    """A case by hand."""

    key = forms.CharField(
        required=False, max_length=80, widget=_NAME, help_text="A short name. Empty: a random one."
    )

    field_order = ["key", "feature", "variables", "expected", "context", "tags", "note"]


class ChangeCaseForm(CaseForm):
    """Another content for a case that is there."""

    revision = forms.IntegerField(widget=forms.HiddenInput)
    reason = forms.CharField(
        required=False, max_length=500, help_text="Why; kept in the audit log. Needed in the danger set."
    )


class ImportForm(forms.Form):
    """A file of cases, chosen or pasted."""

    file = forms.FileField(required=False, help_text="JSON Lines (.jsonl) or CSV (.csv), at most 1.5 MB.")
    format = forms.ChoiceField(
        label="Format of the text",
        choices=[(FileFormat.JSONL.value, "JSON Lines"), (FileFormat.CSV.value, "CSV")],
        initial=FileFormat.JSONL.value,
    )
    text = forms.CharField(
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false"}),
        help_text="Or paste the cases here. A file that you choose comes first.",
    )

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        chosen = found.get("file")
        if chosen is not None:
            if chosen.size > MAX_FILE_BYTES:
                self.add_error("file", "This file is larger than 1.5 MB. Import it in parts.")
                return found
            try:
                found["text"] = chosen.read().decode("utf-8-sig")
            except UnicodeDecodeError:
                self.add_error("file", "This file is not UTF-8 text.")
            csv_name = str(chosen.name).lower().endswith(".csv")
            found["format"] = (FileFormat.CSV if csv_name else FileFormat.JSONL).value
        elif not found.get("text", "").strip():
            self.add_error("file", "Choose a file, or paste cases below.")
        return found


class FreezeForm(forms.Form):
    """Changelog and, for those who want another number, a version."""

    version = forms.CharField(required=False, max_length=80)
    changelog = forms.CharField(
        required=False,
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 2}),
        label="What changed",
        help_text="For those who read reports made with it.",
    )


def read_expected(text: str) -> Any:
    """The right answer as people type it: JSON if it is JSON, else the text; nothing is None."""
    if not text.strip():
        return None
    value, problem = json_problem(text)
    return text.replace("\r\n", "\n") if problem else value


def shown_expected(value: Any) -> str:
    """What `read_expected` reads back."""
    if value is None:
        return ""
    is_plain = isinstance(value, str) and read_expected(value) == value
    return value if is_plain else pretty(value)


def case_initial(case: DatasetCase) -> dict[str, Any]:
    """What the form starts with for a change of `case`."""
    content = case.content or {}
    return {
        "revision": case.revision,
        "feature": case.feature.slug if case.feature else "",
        "variables": pretty(content.get("variables", {})),
        "expected": shown_expected(content.get("expected")),
        "context": "\n\n".join(content.get("context", ())),
        "tags": ", ".join(content.get("tags", ())),
        "note": content.get("note", ""),
    }
