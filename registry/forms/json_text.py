"""JSON typed by people."""

from __future__ import annotations

import json
from typing import Any

from django import forms

from promptstore.core.http.parsers import loads


def json_problem(text: str) -> tuple[Any, str]:
    """The value and no problem, or None and what is wrong, with line and column where they are known."""
    try:
        return loads(text), ""
    except json.JSONDecodeError as error:
        return None, f"This is not JSON: {error.msg.lower()} at line {error.lineno}, column {error.colno}."
    except (ValueError, RecursionError) as error:
        return None, f"This is not usable JSON: {error}."


def pretty(value: Any) -> str:
    """JSON the way people edit it."""
    return json.dumps(value, indent=2, ensure_ascii=False)


class JSONTextField(forms.CharField):
    """A text area of JSON; empty text is None."""

    widget = forms.Textarea

    def __init__(self, *, rows: int = 8, **kwargs: Any) -> None:
        kwargs.setdefault("required", False)
        super().__init__(strip=True, **kwargs)
        self.widget.attrs.update({"rows": rows, "spellcheck": "false", "autocapitalize": "off"})

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return None
        found, problem = json_problem(text)
        if problem:
            raise forms.ValidationError(problem)
        return found
